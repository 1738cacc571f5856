// SPDX-License-Identifier: Apache-2.0
// The catalog: what goes in comes out, one writer at a time, and every refusal says why.
#include <QTemporaryDir>
#include <QtTest>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/base/error.h"
#include "index/catalog.h"
#include "tests/index/library_fixture.h"

namespace fs = std::filesystem;
using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

/// Runs `f` and returns the Error it throws.
template <typename F>
std::optional<Error> error_of(F&& f)
{
    try {
        f();
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

#define QVERIFY_ERROR(error, wanted)                                                      \
    do {                                                                                  \
        QVERIFY2((error).has_value(), "no error was thrown");                             \
        QVERIFY2((error)->kind() == (wanted), (error)->what());                           \
        QVERIFY(!(error)->reason().empty());                                              \
    } while (false)

}  // namespace

class TestLibrary : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        folder_ = std::make_unique<QTemporaryDir>();
        media_ = std::make_unique<QTemporaryDir>();
        std::ofstream(media() / "something") << "a folder that holds a file is no mount point that lost its disk";
    }

    void gives_back_what_was_put();
    void keeps_paths_as_bytes_data();
    void keeps_paths_as_bytes();
    void knows_an_unchanged_file_data();
    void knows_an_unchanged_file();
    void a_silent_file_without_moments_is_in();
    void replaces_a_file_that_changed();
    void keeps_another_models_vectors_of_an_unchanged_file();
    void lists_failures_and_forgets_them();
    void a_good_file_takes_the_place_of_a_failure_and_back();
    void counts_by_kind();
    void keeps_roots_in_order();
    void the_revision_grows_with_every_change_of_vectors();

    void drops_what_vanished();
    void a_missing_root_drops_nothing();
    void an_empty_mount_point_drops_nothing();
    void drops_from_a_hundred_thousand_paths_in_bounded_time();

    void a_second_writer_is_told_who_writes();
    void another_process_that_writes_is_named();
    void readers_are_never_blocked();
    void a_missing_library_is_not_found();
    void refuses_a_catalog_data();
    void refuses_a_catalog();
    void a_folder_without_rights_is_a_permission_error();
    void reads_a_library_in_a_folder_that_nobody_may_write();
    void knows_where_wal_does_not_work();
    void finds_the_default_folder();

private:
    fs::path folder() const { return folder_->path().toStdString() + "/library"; }
    fs::path media() const { return media_->path().toStdString(); }
    Library writer() const { return Library(folder(), OpenMode::ReadWrite); }
    Library reader() const { return Library(folder(), OpenMode::ReadOnly); }

    std::unique_ptr<QTemporaryDir> folder_, media_;
    std::mt19937 random_{7};
};

void TestLibrary::gives_back_what_was_put()
{
    FileEntry video = entry(random_, "/media/trip.ogv", media::Kind::Video, 3);
    video.probe.taken_at = -12345;
    {
        Library library = writer();
        library.use_space(kSpace, kDim);
        library.put(video, kSpace, bank());
    }
    const Library library = reader();
    QCOMPARE(library.active_space(), std::optional(kSpace));
    const auto row = library.find("/media/trip.ogv");
    QVERIFY(row.has_value());
    QVERIFY(row->facts == video.facts);
    QCOMPARE(row->probe.kind, media::Kind::Video);
    QCOMPARE(row->probe.width, 640);
    QCOMPARE(row->probe.height, 480);
    QCOMPARE(row->probe.duration, 15.0);
    QVERIFY(row->probe.has_sound);
    QCOMPARE(row->probe.format, std::string("ogg"));
    QCOMPARE(row->probe.taken_at, std::optional<int64_t>(-12345));
    QCOMPARE(row->moments, 6);
    const std::vector<Moment> moments = library.moments(row->id);
    QCOMPARE(moments.size(), size_t(6));
    QCOMPARE(moments[5].modality, Modality::Sound);
    QCOMPARE(moments[5].start, std::optional(10.0));
    QCOMPARE(moments[5].end, std::optional(15.0));
    QVERIFY(!library.find("/media/other.ogv"));
    QVERIFY(library.check().empty());
}

