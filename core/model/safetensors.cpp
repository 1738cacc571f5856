// SPDX-License-Identifier: Apache-2.0
// Reading and writing safetensors, with every way a file can lie checked on the way in.
#include "core/model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::model {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr size_t kMaxSides = 32;

struct DTypeRow {
    DType dtype;
    const char* name;
    size_t size;
};
constexpr DTypeRow kDTypes[] = {{DType::Bool, "BOOL", 1}, {DType::U8, "U8", 1},   {DType::I8, "I8", 1},
                                {DType::I16, "I16", 2},   {DType::I32, "I32", 4}, {DType::I64, "I64", 8},
                                {DType::F16, "F16", 2},   {DType::BF16, "BF16", 2}, {DType::F32, "F32", 4},
                                {DType::F64, "F64", 8}};

[[noreturn]] void malformed(const std::string& subject, const std::string& reason)
{
    throw Error(ErrorKind::Malformed, subject, reason, "The file is incomplete or damaged; get it again");
}

// nlohmann keeps the last of two equal keys without a word; a file with two tensors of one name must be refused.
nlohmann::json parse_header(std::string_view text, const std::string& subject)
{
    std::vector<std::set<std::string>> keys;
    std::optional<std::string> duplicate;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        using Event = nlohmann::json::parse_event_t;
        if (depth > 4)
            malformed(subject, "header is nested too deeply");
        if (event == Event::object_start)
            keys.emplace_back();
        else if (event == Event::object_end)
            keys.pop_back();
        else if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
            duplicate = value.get<std::string>();
        return true;
    };
    // The parser takes a zero byte for the end of its input: what follows it would go unread.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)
        malformed(subject, "header has a zero byte at " + std::to_string(zero));
    nlohmann::json header;
    try {
        header = nlohmann::json::parse(text, watch);
    } catch (const nlohmann::json::exception& e) {
        malformed(subject, std::string("header is not JSON in UTF-8 (") + e.what() + ")");
    }
    if (duplicate)
        malformed(subject, "header names \"" + *duplicate + "\" twice");
    if (!header.is_object())
        malformed(subject, "header is not a JSON object");
    return header;
}

TensorView parse_entry(const std::string& name, const nlohmann::json& entry, std::span<const std::byte> data,
                       const std::string& subject)
{
    const std::string what = "tensor \"" + name + "\"";
    TensorView view;
    uint64_t begin = 0, end = 0;
    try {
        const auto dtype = entry.at("dtype").get<std::string>();
        const auto row = std::find_if(std::begin(kDTypes), std::end(kDTypes), [&](const auto& r) { return dtype == r.name; });
        if (row == std::end(kDTypes))
            malformed(subject, what + " has the unknown dtype " + dtype);
        view.dtype = row->dtype;
        const auto& shape = entry.at("shape");
        if (!shape.is_array() || shape.size() > kMaxSides)  // a loop over a number or an object would work too
            malformed(subject, what + " has a shape that is no list of up to " + std::to_string(kMaxSides) + " sides");
        for (const auto& side : shape) {
            if (!side.is_number_unsigned())
                malformed(subject, what + " has a side that is no whole number");
            view.shape.push_back(side.get<int64_t>());
        }
        const auto& offsets = entry.at("data_offsets");
        if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
            malformed(subject, what + " has no two offsets");
        begin = offsets[0].get<uint64_t>();
        end = offsets[1].get<uint64_t>();
    } catch (const nlohmann::json::exception&) {
        malformed(subject, what + " lacks dtype, shape or data_offsets");
    }
    if (begin > end || end > data.size())
        malformed(subject, what + " lies at " + std::to_string(begin) + " … " + std::to_string(end) + " of "
                               + std::to_string(data.size()) + " data bytes");
    uint64_t size = dtype_size(view.dtype);
    for (const int64_t side : view.shape) {
        if (side < 0 || (side > 0 && size > (uint64_t{1} << 60) / static_cast<uint64_t>(side)))
            malformed(subject, what + " has an impossible shape");
        size *= static_cast<uint64_t>(side);
    }
    if (size != end - begin)
        malformed(subject, what + " needs " + std::to_string(size) + " bytes by its shape and has "
                               + std::to_string(end - begin));
    view.data = data.subspan(begin, end - begin);
    return view;
}

void check_layout(const std::map<std::string, TensorView>& tensors, std::span<const std::byte> data, const std::string& subject)
{
    struct Span {
        const std::byte *begin, *end;
        const std::string* name;
    };
    std::vector<Span> spans;
    for (const auto& [name, view] : tensors)
        spans.push_back({view.data.data(), view.data.data() + view.data.size(), &name});
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    const std::byte* expected = data.data();
    std::string before = "the start";
    for (const auto& [begin, end, name] : spans) {
        if (begin != expected)
            malformed(subject, before + " and tensor \"" + *name + (begin < expected ? "\" overlap" : "\" leave a gap")
                                   + " at data byte " + std::to_string(std::min(begin, expected) - data.data()));
        expected = end;
        before = "tensor \"" + *name + "\"";
    }
    if (expected != data.data() + data.size())
        malformed(subject, std::to_string(data.data() + data.size() - expected) + " bytes follow the last tensor");
}

class File {
public:
    explicit File(int fd) : fd_(fd) {}
    ~File()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

void write_all(int fd, const void* data, size_t size, const std::string& subject)
{
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(fd, bytes, size);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            throw_errno(errno, subject, "write");
        }
        bytes += written;
        size -= static_cast<size_t>(written);
    }
}

}  // namespace

