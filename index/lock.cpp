// SPDX-License-Identifier: Apache-2.0
// flock() on a file that also says who holds it.
#include "index/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/error.h"

namespace imprint::index {
namespace {

/// "imprint (process 4711)", or "another program" while the holder has not yet written its name.
std::string holder(int descriptor)
{
    char text[128] = {};
    const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
    const std::string line(text, size > 0 ? ::strcspn(text, "\n") : 0);
    const size_t space = line.find(' ');
    if (space == std::string::npos)
        return "another program";
    return line.substr(space + 1) + " (process " + line.substr(0, space) + ")";
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& folder)
{
    const std::filesystem::path file = folder / "writer.lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor_ < 0)
        throw_errno(errno, folder.native(), "open the library for writing");
    int locked = 0;
    do
        locked = ::flock(descriptor_, LOCK_EX | LOCK_NB);
    while (locked != 0 && errno == EINTR);
    if (locked != 0) {
        const int why = errno;
        const std::string who = holder(descriptor_);
        ::close(descriptor_);
        if (why == EWOULDBLOCK)
            throw Error(ErrorKind::Busy, folder.native(), "the library is being written by " + who,
                        "Wait until it is done, or stop it");
        throw_errno(why, folder.native(), "lock the library for writing");
    }
    const std::string me = std::to_string(::getpid()) + " " + program_invocation_short_name + "\n";
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, me.data(), me.size(), 0) != ssize_t(me.size())) {
        const int why = errno;
        ::close(descriptor_);
        throw_errno(why, folder.native(), "write the library's lock");
    }
}

WriterLock::~WriterLock()
{
    ::close(descriptor_);
}

}  // namespace imprint::index
