// SPDX-License-Identifier: Apache-2.0
// Random weights of a small text trunk, the same for the same seed.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/model/text_trunk.h"

namespace imprint::tests {

inline model::Parameters random_text_trunk(const model::ModelConfig& config, uint64_t seed)
{
    auto generator = at::detail::createCPUGenerator(seed);
    const int64_t width = config.text_trunk_width, wide = 2 * width;
    model::Parameters trunk;
    for (const auto& name : model::TextTrunk::parameter_names(config)) {
        const bool kernel = name.ends_with(".kernel"), scale = name.ends_with(".scale"),
                   in = name.find(".in.") != std::string::npos;
        const std::vector<int64_t> shape = name == "pieces" ? std::vector<int64_t>{config.vocabulary, width}
            : name == "position"                            ? std::vector<int64_t>{config.max_text_tokens, width}
            : !kernel                                       ? std::vector<int64_t>{in ? wide : width}
            : in                                            ? std::vector<int64_t>{wide, width}
            : name.find(".out.") != std::string::npos       ? std::vector<int64_t>{width, wide}
                                                            : std::vector<int64_t>{width, width};
        trunk[name] = at::empty(shape).normal_(scale ? 1 : 0, kernel ? 0.4 : 0.2, generator);
    }
    return trunk;
}

}  // namespace imprint::tests
