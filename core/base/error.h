// SPDX-License-Identifier: Apache-2.0
// The one error type: what failed, on what, why, and what to do next.
#pragma once

#include <stdexcept>
#include <string>

namespace imprint {

/// What kind of thing went wrong; decides exit codes and whether a batch goes on.
enum class ErrorKind {
    Usage,        ///< the caller asked for something that makes no sense
    NotFound,     ///< a file, folder, library or model is missing
    Permission,   ///< the system refused access
    Unsupported,  ///< a format, codec or option this build does not read
    Malformed,    ///< the bytes are damaged or lie about themselves
    LimitExceeded,///< pixels, duration, memory or time over the limit
    Busy,         ///< another program holds what is needed
    DiskFull,     ///< no room to write
    Cancelled,    ///< the caller asked to stop
    Crashed,      ///< a decoder process died or hung
    Io,           ///< any other failure of the system
};

/// A short stable word for a kind ("malformed", "limit-exceeded", …), used in JSON and the catalog.
const char* error_kind_name(ErrorKind kind);

/// Thrown for what users and files do wrong. `what()` reads "<subject>: <reason>. <remedy>".
/// Programming mistakes do not throw this: they assert.
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, std::string subject, std::string reason, std::string remedy = {});

    ErrorKind kind() const { return kind_; }
    const std::string& subject() const { return subject_; }  ///< the file, row, field or option concerned
    const std::string& reason() const { return reason_; }    ///< why, in one clause without a full stop
    const std::string& remedy() const { return remedy_; }    ///< what to do next; may be empty

private:
    ErrorKind kind_;
    std::string subject_, reason_, remedy_;
};

/// Throws the Error that fits the given errno (EACCES → Permission, ENOSPC → DiskFull, …).
[[noreturn]] void throw_errno(int error_number, const std::string& subject, const std::string& action);

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace imprint

/// For our own mistakes: always on, aborts with the place.
#define IMPRINT_ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::imprint::assertion_failed(#expression, __FILE__, __LINE__))
