// SPDX-License-Identifier: Apache-2.0
// A replay pack for a tiny checkpoint: random activations under a few names.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <filesystem>

#include "training/finetune/replay_pack.h"

namespace imprint::tests {

/// Twelve pictures and twelve sounds, half of each held back, and three texts. Same seed, same bytes.
inline std::filesystem::path make_tiny_pack(const std::filesystem::path& file, const std::filesystem::path& checkpoint,
                                            uint64_t seed = 1)
{
    const auto model = model::load_checkpoint(model::SafetensorsFile(checkpoint));
    auto generator = at::detail::createCPUGenerator(seed);
    const auto random = [&](std::vector<int64_t> shape, double scale) { return at::empty(shape).uniform_(0, scale, generator); };
    training::ReplayPack pack;
    const char* names[] = {"a dog", "two birds", "a violin", "a person", "green apples", "the old ship"};
    for (int i = 0; i < 12; ++i) {
        const at::Tensor told = random({model.config.joint_dim}, 2) - 1;
        pack.pictures.push_back({random({1, 2, 2, model.config.trunk_channels}, 3), names[i % 6], i < 6, told / told.norm()});
        pack.sounds.push_back({random({32, model.config.mel_bands}, 4) - 6, names[i % 6], i < 6});
    }
    pack.texts = {"a loud sound", "in the park", "on a table"};
    training::write_replay_pack(file, pack, model);
    return file;
}

}  // namespace imprint::tests
