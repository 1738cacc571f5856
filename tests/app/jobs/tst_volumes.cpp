// SPDX-License-Identifier: Apache-2.0
// Disks found by their own name, wherever they are mounted. What the kernel and udev say is made up here.
#include <QTemporaryDir>
#include <QTest>

#include "app/jobs/volumes.h"
#include "tests/app/jobs/test_media.h"

using namespace imprint;
using namespace imprint::jobs;
using imprint::index::VolumePlace;
namespace fs = std::filesystem;

class TestVolumes : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path root_;

    /// The table with "@" for the test's folder.
    Volumes with(std::string table)
    {
        for (size_t at = 0; (at = table.find('@', at)) != std::string::npos;)
            table.replace(at, 1, root_.native());
        tests::write_file(root_ / "mountinfo", table);
        return Volumes(root_ / "mountinfo", root_ / "by-uuid");
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::canonical(dir_.path().toStdString());
        for (const char* folder : {"dev", "by-uuid", "home", "media/DISK/photos", "mnt/old disk/photos", "bind"})
            fs::create_directories(root_ / folder);
        for (const char* device : {"sda1", "sdb1"})
            tests::write_file(root_ / "dev" / device, "");
        fs::create_symlink("../dev/sda1", root_ / "by-uuid" / "AAAA-0001");
        fs::create_symlink("../dev/sdb1", root_ / "by-uuid" / "BBBB-0002");
    }

    void a_disk_is_found_where_it_is_mounted_now()
    {
        const std::string home = "20 1 8:1 / @/home rw - ext4 @/dev/sda1 rw\n";
        const Volumes before = with(home + "21 1 8:17 / @/media/DISK rw,noatime shared:7 - exfat @/dev/sdb1 rw\n");
        const auto place = before.place_of(root_ / "media/DISK/photos");
        QVERIFY(place.has_value());
        QCOMPARE(*place, (VolumePlace{"BBBB-0002", "/photos"}));
        QCOMPARE(before.find(*place), std::optional(root_ / "media/DISK/photos"));

        const Volumes later = with(home + "21 1 8:17 / @/mnt/old\\040disk rw - exfat @/dev/sdb1 rw\n");
        QCOMPARE(later.find(*place), std::optional(root_ / "mnt/old disk/photos"));
        QVERIFY(!with(home).find(*place));
        QVERIFY(!later.find({"BBBB-0002", "/no such folder"}));
        QVERIFY(!later.find({"CCCC-0003", "/photos"}));
    }

    void a_folder_of_a_disk_that_is_mounted_alone_is_part_of_it()
    {
        const Volumes volumes = with("21 1 8:17 /photos @/bind rw - ext4 @/dev/sdb1 rw\n");
        QCOMPARE(volumes.place_of(root_ / "bind"), std::optional(VolumePlace{"BBBB-0002", "/photos"}));
        QCOMPARE(volumes.find({"BBBB-0002", "/photos"}), std::optional(root_ / "bind"));
        QVERIFY(!volumes.find({"BBBB-0002", "/other"}));
    }

    void the_last_mount_of_a_place_is_what_it_shows()
    {
        const Volumes volumes = with("21 1 8:1 / @/media/DISK rw - ext4 @/dev/sda1 rw\n"
                                     "22 1 8:17 / @/media/DISK rw - ext4 @/dev/sdb1 rw\n");
        QCOMPARE(volumes.place_of(root_ / "media/DISK")->volume, std::string("BBBB-0002"));
    }

    void a_file_system_without_a_name_has_no_place_data()
    {
        QTest::addColumn<QString>("table");
        QTest::newRow("memory") << "21 1 0:33 / @/media/DISK rw - tmpfs tmpfs rw\n";
        QTest::newRow("a network") << "21 1 0:44 / @/media/DISK rw - nfs4 server:/export rw\n";
        QTest::newRow("nothing mounted") << "";
        QTest::newRow("nonsense") << "what is this\n\n - - -\n21\n";
    }
    void a_file_system_without_a_name_has_no_place()
    {
        QFETCH(QString, table);
        QVERIFY(!with(table.toStdString()).place_of(root_ / "media/DISK/photos"));
    }
};

QTEST_GUILESS_MAIN(TestVolumes)
#include "tst_volumes.moc"
