// SPDX-License-Identifier: Apache-2.0
// What the routers of a step's passes did, put together for the log.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/model/routing.h"

namespace imprint::training {

/// Means over passes, each by its tokens. add() may be called from any thread, and twice for one pass: it then counts twice.
class RouterUse {
public:
    void add(const std::vector<model::RouterProbe>& probes, double tokens);

    /// Each expert's share of all gates given, by sparse layer: [layer][expert]. Empty for a dense model.
    std::vector<std::vector<double>> expert_use() const;
    /// Means over the layers: "left_behind" (share of tokens that no expert took), "confidence" (mean gate of filled slots).
    std::map<std::string, double> figures() const;

private:
    mutable std::mutex mutex_;
    double tokens_ = 0, left_behind_ = 0, confidence_ = 0;
    std::vector<std::vector<double>> use_;
};

}  // namespace imprint::training
