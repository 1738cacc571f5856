// SPDX-License-Identifier: Apache-2.0
// PNG files named by the MD5 of the file's URI, with the URI and the time of change inside.
#include "app/gui/thumbnail_store.h"

#include <QCryptographicHash>
#include <QImageReader>
#include <QSaveFile>
#include <QStandardPaths>
#include <sys/stat.h>

#include <array>
#include <string_view>

namespace imprint::gui {
namespace fs = std::filesystem;
namespace {

struct SizeClass {
    const char* folder;
    int side;
};
constexpr std::array<SizeClass, 4> size_classes{{{"normal", 128}, {"large", 256}, {"x-large", 512}, {"xx-large", 1024}}};

/// The first class that holds `side` pixels; past the last one there is none.
int class_for(int side)
{
    int i = 0;
    while (i < static_cast<int>(size_classes.size()) && size_classes[static_cast<size_t>(i)].side < side)
        ++i;
    return i;
}

QString time_of_change(const fs::path& file)
{
    struct stat facts { };
    return ::stat(file.c_str(), &facts) == 0 ? QString::number(facts.st_mtim.tv_sec) : QString();
}

QImage load(const fs::path& place, const fs::path& file)
{
    QImageReader reader(QString::fromStdString(place.native()), "png");
    QImage image = reader.read();
    return image.text("Thumb::URI").toUtf8() == ThumbnailStore::uri_of(file) ? image : QImage();
}

}  // namespace

ThumbnailStore::ThumbnailStore(fs::path folder) : folder_(std::move(folder))
{
    if (folder_.empty())
        folder_ = QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation).toStdString() + "/thumbnails";
}

QByteArray ThumbnailStore::uri_of(const fs::path& file)
{
    static constexpr std::string_view plain = "!$&'()*+,-./:=@_~";
    QByteArray uri = "file://";
    for (const char c : file.native()) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        if (letter || plain.find(c) != plain.npos)
            uri += c;
        else
            uri += '%' + QByteArray(1, c).toHex().toUpper();
    }
    return uri;
}

fs::path ThumbnailStore::place(const fs::path& file, int size_class) const
{
    const QByteArray name = QCryptographicHash::hash(uri_of(file), QCryptographicHash::Md5).toHex() + ".png";
    return folder_ / size_classes[static_cast<size_t>(size_class)].folder / name.toStdString();
}

QImage ThumbnailStore::read(const fs::path& file, int side) const
{
    const QString changed = time_of_change(file);
    if (changed.isEmpty())
        return {};
    for (int i = class_for(side); i < static_cast<int>(size_classes.size()); ++i)
        if (const QImage image = load(place(file, i), file); !image.isNull() && image.text("Thumb::MTime") == changed)
            return image;
    return {};
}

QImage ThumbnailStore::read_of_missing(const fs::path& file) const
{
    for (int i = static_cast<int>(size_classes.size()) - 1; i >= 0; --i)
        if (const QImage image = load(place(file, i), file); !image.isNull())
            return image;
    return {};
}

void ThumbnailStore::write(const fs::path& file, int side, const QImage& picture) const
{
    const int size_class = class_for(side);
    const QString changed = time_of_change(file);
    // What is below the store is a thumbnail itself.
    if (picture.isNull() || changed.isEmpty() || size_class == static_cast<int>(size_classes.size())
        || file.native().starts_with(folder_.native()))
        return;
    const fs::path target = place(file, size_class);
    std::error_code failure;
    fs::create_directories(target.parent_path(), failure);
    for (const fs::path& folder : {folder_, target.parent_path()})
        fs::permissions(folder, fs::perms::owner_all, failure);
    const int most = size_classes[static_cast<size_t>(size_class)].side;
    QImage image = picture.width() > most || picture.height() > most
        ? picture.scaled(most, most, Qt::KeepAspectRatio, Qt::SmoothTransformation)
        : picture;
    image.setText("Thumb::URI", QString::fromLatin1(uri_of(file)));
    image.setText("Thumb::MTime", changed);
    image.setText("Software", "Imprint");
    QSaveFile out(QString::fromStdString(target.native()));  // a temporary name, then a rename, as the standard wants it
    if (!out.open(QIODevice::WriteOnly))
        return;
    out.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    if (image.save(&out, "png"))
        out.commit();
}

}  // namespace imprint::gui