void TestLibrary::keeps_paths_as_bytes_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::newRow("plain") << QByteArray("/m/a.jpg");
    QTest::newRow("not UTF-8") << QByteArray("/m/caf\xe9.jpg");
    QTest::newRow("broken UTF-8") << QByteArray("/m/\xf0\x9f\x90.jpg");
    QTest::newRow("line break and quote") << QByteArray("/m/a\n'b\".jpg");
    QTest::newRow("percent and wildcard") << QByteArray("/m/100%_*?.jpg");
}

void TestLibrary::keeps_paths_as_bytes()
{
    QFETCH(QByteArray, path);
    const fs::path bytes(path.toStdString());
    Library library = writer();
    library.put(entry(random_, bytes), kSpace, bank());
    library.put(entry(random_, "/m/other"), kSpace, bank());
    QVERIFY(library.find(bytes).has_value());
    QCOMPARE(library.find(bytes)->facts.path.native(), bytes.native());
    QVERIFY(library.unchanged(facts(bytes), kSpace));
    library.put_failure(facts(bytes), {bytes, "malformed", "cut off", 5});
    QCOMPARE(library.failures().front().path.native(), bytes.native());
}

void TestLibrary::knows_an_unchanged_file_data()
{
    QTest::addColumn<int>("change");
    QTest::addColumn<bool>("unchanged");
    QTest::newRow("nothing") << 0 << true;
    QTest::newRow("size") << 1 << false;
    QTest::newRow("time, by one nanosecond") << 2 << false;
    QTest::newRow("inode") << 3 << false;
    QTest::newRow("device, as after plugging a disk in again") << 4 << true;
    QTest::newRow("path") << 5 << false;
    QTest::newRow("space") << 6 << false;
}

void TestLibrary::knows_an_unchanged_file()
{
    QFETCH(int, change);
    QFETCH(bool, unchanged);
    Library library = writer();
    library.put(entry(random_, "/m/a.jpg"), kSpace, bank());
    library.put_failure(facts("/m/bad.jpg"), {"/m/bad.jpg", "malformed", "cut off", 5});
    for (const char* path : {"/m/a.jpg", "/m/bad.jpg"}) {
        FileFacts now = facts(path);
        now.size += change == 1;
        now.mtime_ns += change == 2;
        now.inode += change == 3;
        now.device += change == 4;
        if (change == 5)
            now.path += "x";
        const bool failed = now.path == "/m/bad.jpg";
        // What could not be read cannot be read by another model either.
        QCOMPARE(library.unchanged(now, change == 6 ? "another space" : kSpace), unchanged || (failed && change == 6));
    }
}

void TestLibrary::a_silent_file_without_moments_is_in()
{
    Library library = writer();
    FileEntry silent = entry(random_, "/m/silence.ogg", media::Kind::Audio, 0);
    library.put(silent, kSpace, bank());
    QVERIFY(library.unchanged(silent.facts, kSpace));
    QCOMPARE(library.counts().files, 1);
    QCOMPARE(library.counts().moments, 0);
    QVERIFY(library.check().empty());
}

void TestLibrary::replaces_a_file_that_changed()
{
    Library library = writer();
    library.put(entry(random_, "/m/a.ogv", media::Kind::Video, 4), kSpace, bank());
    const int64_t id = library.find("/m/a.ogv")->id;
    FileEntry shorter = entry(random_, "/m/a.ogv", media::Kind::Video, 1);
    shorter.facts.size = 5;
    library.put(shorter, kSpace, bank());
    QCOMPARE(library.find("/m/a.ogv")->id, id);
    QCOMPARE(library.counts().moments, 2);
    QCOMPARE(library.moments(id).size(), size_t(2));
    QVERIFY(library.unchanged(shorter.facts, kSpace));
    QVERIFY(!library.unchanged(facts("/m/a.ogv"), kSpace));
    QVERIFY(library.check().empty());
}

