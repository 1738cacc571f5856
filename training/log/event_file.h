// SPDX-License-Identifier: Apache-2.0
// TensorBoard event files, written without a protobuf library: records of (length, masked CRC, Event message, masked CRC).
// Formats: TensorFlow's record_writer.cc, event.proto, summary.proto, tensor.proto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace imprint::training {

/// CRC-32C (Castagnoli), as in RFC 3720.
uint32_t crc32c(std::string_view bytes);
/// As records store it, so that the sum of bytes that hold sums stays meaningful: rotated right by 15, plus 0xa282ead8.
uint32_t masked_crc32c(std::string_view bytes);
/// One record around a message.
std::string event_record(std::string_view message);

/// One event file of a run, `events.out.tfevents.<seconds>.<pid>.imprint`, for one thread at a time. Times are seconds since
/// 1970. Every call is on disk (but not synced) when it returns; a record that a crash has torn is skipped by readers.
/// Throws Error(DiskFull, Permission, Io) naming the file.
class EventFile {
public:
    /// Starts a new file in `folder`, which is made. What earlier files of the folder say of steps from `first_step` on is
    /// declared void, as a resumed run does those steps again.
    EventFile(const std::filesystem::path& folder, int64_t first_step, double wall_time);

    using Scalar = std::pair<std::string, double>;  ///< tag ("loss/picture-text") and value
    void scalars(int64_t step, std::span<const Scalar> values, double wall_time);
    /// Shown under TensorBoard's "Text"; Markdown.
    void text(int64_t step, std::string_view tag, std::string_view markdown, double wall_time);

    const std::filesystem::path& path() const { return path_; }

private:
    void write(std::string_view message);

    std::filesystem::path path_;
    std::ofstream out_;
};

}  // namespace imprint::training
