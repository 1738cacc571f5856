// SPDX-License-Identifier: Apache-2.0
// libarchive reads headers (ustar, pax, GNU) and unpacks; the content is then read by place.
#include "training/data/tar_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr size_t kBlock = 1 << 16;

struct Closer {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Closer>;

// Not "all": some of libarchive's filters start other programs.
void support_filters(archive* reader)
{
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
}

/// Names are UTF-8 in pax headers and plain bytes elsewhere; the program's locale must not decide which can be read.
std::string name_of(archive_entry* entry)
{
    const char* name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry);
    return name ? name : "";
}

std::string complaint(archive* reader)
{
    const char* text = archive_error_string(reader);
    return text ? text : "unknown damage";
}

void open_at_start(archive* reader, int descriptor, const std::string& subject)
{
    if (::lseek(descriptor, 0, SEEK_SET) != 0)
        throw_errno(errno, subject, "read the shard");
    if (archive_read_open_fd(reader, descriptor, kBlock) != ARCHIVE_OK)
        throw Error(ErrorKind::Malformed, subject, "is no archive that can be read (" + complaint(reader) + ")",
                    "Copy it anew, or leave it out");
}

int64_t size_of(int descriptor, const std::string& subject)
{
    struct stat status { };
    if (::fstat(descriptor, &status) != 0)
        throw_errno(errno, subject, "read the shard");
    return status.st_size;
}

bool compressed(int descriptor, const std::string& subject)
{
    const Reader reader(archive_read_new());
    support_filters(reader.get());
    archive_read_support_format_raw(reader.get());
    open_at_start(reader.get(), descriptor, subject);
    archive_entry* entry = nullptr;
    archive_read_next_header(reader.get(), &entry);  // filters are known once something was read
    return archive_filter_code(reader.get(), 0) != ARCHIVE_FILTER_NONE;
}

int unnamed_file(const std::string& subject)
{
    std::string name = (std::filesystem::temp_directory_path() / "imprint-shard-XXXXXX").string();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0)
        throw_errno(errno, subject, "unpack the shard in " + name);
    ::unlink(name.c_str());
    return descriptor;
}

/// Unpacks into a new descriptor and closes the old one.
void unpack(int& descriptor, const std::string& subject)
{
    const Reader reader(archive_read_new());
    support_filters(reader.get());
    archive_read_support_format_raw(reader.get());
    open_at_start(reader.get(), descriptor, subject);
    const int plain = unnamed_file(subject);
    const int packed = std::exchange(descriptor, plain);
    archive_entry* entry = nullptr;
    int result = archive_read_next_header(reader.get(), &entry);
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    int failure = 0;
    while (result == ARCHIVE_OK && !failure
           && (result = archive_read_data_block(reader.get(), &block, &size, &offset)) == ARCHIVE_OK)
        for (size_t done = 0; done < size && !failure;) {
            const ssize_t written =
                ::pwrite(plain, static_cast<const char*>(block) + done, size - done, offset + static_cast<off_t>(done));
            if (written < 0 && errno != EINTR)
                failure = errno;
            done += written > 0 ? static_cast<size_t>(written) : 0;
        }
    ::close(packed);
    if (failure)
        throw_errno(failure, subject, "unpack the shard in " + std::filesystem::temp_directory_path().string());
    if (result != ARCHIVE_EOF)
        throw Error(ErrorKind::Malformed, subject, "cannot be unpacked (" + complaint(reader.get()) + ")",
                    "Copy it anew, or leave it out");
}

}  // namespace

TarIndex::TarIndex(const std::filesystem::path& archive)
    : path_(archive), descriptor_(::open(archive.c_str(), O_RDONLY | O_CLOEXEC))
{
    if (descriptor_ < 0)
        throw_errno(errno, path_.string(), "open the shard");
    try {
        if (size_of(descriptor_, path_.string()) == 0)
            throw Error(ErrorKind::Malformed, path_.string(), "is empty", "Copy it anew, or leave it out");
        if (compressed(descriptor_, path_.string()))
            unpack(descriptor_, path_.string());
        index();
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

TarIndex::TarIndex(TarIndex&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), entries_(std::move(other.entries_))
{
}

TarIndex::~TarIndex()
{
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void TarIndex::index()
{
    const Reader reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    open_at_start(reader.get(), descriptor_, path_.string());
    const int64_t size = size_of(descriptor_, path_.string());
    const auto damaged = [&](const std::string& reason) {
        throw Error(ErrorKind::Malformed, path_.string(),
                    reason + "; " + std::to_string(entries_.size()) + " files before that are whole",
                    "Copy it anew, or leave it out");
    };
    archive_entry* entry = nullptr;
    int result = ARCHIVE_OK;
    while ((result = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
            continue;
        // Without filters, what the reader has consumed is the place where the content begins.
        Entry found{name_of(entry), archive_filter_bytes(reader.get(), 0), archive_entry_size(entry)};
        if (found.offset + found.size > size)
            damaged("is cut off inside \"" + found.path + "\"");
        entries_.push_back(std::move(found));
    }
    if (result != ARCHIVE_EOF)
        damaged("is damaged (" + complaint(reader.get()) + ")");
}

std::string TarIndex::read(const Entry& entry) const
{
    std::string content(static_cast<size_t>(entry.size), '\0');
    for (size_t done = 0; done < content.size();) {
        const ssize_t got =
            ::pread(descriptor_, content.data() + done, content.size() - done, entry.offset + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw_errno(errno, path_.string() + ": " + entry.path, "read the shard");
        if (got == 0)
            throw Error(ErrorKind::Malformed, path_.string() + ": " + entry.path, "has become shorter since it was opened",
                        "Leave shards alone while a run reads them");
        done += static_cast<size_t>(got);
    }
    return content;
}

}  // namespace imprint::training