void TestLibrary::keeps_another_models_vectors_of_an_unchanged_file()
{
    Library library = writer();
    FileEntry same = entry(random_, "/m/a.jpg");
    library.put(same, kSpace, bank());
    library.put(same, "second space", bank());
    QVERIFY(library.unchanged(same.facts, kSpace));
    QVERIFY(library.unchanged(same.facts, "second space"));
    same.facts.size = 77;
    library.put(same, "second space", bank());
    QVERIFY(!library.unchanged(same.facts, kSpace));
    QVERIFY(library.unchanged(same.facts, "second space"));
    QVERIFY(library.check().empty());
}

void TestLibrary::lists_failures_and_forgets_them()
{
    Library library = writer();
    library.put(entry(random_, "/m/good.jpg"), kSpace, bank());
    library.put_failure(facts("/m/b.jpg"), {"/m/b.jpg", "malformed", "cut off", 17});
    library.put_failure(facts("/m/a.jpg"), {"/m/a.jpg", "permission", "not yours", 18});
    const std::vector<Failure> failures = library.failures();
    QCOMPARE(failures.size(), size_t(2));
    QCOMPARE(failures[0].path.native(), std::string("/m/a.jpg"));
    QCOMPARE(failures[1].kind, std::string("malformed"));
    QCOMPARE(failures[1].reason, std::string("cut off"));
    QCOMPARE(failures[1].at, 17);
    QCOMPARE(library.forget_failures(), 2);
    QVERIFY(library.failures().empty());
    QVERIFY(!library.unchanged(facts("/m/a.jpg"), kSpace));
    QVERIFY(library.unchanged(facts("/m/good.jpg"), kSpace));
}

void TestLibrary::a_good_file_takes_the_place_of_a_failure_and_back()
{
    Library library = writer();
    library.put_failure(facts("/m/a.jpg"), {"/m/a.jpg", "malformed", "cut off", 17});
    QVERIFY(!library.find("/m/a.jpg"));
    library.put(entry(random_, "/m/a.jpg"), kSpace, bank());
    QVERIFY(library.failures().empty());
    QVERIFY(library.find("/m/a.jpg"));
    library.put_failure(facts("/m/a.jpg"), {"/m/a.jpg", "malformed", "cut off", 17});
    QCOMPARE(library.counts().files, 0);
    QCOMPARE(library.counts().moments, 0);
    QCOMPARE(library.counts().failed, 1);
    QVERIFY(library.check().empty());
}

void TestLibrary::counts_by_kind()
{
    Library library = writer();
    for (int i = 0; i < 3; ++i)
        library.put(entry(random_, "/m/i" + std::to_string(i)), kSpace, bank());
    library.put(entry(random_, "/m/v", media::Kind::Video, 2), kSpace, bank());
    library.put(entry(random_, "/m/s", media::Kind::Audio, 5), kSpace, bank());
    library.put_failure(facts("/m/f"), {"/m/f", "io", "gone", 1});
    const Counts counts = library.counts();
    QCOMPARE(counts.files, 5);
    QCOMPARE(counts.images, 3);
    QCOMPARE(counts.videos, 1);
    QCOMPARE(counts.sounds, 1);
    QCOMPARE(counts.moments, 3 + 4 + 5);
    QCOMPARE(counts.failed, 1);
    QCOMPARE(library.files(0, 100).size(), size_t(5));
    const std::vector<FileRow> page = library.files(3, 1);
    QCOMPARE(page.size(), size_t(1));
    QCOMPARE(page[0].facts.path.native(), std::string("/m/v"));
}

void TestLibrary::keeps_roots_in_order()
{
    Library library = writer();
    for (const char* root : {"/z", "/a/", "/z/", "/a"})
        library.add_root(root);
    QCOMPARE(library.roots(), (std::vector<fs::path>{"/z", "/a"}));
}

