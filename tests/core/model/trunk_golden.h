// SPDX-License-Identifier: Apache-2.0
// Shared by tests that hold a trunk against the reference network's answers (tests/data/trunk, written by
// training/corpus/convert_trunk.py): the pictures by formula, the stored answers, the comparison.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/model/parameters.h"
#include "core/model/safetensors.h"
#include "core/model/trunk.h"

namespace imprint::model::golden
{

/// uint8 [batch, height, width, 3]: triangle waves in integers.
inline at::Tensor formula_pixels(int64_t batch, int64_t height, int64_t width)
{
    at::Tensor pixels = at::empty({batch, height, width, 3}, at::kByte);
    auto values = pixels.accessor<uint8_t, 4>();
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t y = 0; y < height; ++y)
            for (int64_t x = 0; x < width; ++x)
                for (int64_t c = 0; c < 3; ++c) {
                    const int64_t wave = (x * (3 + c) + y * (7 - 2 * c) + 50 * b + x * y / 16) % 510;
                    values[b][y][x][c] = static_cast<uint8_t>(std::min(wave, 510 - wave));
                }
    return pixels;
}

struct Difference {
    double map = 0, logits = 0; ///< the largest absolute difference over the stored values
    double map_cosine = 1, logits_cosine = 1; ///< the least between all stored values of a size
    int pictures = 0;
};

/// Runs the trunk on every size that the file holds answers for.
inline Difference compare(const Trunk& trunk, const SafetensorsFile& file)
{
    Difference difference;
    const int64_t step = std::stoll(file.metadata().at("step")), batch = std::stoll(file.metadata().at("batch"));
    for (const auto& [key, shape] : file.metadata()) {
        const auto dot = key.find(".shape");
        if (dot == std::string::npos)
            continue;
        const std::string size = key.substr(0, dot);
        const int64_t height = std::stoll(size), width = std::stoll(size.substr(size.find('x') + 1));
        const auto output = trunk.forward(formula_pixels(batch, height, width));
        if (output.map.sizes().vec() != nlohmann::json::parse(shape).get<std::vector<int64_t>>())
            throw std::runtime_error("the map of " + size + " has another shape than the reference's");
        const at::Tensor stored = output.map.flatten().slice(0, 0, std::nullopt, step);
        const auto cosine = [&](const at::Tensor& found, const std::string& name) {
            const at::Tensor wanted = to_tensor(file.at(name), name);
            return ((found * wanted).sum() / (found.norm() * wanted.norm())).item<double>();
        };
        const auto largest = [&](const at::Tensor& found, const std::string& name) {
            return (found - to_tensor(file.at(name), name)).abs().max().item<double>();
        };
        difference.map = std::max(difference.map, largest(stored, size + ".map"));
        difference.logits = std::max(difference.logits, largest(output.logits, size + ".logits"));
        difference.map_cosine = std::min(difference.map_cosine, cosine(stored, size + ".map"));
        difference.logits_cosine = std::min(difference.logits_cosine, cosine(output.logits, size + ".logits"));
        difference.pictures += static_cast<int>(batch);
    }
    return difference;
}

} // namespace imprint::model::golden
