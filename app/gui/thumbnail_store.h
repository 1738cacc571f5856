// SPDX-License-Identifier: Apache-2.0
// The thumbnails that this desktop's programs share (freedesktop.org, Thumbnail Managing Standard 0.9): what a file manager
// has made is not made again, and a file whose disk is away can still be seen.
#pragma once

#include <QImage>
#include <filesystem>

namespace imprint::gui {

/// Any thread. Nothing here fails loudly: a store that cannot be read or written costs time only.
class ThumbnailStore {
public:
    /// `folder` empty: $XDG_CACHE_HOME/thumbnails, else ~/.cache/thumbnails.
    explicit ThumbnailStore(std::filesystem::path folder = {});

    /// The kept thumbnail of a file as it is now, at least `side` pixels on its longer side if the file is; null without one.
    QImage read(const std::filesystem::path& file, int side) const;
    /// The largest one of a file that cannot be looked at any more.
    QImage read_of_missing(const std::filesystem::path& file) const;
    /// Keeps a picture of the file, shrunk to the standard's size for `side` where it is larger.
    void write(const std::filesystem::path& file, int side, const QImage& picture) const;

    /// file:// and the path's bytes, escaped as GLib does it: the standard hashes this text.
    static QByteArray uri_of(const std::filesystem::path& file);

private:
    std::filesystem::path place(const std::filesystem::path& file, int size_class) const;

    std::filesystem::path folder_;
};

}  // namespace imprint::gui
