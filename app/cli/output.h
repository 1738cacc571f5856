// SPDX-License-Identifier: Apache-2.0
// How results are written: JSON that never fails on a name, times, names on a terminal, NumPy files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/jobs/jobs.h"
#include "app/jobs/path_json.h"

namespace imprint::cli {

using jobs::Json;
using jobs::put_path;

/// Writes one document to standard output; text that is not UTF-8 is written with U+FFFD.
void print_json(const Json& document);

/// A name or message for a terminal: control characters (which could steer it) become '?'; other bytes stay.
std::string printable(const std::string& text);

/// "1:05" or "1:02:05"; tenths only where `fine`.
std::string clock_time(double seconds, bool fine = false);
std::string clock_span(const index::Moment& moment);

Json failures_json(const std::vector<index::Failure>& failures);
void print_failures(const std::vector<index::Failure>& failures);

/// The message of an error or any other exception, with the program's name, to standard error.
void print_problem(const std::string& message);

/// Writes a text file, to a temporary name first; to standard output where no name is given. Throws Error.
void write_text(const std::filesystem::path& out, const std::string& text);

/// Writes [rows, dim] little-endian float32 in NumPy's format, to a temporary name first. Throws Error.
void write_npy(const std::filesystem::path& file, const Vectors& vectors);

}  // namespace imprint::cli
