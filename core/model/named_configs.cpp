// SPDX-License-Identifier: Apache-2.0
// Sizes and settings: imp_method.md sections 1.2, 1.3, 1.6, 1.7 and 2.
#include "core/model/named_configs.h"

#include "core/base/error.h"

namespace imprint::model {
namespace {

struct Size {
    const char* name;
    int layers, width, ffn_width, heads;
    int experts;  // 0: dense
};

constexpr Size kSizes[] = {
    {"imp-s", 12, 384, 1536, 6, 0},       {"imp-b", 12, 768, 3072, 12, 0},       {"imp-m", 12, 1024, 4096, 16, 0},
    {"imp-l", 24, 1024, 4096, 16, 0},     {"imp-xl", 24, 1536, 4096, 24, 0},     {"imp-xxl", 32, 1536, 4096, 24, 0},
    {"imp-h", 32, 1536, 8192, 24, 0},     {"imp-xh", 32, 2048, 8192, 32, 0},     {"imp-moe-s", 12, 384, 1536, 6, 4},
    {"imp-moe-b", 12, 768, 3072, 12, 16}, {"imp-moe-l", 24, 1024, 4096, 16, 16},
};

ModelConfig parity(const Size& size)
{
    ModelConfig c;
    c.name = size.name;
    c.width = size.width;
    c.layers = size.layers;
    c.heads = size.heads;
    c.ffn_width = size.ffn_width;
    const bool sparse = size.experts > 0;
    c.qk_norm = sparse;
    c.sparse_layers = sparse ? 6 : 0;
    c.experts = sparse ? size.experts : 1;
    c.min_capacity = 0;
    c.routing_group = RoutingGroup::Batch;
    c.common_space = CommonSpace::Disjoint;
    c.head_width = c.joint_dim = 1024;
    c.temperature = sparse ? 1.0 : 0.2;
    c.vision_stem = VisionStem::Patch;
    c.max_frames = 16;
    c.picture_sizes = {{256, 256}, {128, 128}};
    c.hop = 1024;
    c.sound_time_by_share = true;
    c.standardise_sound = false;
    c.waveform = true;
    c.vocabulary = 32100;
    c.max_text_tokens = 256;
    c.text_rows = 4096;
    c.scale_text = false;
    c.target_classifier = true;
    return c;
}

}  // namespace

std::vector<std::string> config_names()
{
    std::vector<std::string> names = {"imprint-small"};
    for (const auto& size : kSizes)
        names.emplace_back(size.name);
    return names;
}

ModelConfig named_config(const std::string& name)
{
    if (name == "imprint-small")
        return {};
    for (const auto& size : kSizes)
        if (name == size.name)
            return parity(size);
    std::string names;
    for (const auto& known : config_names())
        names += (names.empty() ? "" : ", ") + known;
    throw Error(ErrorKind::Usage, name, "is no configuration", "Use one of: " + names);
}

}  // namespace imprint::model
