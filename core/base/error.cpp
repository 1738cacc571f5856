// SPDX-License-Identifier: Apache-2.0
// Wording of errors and the mapping from errno.
#include "core/base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace imprint {
namespace {

std::string sentence(const std::string& subject, const std::string& reason, const std::string& remedy)
{
    std::string text = subject.empty() ? reason : subject + ": " + reason;
    if (!remedy.empty())
        text += ". " + remedy;
    return text;
}

ErrorKind kind_of(int error_number)
{
    switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS: return ErrorKind::Permission;
    case ENOENT:
    case ENOTDIR: return ErrorKind::NotFound;
    case ENOSPC:
    case EFBIG:
    case EDQUOT: return ErrorKind::DiskFull;
    case EBUSY:
    case EAGAIN: return ErrorKind::Busy;
    case ENOMEM:
    case EMFILE:
    case ENFILE: return ErrorKind::LimitExceeded;
    default: return ErrorKind::Io;
    }
}

}  // namespace

const char* error_kind_name(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Usage: return "usage";
    case ErrorKind::NotFound: return "not-found";
    case ErrorKind::Permission: return "permission";
    case ErrorKind::Unsupported: return "unsupported";
    case ErrorKind::Malformed: return "malformed";
    case ErrorKind::LimitExceeded: return "limit-exceeded";
    case ErrorKind::Busy: return "busy";
    case ErrorKind::DiskFull: return "disk-full";
    case ErrorKind::Cancelled: return "cancelled";
    case ErrorKind::Crashed: return "crashed";
    case ErrorKind::Io: return "io";
    }
    return "io";
}

Error::Error(ErrorKind kind, std::string subject, std::string reason, std::string remedy)
    : std::runtime_error(sentence(subject, reason, remedy)),
      kind_(kind),
      subject_(std::move(subject)),
      reason_(std::move(reason)),
      remedy_(std::move(remedy))
{
}

void throw_errno(int error_number, const std::string& subject, const std::string& action)
{
    throw Error(kind_of(error_number), subject, "cannot " + action + " (" + std::strerror(error_number) + ")");
}

void assertion_failed(const char* expression, const char* file, int line)
{
    std::fprintf(stderr, "imprint: internal error at %s:%d: %s\n", file, line, expression);
    std::abort();
}

}  // namespace imprint
