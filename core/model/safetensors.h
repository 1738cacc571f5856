// SPDX-License-Identifier: Apache-2.0
// The safetensors container: an 8-byte length, a JSON header, then tensors without gaps. Free of torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace imprint::model {

enum class DType { Bool, U8, I8, I16, I32, I64, F16, BF16, F32, F64 };
const char* dtype_name(DType dtype);  ///< as in the header: "F32", …
size_t dtype_size(DType dtype);

/// A tensor in row-major order; the bytes belong to somebody else.
struct TensorView {
    DType dtype = DType::F32;
    std::vector<int64_t> shape;
    std::span<const std::byte> data;

    int64_t count() const;
    /// The values as float, converted from F16, BF16, F32 or F64 (Error(Malformed) for others, naming `subject`).
    std::vector<float> to_floats(const std::string& subject) const;
};

/// A file mapped read-only; views stay valid while the object (or a copy of its shared mapping) lives.
/// Opening checks everything before any tensor is handed out and throws Error(Malformed) that says what and where:
/// truncated, header too long or not UTF-8, duplicate names, unknown dtype, size unlike shape, overlap, gap, bytes left over.
/// Where the published format leaves room (sides of a tensor, depth of the header) the limits are those of sane files.
class SafetensorsFile {
public:
    explicit SafetensorsFile(const std::filesystem::path& path);
    /// The same over a file already in memory; the bytes belong to the caller and `subject` stands for the path.
    SafetensorsFile(std::span<const std::byte> bytes, const std::string& subject);

    const std::filesystem::path& path() const { return path_; }
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    const std::map<std::string, TensorView>& tensors() const { return tensors_; }
    bool contains(const std::string& name) const { return tensors_.count(name) != 0; }
    /// Error(Malformed) naming file and tensor when it is missing.
    const TensorView& at(const std::string& name) const;
    std::span<const std::byte> bytes() const { return bytes_; }  ///< the whole file

private:
    void parse(const std::string& subject);

    std::filesystem::path path_;
    std::shared_ptr<const void> mapping_;
    std::span<const std::byte> bytes_;
    std::map<std::string, std::string> metadata_;
    std::map<std::string, TensorView> tensors_;
};

/// Writes to a temporary name beside `path`, syncs and renames: a reader sees the old file or the new one, whole.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       const std::vector<std::pair<std::string, TensorView>>& tensors);

float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);  ///< round to nearest even
inline float bfloat_to_float(uint16_t bits)
{
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    static_assert(sizeof value == sizeof wide);
    __builtin_memcpy(&value, &wide, sizeof value);
    return value;
}

}  // namespace imprint::model
