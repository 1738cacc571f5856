// SPDX-License-Identifier: Apache-2.0
// The trunk that training/corpus/convert_trunk.py's reference answers are of: lite0 at a quarter of its widths, by formula.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace imprint::tests {

// float32 in [-0.5, 0.5) from (seed, element), as convert_trunk.py's formula_values.
inline at::Tensor formula_values(uint64_t seed, at::IntArrayRef shape)
{
    at::Tensor tensor = at::empty(shape, at::kFloat);
    float* values = tensor.mutable_data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) {
        auto state = static_cast<uint32_t>(static_cast<uint64_t>(i) * 2654435761u + seed * 40503 + 12345);
        state = (state ^ (state >> 15)) * 739982445u;
        state ^= state >> 12;
        values[i] = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
    }
    return tensor;
}

// The parameters of convert_trunk.py's narrow_network: lite0 at a quarter of its widths with ten classes.
inline std::map<std::string, at::Tensor> narrow_parameters()
{
    struct Stage {
        int repeats, kernel, out;
    };
    constexpr Stage kStages[] = {{1, 3, 8}, {2, 3, 8}, {2, 5, 16}, {3, 3, 24}, {3, 5, 32}, {4, 5, 48}, {1, 3, 80}};
    std::map<std::string, at::Tensor> parameters;
    uint64_t seed = 0;
    const auto add = [&](const std::string& name, std::vector<int64_t> shape, int64_t channels, int64_t fan_in) {
        float gain = 1;
        while (60 < static_cast<float>(fan_in) * gain * gain)
            gain /= 2;
        parameters[name + ".weight"] = formula_values(seed, shape).mul_(gain);
        parameters[name + ".bias"] = formula_values(seed + 1, {channels});
        seed += 2;
    };
    add("stem", {32, 3, 3, 3}, 32, 27);
    int64_t in = 32;
    int block = 0;
    for (const Stage& stage : kStages)
        for (int repeat = 0; repeat < stage.repeats; ++repeat, ++block) {
            const std::string name = "blocks." + std::to_string(block);
            const int64_t wide = block ? in * 6 : in;
            if (block)
                add(name + ".expand", {wide, in}, wide, in);
            add(name + ".depthwise", {stage.kernel, stage.kernel, wide}, wide, stage.kernel * stage.kernel);
            add(name + ".project", {stage.out, wide}, stage.out, wide);
            in = stage.out;
        }
    add("head", {1280, in}, 1280, in);
    parameters["classifier.weight"] = formula_values(seed, {10, 1280});
    parameters["classifier.bias"] = formula_values(seed + 1, {10});
    return parameters;
}

}  // namespace imprint::tests
