// SPDX-License-Identifier: Apache-2.0
#include "training/finetune/split.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "training/draws.h"

namespace imprint::training {

std::vector<int> stratified_parts(const std::vector<LabelledGroup>& examples, int parts, uint64_t seed)
{
    IMPRINT_ASSERT(parts > 0);
    std::map<int, int> label_of;  // by group
    for (const LabelledGroup& example : examples)
        label_of.emplace(example.group, example.label);
    std::map<int, std::vector<int>> groups_of;  // by label
    for (const auto& [group, label] : label_of)
        groups_of[label].push_back(group);
    std::map<int, int> part_of;  // by group
    for (auto& [label, groups] : groups_of) {
        Draws draws(seed, static_cast<uint64_t>(label), 0);
        for (size_t i = groups.size(); i > 1; --i)
            std::swap(groups[i - 1], groups[static_cast<size_t>(draws.below(static_cast<int64_t>(i)))]);
        for (size_t i = 0; i < groups.size(); ++i)
            part_of[groups[i]] = static_cast<int>(i) % parts;
    }
    std::vector<int> result;
    for (const LabelledGroup& example : examples)
        result.push_back(part_of.at(example.group));
    return result;
}

}  // namespace imprint::training
