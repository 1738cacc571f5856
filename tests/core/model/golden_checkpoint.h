// SPDX-License-Identifier: Apache-2.0
// What the golden checkpoints are asked: items by formula, and the vectors a checkpoint gives them. Shared by the program
// that writes tests/data/models/v<N> and the test that reads every version there.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/encoder.h"

namespace imprint::tests {

inline media::Picture formula_picture(media::Size size)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>();
    for (int y = 0; y < size.height; ++y)
        for (int x = 0; x < size.width; ++x)
            for (int c = 0; c < 3; ++c)
                bytes->push_back(static_cast<uint8_t>((x * (3 + c) + y * (7 - 2 * c) + x * y / 16) % 256));
    return {size.width, size.height, 0, *bytes, bytes};
}

inline media::Sound formula_sound(int samples)
{
    media::Sound sound;
    for (int i = 0; i < samples; ++i)
        sound.samples.push_back(static_cast<float>(i * 7 % 101) / 101 - 0.5f);
    return sound;
}

/// {"picture": [rows], "sound": [rows], "text": [rows]}
inline nlohmann::json golden_vectors(Encoder& encoder)
{
    const auto rows = [](const Vectors& vectors) {
        nlohmann::json list = nlohmann::json::array();
        for (int i = 0; i < vectors.count(); ++i) {
            nlohmann::json row = nlohmann::json::array();
            for (const float value : vectors.row(i))
                row.push_back(std::round(value * 1e6) / 1e6);
            list.push_back(std::move(row));
        }
        return list;
    };
    std::vector<media::Picture> pictures;
    for (const auto& size : encoder.picture_sizes())
        pictures.push_back(formula_picture(size));
    const std::vector<media::Sound> sounds = {formula_sound(4000), formula_sound(20000)};
    const std::vector<std::string> texts = {"a dog", "two birds near the water at night"};
    return {{"picture", rows(encoder.encode_pictures(pictures))},
            {"sound", rows(encoder.encode_sounds(sounds))},
            {"text", rows(encoder.encode_texts(texts))}};
}

}  // namespace imprint::tests
