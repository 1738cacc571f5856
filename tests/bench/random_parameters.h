// SPDX-License-Identifier: Apache-2.0
// Weights for measuring: the table of a configuration filled with plain normal numbers, which at the size of a paper's
// model takes a second where the true initialisation (truncated, seeded by name) takes a minute.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "core/model/parameters.h"

namespace imprint::bench {

/// Every tensor whose name starts with `prefix`.
inline model::Parameters random_parameters(const model::ModelConfig& config, const std::string& prefix = {})
{
    model::Parameters parameters;
    for (const auto& spec : model::parameter_specs(config))
        if (spec.name.rfind(prefix, 0) == 0)
            parameters[spec.name] = spec.shape.size() == 1
                ? at::ones(spec.shape)
                : at::randn(spec.shape) * (spec.scale > 0 ? spec.scale : 1 / std::sqrt(double(spec.shape.back())));
    return parameters;
}

}  // namespace imprint::bench
