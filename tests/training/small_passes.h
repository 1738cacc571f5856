// SPDX-License-Identifier: Apache-2.0
// A network small enough to take steps by the hundred, and passes through it.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <vector>

#include "training/passes.h"

namespace imprint::training::test {

/// Two layers, the second one a mixture of three experts.
inline model::ModelConfig small_model()
{
    model::ModelConfig config;
    config.width = 32;
    config.layers = 2;
    config.heads = 2;
    config.ffn_width = 48;
    config.sparse_layers = 1;
    config.experts = 3;
    config.head_width = 24;
    config.joint_dim = 16;
    config.vocabulary = 40;
    config.trunk_channels = 8;
    config.trunk_classes = 6;
    return config;
}

/// `items` texts of two lengths, in an order that mixes them.
inline PassList texts(int64_t items, uint64_t salt, int64_t most_tokens, const PassList::Share& share = {})
{
    std::map<int64_t, PassList::Part> lengths;
    for (int64_t i = 0; i < items; ++i)
        lengths[2 + (i % 3 == 0)].push_back(i);
    PassList list(share);
    for (const auto& [length, members] : lengths)
        list.add(members, length, most_tokens, static_cast<size_t>(items), [&, tokens = length](const PassList::Part& part) {
            std::vector<int64_t> ids;
            for (const int64_t item : part)
                for (int64_t t = 0; t < tokens; ++t)
                    ids.push_back((item * 7 + t * 3 + static_cast<int64_t>(salt)) % 40);
            const at::Tensor batch = at::tensor(ids, at::kLong).view({static_cast<int64_t>(part.size()), tokens});
            return [batch](const model::Network& network) {
                const auto encoding = network.encode_text(batch);
                return PassOutput{encoding.vectors, encoding.auxiliary.z_loss};
            };
        });
    return list;
}

}  // namespace imprint::training::test