void TestLibrary::the_revision_grows_with_every_change_of_vectors()
{
    Library library = writer();
    std::vector<int64_t> revisions{library.revision()};
    const auto moved = [&] {
        revisions.push_back(library.revision());
        return revisions.back() > revisions[revisions.size() - 2];
    };
    library.put(entry(random_, media() / "a"), kSpace, bank());
    QVERIFY(moved());
    library.put(entry(random_, media() / "a"), kSpace, bank());
    QVERIFY(moved());
    library.put_failure(facts(media() / "a"), {media() / "a", "io", "gone", 1});
    QVERIFY(moved());
    QCOMPARE(library.drop_vanished(media(), {}), 1);
    QVERIFY(moved());
}

void TestLibrary::drops_what_vanished()
{
    Library library = writer();
    const auto put = [&](const fs::path& path) { library.put(entry(random_, path), kSpace, bank()); };
    fs::create_directory(media() / "in");
    std::ofstream(media() / "in/a") << "there";
    put(media() / "in/a");
    put(media() / "in/b");
    put(media() / "in/caf\xe9");
    put(media() / "in-between");   // '-' sorts before '/'
    put(media() / "in.jpg");
    put(media() / "inside");
    put("/elsewhere/a");
    library.put_failure(facts(media() / "in/bad"), {media() / "in/bad", "io", "gone", 1});
    QCOMPARE(library.drop_vanished(media() / "in/", {media() / "in/caf\xe9", media() / "in/a", "/elsewhere/b"}), 2);
    QVERIFY(library.find(media() / "in/a") && library.find(media() / "in/caf\xe9"));
    QVERIFY(!library.find(media() / "in/b"));
    QVERIFY(library.failures().empty());
    QVERIFY(library.find(media() / "in-between") && library.find(media() / "in.jpg"));
    QVERIFY(library.find(media() / "inside") && library.find("/elsewhere/a"));
    QCOMPARE(library.drop_vanished(media(), {media() / "in/a"}), 4);
    QCOMPARE(library.counts().files, 2);
    QVERIFY(library.check().empty());
}

void TestLibrary::a_missing_root_drops_nothing()
{
    Library library = writer();
    library.put(entry(random_, media() / "disk/a"), kSpace, bank());
    QCOMPARE(library.drop_vanished(media() / "disk", {}), 0);
    QVERIFY(library.find(media() / "disk/a"));
}

void TestLibrary::an_empty_mount_point_drops_nothing()
{
    fs::create_directories(media() / "mnt");
    struct stat system {};
    QCOMPARE(::stat(media().c_str(), &system), 0);
    Library library = writer();
    FileEntry away = entry(random_, media() / "mnt/photos/a");
    away.facts.device = system.st_dev + 1;  // it was on the disk that stood here
    library.put(away, kSpace, bank());
    QCOMPARE(library.drop_vanished(media() / "mnt", {}), 0);
    QCOMPARE(library.drop_vanished(media(), {}), 0);
    FileEntry gone = entry(random_, media() / "mnt/b");
    gone.facts.device = system.st_dev;
    library.put(gone, kSpace, bank());
    QCOMPARE(library.drop_vanished(media(), {}), 1);
    QVERIFY(library.find(media() / "mnt/photos/a"));
}