const char* dtype_name(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }
size_t dtype_size(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].size; }

int64_t TensorView::count() const
{
    int64_t n = 1;
    for (const int64_t side : shape)
        n *= side;
    return n;
}

std::vector<float> TensorView::to_floats(const std::string& subject) const
{
    std::vector<float> out(static_cast<size_t>(count()));
    const auto read = [&]<typename Raw>(Raw, auto&& convert) {
        for (size_t i = 0; i < out.size(); ++i) {
            Raw raw;
            std::memcpy(&raw, data.data() + i * sizeof raw, sizeof raw);
            out[i] = convert(raw);
        }
    };
    switch (dtype) {
    case DType::F32: read(float{}, [](float v) { return v; }); break;
    case DType::F64: read(double{}, [](double v) { return static_cast<float>(v); }); break;
    case DType::F16: read(uint16_t{}, half_to_float); break;
    case DType::BF16: read(uint16_t{}, bfloat_to_float); break;
    default: malformed(subject, std::string("holds ") + dtype_name(dtype) + " where numbers with a point are wanted");
    }
    return out;
}

void SafetensorsFile::parse(const std::string& subject)
{
    if (bytes_.size() < 8)
        malformed(subject, "is " + std::to_string(bytes_.size()) + " bytes long, too short for a checkpoint");
    uint64_t header_size = 0;
    std::memcpy(&header_size, bytes_.data(), 8);
    if (header_size > kMaxHeader || header_size > bytes_.size() - 8)
        malformed(subject, "announces a header of " + std::to_string(header_size) + " bytes and has "
                               + std::to_string(bytes_.size() - 8) + " after the length");
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + 8, header_size);
    const auto data = bytes_.subspan(8 + header_size);
    const auto header = parse_header(text, subject);
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") {
            if (!entry.is_object())
                malformed(subject, "metadata is not an object");
            for (const auto& [key, value] : entry.items()) {
                if (!value.is_string())
                    malformed(subject, "metadata \"" + key + "\" is not a string");
                metadata_[key] = value.get<std::string>();
            }
        } else {
            tensors_[name] = parse_entry(name, entry, data, subject);
        }
    }
    check_layout(tensors_, data, subject);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path)
{
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0)
        throw_errno(errno, path.string(), "open the checkpoint");
    struct stat info {};
    if (::fstat(file.get(), &info) != 0)
        throw_errno(errno, path.string(), "read");
    if (!S_ISREG(info.st_mode))
        throw Error(ErrorKind::Unsupported, path.string(), "is not a regular file");
    const auto size = static_cast<size_t>(info.st_size);
    if (size > 0) {
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
        if (address == MAP_FAILED)
            throw_errno(errno, path.string(), "map");
        mapping_ = std::shared_ptr<const void>(address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
        bytes_ = {static_cast<const std::byte*>(address), size};
    }
    parse(path.string());
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, const std::string& subject) : path_(subject), bytes_(bytes)
{
    parse(subject);
}

const TensorView& SafetensorsFile::at(const std::string& name) const
{
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
        malformed(path_.string(), "lacks the tensor \"" + name + "\"");
    return found->second;
}

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       const std::vector<std::pair<std::string, TensorView>>& tensors)
{
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty())
        header["__metadata__"] = metadata;
    uint64_t offset = 0;
    for (const auto& [name, view] : tensors) {
        IMPRINT_ASSERT(view.data.size() == static_cast<size_t>(view.count()) * dtype_size(view.dtype));
        IMPRINT_ASSERT(!header.contains(name));
        header[name] = {{"dtype", dtype_name(view.dtype)},
                        {"shape", view.shape},
                        {"data_offsets", {offset, offset + view.data.size()}}};
        offset += view.data.size();
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');  // tensors start aligned for readers that map the file

    const auto temporary = path.string() + ".tmp" + std::to_string(::getpid());
    try {
        const File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (file.get() < 0)
            throw_errno(errno, temporary, "create");
        const uint64_t size = text.size();
        write_all(file.get(), &size, sizeof size, temporary);
        write_all(file.get(), text.data(), text.size(), temporary);
        for (const auto& [name, view] : tensors)
            write_all(file.get(), view.data.data(), view.data.size(), temporary);
        if (::fsync(file.get()) != 0)
            throw_errno(errno, temporary, "sync");
        if (::rename(temporary.c_str(), path.c_str()) != 0)
            throw_errno(errno, path.string(), "replace");
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

float half_to_float(uint16_t bits)
{
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const uint32_t exponent = (bits >> 10) & 0x1fu;
    const uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0)
        return std::copysign(static_cast<float>(fraction) * 0x1p-24f, sign ? -1.0f : 1.0f);
    const uint32_t wide = exponent == 31 ? sign | 0x7f800000u | (fraction << 13)
                                         : sign | ((exponent + 112) << 23) | (fraction << 13);
    return std::bit_cast<float>(wide);
}

uint16_t float_to_half(float value)
{
    const auto bits = std::bit_cast<uint32_t>(value);
    const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude >= 0x7f800000u)
        return static_cast<uint16_t>(sign | (magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u));
    if (magnitude >= 0x477ff000u)  // rounds to 65536 or more
        return static_cast<uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {  // subnormal in half precision
        const float scaled = std::bit_cast<float>(magnitude) * 0x1p24f;
        return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(scaled)));
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace imprint::model
