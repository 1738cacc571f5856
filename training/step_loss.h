// SPDX-License-Identifier: Apache-2.0
// What a batch says.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "training/router_use.h"

namespace imprint::training {

struct StepLoss {
    at::Tensor total;  ///< scalar to go backwards from, made of the passes' rows; the z-loss is the passes' own
    std::map<std::string, at::Tensor> figures;    ///< for the log, by name: scalars without gradients
    std::vector<std::vector<double>> expert_use;  ///< [sparse layer][expert], where the routers were probed
    int64_t samples = 0;                          ///< in the batch
    std::function<nlohmann::json()> items;        ///< which they are, for the one who asks what made a bad step; may be empty

    /// Puts what the routers did into expert_use and figures; nothing where there are none.
    void add_use(const RouterUse& use);
};

}  // namespace imprint::training
