// SPDX-License-Identifier: Apache-2.0
// Messages by hand: a field is (number << 3 | wire type), then its value.
#include "training/log/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr std::array<uint32_t, 256> make_table()
{
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t sum = i;
        for (int bit = 0; bit < 8; ++bit)
            sum = sum & 1 ? sum >> 1 ^ 0x82f63b78u : sum >> 1;
        table[i] = sum;
    }
    return table;
}
constexpr auto kTable = make_table();

template <typename T>
std::string little_endian(T value)
{
    std::string bytes;
    for (size_t i = 0; i < sizeof value; ++i)
        bytes += static_cast<char>(value >> 8 * i & 0xff);
    return bytes;
}

std::string varint(uint64_t value)
{
    std::string bytes;
    for (; value >= 0x80; value >>= 7)
        bytes += static_cast<char>((value & 0x7f) | 0x80);
    return bytes + static_cast<char>(value);
}

enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
std::string key(uint32_t field, Wire wire) { return varint(field << 3 | wire); }

std::string integer(uint32_t field, int64_t value) { return key(field, kVarint) + varint(static_cast<uint64_t>(value)); }
std::string real64(uint32_t field, double value) { return key(field, kFixed64) + little_endian(std::bit_cast<uint64_t>(value)); }
std::string real32(uint32_t field, float value) { return key(field, kFixed32) + little_endian(std::bit_cast<uint32_t>(value)); }
std::string bytes(uint32_t field, std::string_view value)
{
    return key(field, kBytes) + varint(value.size()) + std::string(value);
}

// event.proto: Event.wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7.
std::string event(double wall_time, int64_t step, const std::string& what)
{
    return real64(1, wall_time) + integer(2, step) + what;
}

}  // namespace

uint32_t crc32c(std::string_view bytes)
{
    uint32_t sum = ~0u;
    for (const char byte : bytes)
        sum = kTable[(sum ^ static_cast<unsigned char>(byte)) & 0xff] ^ sum >> 8;
    return ~sum;
}

uint32_t masked_crc32c(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

std::string event_record(std::string_view message)
{
    const std::string length = little_endian(static_cast<uint64_t>(message.size()));
    return length + little_endian(masked_crc32c(length)) + std::string(message) + little_endian(masked_crc32c(message));
}

EventFile::EventFile(const std::filesystem::path& folder, int64_t first_step, double wall_time)
{
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure)
        throw_errno(failure.value(), folder.string(), "create the folder of the events");
    // Readers take files in the order of their names: the time leads, and a second start in one second gets its own file.
    const std::string stem = "events.out.tfevents." + std::to_string(static_cast<int64_t>(wall_time)) + ".";
    for (int64_t number = ::getpid();; ++number) {
        path_ = folder / (stem + std::to_string(number) + ".imprint");
        if (!std::filesystem::exists(path_, failure))
            break;
    }
    errno = 0;
    out_.open(path_, std::ios::binary);
    if (!out_)
        throw_errno(errno ? errno : EIO, path_.string(), "write the events");
    write(event(wall_time, 0, bytes(3, "brain.Event:2")));
    write(event(wall_time, first_step, bytes(7, integer(1, 1))));  // SessionLog.status = START
}

void EventFile::scalars(int64_t step, std::span<const Scalar> values, double wall_time)
{
    std::string summary;
    for (const auto& [tag, value] : values)  // Summary.value = 1; Value.tag = 1, simple_value = 2
        summary += bytes(1, bytes(1, tag) + real32(2, static_cast<float>(value)));
    write(event(wall_time, step, bytes(5, summary)));
}

void EventFile::text(int64_t step, std::string_view tag, std::string_view markdown, double wall_time)
{
    // Value.tensor = 8 (TensorProto: dtype = 1, DT_STRING = 7; tensor_shape = 2; string_val = 8), metadata = 9
    // (SummaryMetadata.plugin_data = 1; PluginData.plugin_name = 1).
    const std::string tensor = integer(1, 7) + bytes(2, "") + bytes(8, markdown);
    const std::string metadata = bytes(1, bytes(1, "text"));
    write(event(wall_time, step, bytes(5, bytes(1, bytes(1, tag) + bytes(8, tensor) + bytes(9, metadata)))));
}

void EventFile::write(std::string_view message)
{
    const std::string record = event_record(message);
    errno = 0;
    out_.write(record.data(), static_cast<std::streamsize>(record.size()));
    out_.flush();
    if (!out_)
        throw_errno(errno ? errno : EIO, path_.string(), "write the events");
}

}  // namespace imprint::training
