// SPDX-License-Identifier: Apache-2.0
// A network that is small enough to run in every test.
#pragma once

#include "core/model/config.h"

namespace imprint::tests {

inline model::ModelConfig small_config()
{
    model::ModelConfig config;
    config.width = 64;
    config.heads = 1;
    config.layers = 2;
    config.sparse_layers = 1;
    config.experts = 3;
    config.ffn_width = 96;
    config.head_width = 48;
    config.joint_dim = 32;
    config.trunk_channels = 20;
    config.trunk_classes = 10;
    config.vocabulary = 50;
    return config;
}

}  // namespace imprint::tests
