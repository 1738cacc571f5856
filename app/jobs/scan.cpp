// SPDX-License-Identifier: Apache-2.0
// Walking folders by bytes, with every refusal of the system kept as a finding.
#include "app/jobs/scan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <unordered_set>

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

constexpr auto kMediaExtensions = std::to_array<std::string_view>(
    {// stills
     "apng", "avif", "bmp", "cr2", "cr3", "dib", "dng", "gif", "heic", "heif", "j2k", "jfif", "jp2", "jpe", "jpeg", "jpg", "jxl",
     "nef", "arw", "orf", "pbm", "pgm", "png", "pnm", "ppm", "raf", "rw2", "tif", "tiff", "webp",
     // video
     "3g2", "3gp", "asf", "avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "vob", "webm",
     "wmv",
     // sound
     "aac", "ac3", "aif", "aifc", "aiff", "amr", "au", "caf", "flac", "m4a", "mka", "mp3", "oga", "ogg", "opus", "rf64", "w64",
     "wav", "wave", "wma"});

int64_t now_seconds()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

index::FileFacts facts_of(const fs::path& path, const struct stat& status)
{
    return {path, status.st_size, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec, status.st_ino, status.st_dev};
}

class Walker {
public:
    Walker(fs::path skip, const std::function<void(int64_t)>& found, const CancelToken& cancel)
        : skip_(std::move(skip)), found_(found), cancel_(cancel)
    {
    }

    void visit(const fs::path& path, bool named)
    {
        cancel_.check();
        if (path == skip_ || !visited_.insert(path.native()).second)
            return;
        struct stat status { };
        if (::lstat(path.c_str(), &status) != 0) {
            refuse(path, {path}, errno, "look at");
            return;
        }
        const index::FileFacts facts = facts_of(path, status);
        if (S_ISDIR(status.st_mode))
            visit_folder(path, facts);
        else if (S_ISLNK(status.st_mode))
            visit_link(path, facts);
        else if (!S_ISREG(status.st_mode))
            refuse(facts, ErrorKind::Unsupported, std::string("is ") + type_name(status.st_mode) + ", not a regular file");
        else
            visit_file(path, facts, named);
    }

    Scan result;

private:
    static const char* type_name(mode_t mode)
    {
        if (S_ISFIFO(mode))
            return "a FIFO";
        if (S_ISSOCK(mode))
            return "a socket";
        return "a device";
    }

    void refuse(const index::FileFacts& facts, ErrorKind kind, const std::string& reason)
    {
        result.refused.push_back({facts, {facts.path, error_kind_name(kind), reason, now_seconds()}});
    }

    void refuse(const fs::path& path, index::FileFacts facts, int error_number, const std::string& action)
    {
        try {
            throw_errno(error_number, path.native(), action);
        } catch (const Error& error) {
            refuse(facts, error.kind(), error.reason());
        }
    }

    void visit_folder(const fs::path& path, const index::FileFacts& facts)
    {
        std::vector<fs::path> entries;
        std::error_code failure;
        fs::directory_iterator entry(path, failure);
        for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
            if (!entry->path().filename().native().starts_with('.'))
                entries.push_back(entry->path());
            cancel_.check();
        }
        if (failure) {
            result.unreadable.push_back(path);
            refuse(path, facts, failure.value(), "list this folder");
        }
        std::sort(entries.begin(), entries.end());
        for (const fs::path& child : entries)
            visit(child, false);
    }

    void visit_link(const fs::path& path, const index::FileFacts& facts)
    {
        struct stat target { };
        if (::stat(path.c_str(), &target) != 0)
            refuse(facts, ErrorKind::NotFound, std::string("is a link that leads nowhere (") + std::strerror(errno) + ")");
        else
            ++result.links;
    }

    void visit_file(const fs::path& path, const index::FileFacts& facts, bool named)
    {
        const bool certain = named || has_media_extension(path);
        if (facts.size == 0 && !certain)
            return;
        if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
            refuse(path, facts, errno, "read this file");
            return;
        }
        result.files.emplace_back(facts, certain);
        if (found_)
            found_(static_cast<int64_t>(result.files.size()));
    }

    const fs::path skip_;
    const std::function<void(int64_t)>& found_;
    const CancelToken& cancel_;
    std::unordered_set<std::string> visited_;
};

}  // namespace

bool has_media_extension(const fs::path& file)
{
    std::string extension = file.extension().native();
    if (extension.empty())
        return false;
    extension.erase(0, 1);
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::find(kMediaExtensions.begin(), kMediaExtensions.end(), extension) != kMediaExtensions.end();
}

fs::path catalog_path(const fs::path& path)
{
    std::error_code failure;
    fs::path resolved = fs::canonical(path, failure);
    if (failure)
        resolved = fs::absolute(path).lexically_normal();
    if (resolved.has_relative_path() && !resolved.has_filename())
        resolved = resolved.parent_path();
    return resolved;
}

bool lies_below(std::string_view inner, std::string_view outer)
{
    if (!inner.starts_with(outer))
        return false;
    return inner.size() == outer.size() || outer.ends_with('/') || inner[outer.size()] == '/';
}

Scan scan(const std::vector<fs::path>& paths, const fs::path& skip, const std::function<void(int64_t)>& found,
          const CancelToken& cancel)
{
    Walker walker(skip, found, cancel);
    for (const fs::path& path : paths)
        walker.visit(path, true);
    return std::move(walker.result);
}

}  // namespace imprint::jobs