void TestLibrary::drops_from_a_hundred_thousand_paths_in_bounded_time()
{
    Library library = writer();
    for (int i = 0; i < 500; ++i)
        library.put_failure(facts(media() / ("x" + std::to_string(i * 200))), {"", "io", "gone", 1});
    std::vector<std::string> seen;
    for (int i = 100'000; i-- > 0;)
        if (i % 400 != 0)
            seen.push_back(media() / ("x" + std::to_string(i)));
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(library.drop_vanished(media(), seen), 250);
    QVERIFY2(timer.elapsed() < 3000, qPrintable(QString::number(timer.elapsed())));
    QCOMPARE(library.counts().failed, 250);
}

void TestLibrary::a_second_writer_is_told_who_writes()
{
    const Library first = writer();
    const auto error = error_of([&] { writer(); });
    QVERIFY_ERROR(error, ErrorKind::Busy);
    QVERIFY(error->reason().find(std::to_string(::getpid())) != std::string::npos);
    QVERIFY(error->reason().find("tst_library") != std::string::npos);
}

void TestLibrary::another_process_that_writes_is_named()
{
    writer();
    int output = -1;
    const int child = start_self({"--hold", folder().native()}, &output);
    QVERIFY(child > 0);
    char ready = 0;
    QCOMPARE(::read(output, &ready, 1), 1);
    const auto error = error_of([&] { writer(); });
    QVERIFY_ERROR(error, ErrorKind::Busy);
    QVERIFY2(error->reason().find("process " + std::to_string(child) + ")") != std::string::npos, error->what());
    QCOMPARE(reader().counts().files, 1);  // what the other one has committed
    ::kill(child, SIGKILL);
    QCOMPARE(wait_for(child), -SIGKILL);
    ::close(output);
    Library mine = writer();  // the lock went with its process
    mine.put(entry(random_, "/m/b"), kSpace, bank());
    QCOMPARE(mine.counts().files, 2);
}

void TestLibrary::readers_are_never_blocked()
{
    Library library = writer();
    library.put(entry(random_, "/m/0"), kSpace, bank());
    Catalog other(folder(), OpenMode::ReadOnly);
    other.read([&] {
        // A reader in the midst of its transaction sees one state and holds up nobody.
        for (int i = 1; i <= 20; ++i)
            library.put(entry(random_, "/m/" + std::to_string(i)), kSpace, bank());
        auto select = other.use("SELECT count(*) FROM files");
        select->executeStep();
        return select->getColumn(0).getInt64();
    });
    QCOMPARE(reader().counts().files, 21);
}

void TestLibrary::a_missing_library_is_not_found()
{
    auto error = error_of([&] { reader(); });
    QVERIFY_ERROR(error, ErrorKind::NotFound);
    QVERIFY(!fs::exists(folder()));
    fs::create_directories(folder());
    error = error_of([&] { reader(); });
    QVERIFY_ERROR(error, ErrorKind::NotFound);
    QVERIFY(fs::is_empty(folder()));
}

void TestLibrary::refuses_a_catalog_data()
{
    QTest::addColumn<QString>("damage");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("word");
    const int malformed = static_cast<int>(ErrorKind::Malformed);
    QTest::newRow("not a database") << "text" << malformed << "damaged";
    QTest::newRow("a torn header") << "header" << malformed << "damaged";
    QTest::newRow("pages overwritten") << "pages" << malformed << "damaged";
    QTest::newRow("cut off") << "cut" << malformed << "damaged";
    QTest::newRow("another program's database") << "foreign" << malformed << "not made by Imprint";
    QTest::newRow("a newer version") << "newer" << static_cast<int>(ErrorKind::Unsupported) << "newer Imprint";
}

void TestLibrary::refuses_a_catalog()
{
    QFETCH(QString, damage);
    QFETCH(int, kind);
    QFETCH(QString, word);
    const fs::path file = folder() / "catalog.sqlite";
    {
        Library library = writer();
        for (int i = 0; i < 50; ++i)
            library.put(entry(random_, "/m/" + std::to_string(i), media::Kind::Video, 20), kSpace, bank());
    }
    const auto size = fs::file_size(file);
    if (damage == "text") {
        std::ofstream(file, std::ios::trunc) << std::string(5000, 'x');
    } else if (damage == "header") {
        std::fstream(file, std::ios::in | std::ios::out).write("garbage!", 8);
    } else if (damage == "pages") {
        std::fstream stream(file, std::ios::in | std::ios::out);
        stream.seekp(100);  // keeps what identifies the file
        stream << std::string(size - 100, '\xa5');
    } else if (damage == "cut") {
        fs::resize_file(file, size / 3 / 4096 * 4096);
    } else {
        SQLite::Database database(file.native(), SQLite::OPEN_READWRITE);
        database.exec(damage == "newer" ? "PRAGMA user_version = 9999" : "PRAGMA application_id = 1");
    }
    std::ifstream before_stream(file, std::ios::binary);
    const std::string before{std::istreambuf_iterator<char>(before_stream), {}};
    for (const OpenMode mode : {OpenMode::ReadOnly, OpenMode::ReadWrite}) {
        const auto error = error_of([&] {
            Library library(folder(), mode);
            library.counts();
            library.files(0, 1000);
            if (const auto problems = library.check(); !problems.empty())
                throw Error(ErrorKind::Malformed, "check", "damaged: " + problems.front(), "-");
        });
        QVERIFY2(error.has_value(), "no error was thrown");
        QVERIFY2(static_cast<int>(error->kind()) == kind, error->what());
        QVERIFY2(QString::fromStdString(error->reason()).contains(word), error->what());
        QVERIFY(!error->remedy().empty());
    }
    std::ifstream after_stream(file, std::ios::binary);
    const std::string after{std::istreambuf_iterator<char>(after_stream), {}};
    QVERIFY2(before == after, "the damaged catalog was changed");
}

void TestLibrary::a_folder_without_rights_is_a_permission_error()
{
    writer();
    QVERIFY(::chmod(folder().c_str(), 0555) == 0);
    QVERIFY(::chmod((folder() / "catalog.sqlite").c_str(), 0444) == 0);
    QVERIFY(::chmod((folder() / "writer.lock").c_str(), 0444) == 0);
    QVERIFY(::chmod(folder_->path().toUtf8().constData(), 0755) == 0);
    const int child = start_self({"--write-as-nobody", folder().native()});
    const int status = wait_for(child);
    QVERIFY(::chmod(folder().c_str(), 0755) == 0);
    QCOMPARE(status, 10 + static_cast<int>(ErrorKind::Permission));
}

void TestLibrary::reads_a_library_in_a_folder_that_nobody_may_write()
{
    {
        Library library = writer();
        library.put(entry(random_, "/m/a"), kSpace, bank());
    }
    QVERIFY(::chmod(folder().c_str(), 0555) == 0);
    QVERIFY(::chmod((folder() / "catalog.sqlite").c_str(), 0444) == 0);
    QVERIFY(::chmod(folder_->path().toUtf8().constData(), 0755) == 0);
    const int child = start_self({"--count-as-nobody", folder().native()});
    const int status = wait_for(child);
    QVERIFY(::chmod(folder().c_str(), 0755) == 0);
    QCOMPARE(status, 1);
}

void TestLibrary::knows_where_wal_does_not_work()
{
    QVERIFY(wal_works_on(0xef53));       // ext4
    QVERIFY(wal_works_on(0x01021994));   // tmpfs
    QVERIFY(!wal_works_on(0x6969));      // NFS
    QVERIFY(!wal_works_on(static_cast<long>(int(0xff534d42))));  // CIFS, on systems where the type is a signed int
    QVERIFY(!wal_works_on(0x65735546));  // FUSE
}

void TestLibrary::finds_the_default_folder()
{
    qputenv("XDG_DATA_HOME", "/data");
    QCOMPARE(default_library_folder().native(), std::string("/data/imprint/library"));
    qputenv("XDG_DATA_HOME", "relative");
    qputenv("HOME", "/home/someone");
    QCOMPARE(default_library_folder().native(), std::string("/home/someone/.local/share/imprint/library"));
}

namespace {

/// Gives up root's rights where the test has them, so that permissions mean something.
void become_nobody()
{
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
        std::exit(99);
}

int child(const std::string& what, const std::string& folder)
{
    try {
        if (what == "--hold") {
            Library library(folder, OpenMode::ReadWrite);
            std::mt19937 random(1);
            library.put(entry(random, "/m/a"), kSpace, bank());
            std::cout << 'r' << std::flush;
            for (;;)
                ::pause();
        }
        become_nobody();
        if (what == "--count-as-nobody")
            return static_cast<int>(Library(folder, OpenMode::ReadOnly).counts().files);
        Library(folder, OpenMode::ReadWrite);
        return 0;
    } catch (const Error& error) {
        std::cerr << error.what() << '\n';
        return 10 + static_cast<int>(error.kind());
    }
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc == 3 && std::string(argv[1]).starts_with("--"))
        return child(argv[1], argv[2]);
    TestLibrary test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_library.moc"
