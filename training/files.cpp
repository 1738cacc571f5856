// SPDX-License-Identifier: Apache-2.0
#include "training/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/error.h"

namespace imprint::training {
namespace {

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags, const char* action)
        : value_(::open(path.c_str(), flags | O_CLOEXEC, 0644))
    {
        if (value_ < 0)
            throw_errno(errno, path.string(), action);
    }
    ~Descriptor() { ::close(value_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

private:
    int value_;
};

void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            throw_errno(written < 0 ? errno : ENOSPC, path.string(), "write");
        bytes.remove_prefix(static_cast<size_t>(written));
    }
}

}  // namespace

void write_file_synced(const std::filesystem::path& path, std::string_view bytes)
{
    const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC, "create");
    write_all(file.get(), bytes, path);
    if (::fsync(file.get()) != 0)
        throw_errno(errno, path.string(), "sync");
}

void sync_folder(const std::filesystem::path& folder)
{
    const Descriptor file(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY, "open");
    // Some network file systems have no sync of folders, and need none.
    if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
        throw_errno(errno, folder.string(), "sync");
}

FolderLock::FolderLock(const std::filesystem::path& folder)
{
    const std::filesystem::path path = folder / "lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor_ < 0)
        throw_errno(errno, path.string(), "open");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const int why = errno;
        char holder[128] = {};
        const ssize_t size = ::pread(descriptor_, holder, sizeof holder - 1, 0);
        ::close(descriptor_);
        if (why != EWOULDBLOCK)
            throw_errno(why, path.string(), "lock");
        const std::string who(holder, size > 0 ? ::strcspn(holder, "\n") : 0);
        throw Error(ErrorKind::Busy, folder.string(), "another program is working on it" + (who.empty() ? "" : " (" + who + ")"),
                    "Wait until it is done, or stop it");
    }
    char host[64] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string me = "process " + std::to_string(::getpid()) + " on " + host + "\n";
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, me.data(), me.size(), 0) != static_cast<ssize_t>(me.size())) {
        const int why = errno;
        ::close(descriptor_);
        throw_errno(why, path.string(), "write");
    }
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace imprint::training
