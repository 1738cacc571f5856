// SPDX-License-Identifier: Apache-2.0
// Everything that reads a checkpoint before torch sees it, on arbitrary bytes: the container, its metadata, the
// configuration and what follows from it. Whatever comes in, the answer is a whole reading or an Error that says so.
//
// An input that starts with '{' is a configuration; with 'H', the header of a container whose length fits; else a file.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/checkpoint_info.h"

using namespace imprint;
using namespace imprint::model;

namespace {

constexpr size_t kData = 4096;  // tensor bytes behind a header given alone

void read_configuration(const std::string& text)
{
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded())
        return;
    const ModelConfig config = config_from_json(json, "fuzz");
    IMPRINT_ASSERT(config_from_json(to_json(config), "fuzz") == config);
    // The table of a network of 256 layers has thousands of rows: one in reach of millions of runs is enough.
    if (config.layers > 8)
        return;
    int64_t encoder = 0;
    for (const auto& spec : parameter_specs(config)) {
        IMPRINT_ASSERT(spec.count() > 0);
        if (spec.name.rfind("encoder.", 0) == 0)
            encoder += spec.count();
    }
    IMPRINT_ASSERT(encoder == encoder_count(config).all);
}

void read_file(std::span<const std::byte> bytes)
{
    const SafetensorsFile file(bytes, "fuzz");
    size_t held = 0;
    for (const auto& [name, view] : file.tensors()) {
        IMPRINT_ASSERT(view.data.size() == static_cast<size_t>(view.count()) * dtype_size(view.dtype));
        IMPRINT_ASSERT(view.data.empty() || (view.data.data() > bytes.data() && &view.data.back() <= &bytes.back()));
        held += view.data.size();
        const bool floating =
            view.dtype == DType::F16 || view.dtype == DType::BF16 || view.dtype == DType::F32 || view.dtype == DType::F64;
        if (floating)
            IMPRINT_ASSERT(view.to_floats(name).size() == static_cast<size_t>(view.count()));
    }
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    IMPRINT_ASSERT(8 + header + held == bytes.size());
    const ModelConfig config = read_config(file);
    if (config.layers <= 8)
        IMPRINT_ASSERT(checkpoint_info(file).at("name") == config.name);
}

void read_header(const std::string& text)
{
    std::vector<std::byte> bytes(8 + text.size() + kData);
    const uint64_t size = text.size();
    std::memcpy(bytes.data(), &size, sizeof size);
    std::memcpy(bytes.data() + 8, text.data(), text.size());
    read_file(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    try {
        if (text.starts_with('{'))
            read_configuration(text);
        else if (text.starts_with('H'))
            read_header(text.substr(1));
        else
            read_file({reinterpret_cast<const std::byte*>(data), size});
    } catch (const Error& error) {
        IMPRINT_ASSERT(error.kind() == ErrorKind::Malformed || error.kind() == ErrorKind::Unsupported);
        IMPRINT_ASSERT(error.subject().find("fuzz") == 0 && !error.reason().empty());
    }
    return 0;
}
