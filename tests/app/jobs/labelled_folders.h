// SPDX-License-Identifier: Apache-2.0
// Folders of examples that a network with random weights can tell apart: by colour, by pitch.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/app/jobs/test_media.h"
#include "training/draws.h"

namespace imprint::tests {

/// Grain of one colour, another for each seed.
inline void write_grain(const std::filesystem::path& file, int red, int green, int blue, uint64_t seed)
{
    constexpr int kSide = 48;
    training::Draws draws(seed, 1, 2);
    std::string pixels;
    for (int i = 0; i < kSide * kSide; ++i) {
        const int grain = static_cast<int>(draws.between(-40, 40));
        for (const int channel : {red, green, blue})
            pixels += static_cast<char>(std::clamp(channel + grain, 0, 255));
    }
    std::filesystem::create_directories(file.parent_path());
    write_file(file, "P6\n" + std::to_string(kSide) + " " + std::to_string(kSide) + "\n255\n" + pixels);
}

/// A tone in a little noise: 16-bit WAV of 1.2 seconds.
inline void write_tone(const std::filesystem::path& file, double pitch, uint64_t seed)
{
    constexpr int kRate = 16000, kSamples = kRate * 6 / 5;
    const auto number = [](uint32_t value, int bytes) {
        std::string text;
        for (int i = 0; i < bytes; ++i)
            text += static_cast<char>(value >> (8 * i));
        return text;
    };
    training::Draws draws(seed, 3, 4);
    std::string samples;
    for (int i = 0; i < kSamples; ++i) {
        const double value = 0.5 * std::sin(2 * M_PI * pitch * i / kRate) + 0.05 * draws.between(-1, 1);
        samples += number(static_cast<uint16_t>(static_cast<int16_t>(value * 30000)), 2);
    }
    std::filesystem::create_directories(file.parent_path());
    write_file(file,
               "RIFF" + number(36 + static_cast<uint32_t>(samples.size()), 4) + "WAVEfmt " + number(16, 4) + number(1, 2)
                   + number(1, 2) + number(kRate, 4) + number(kRate * 2, 4) + number(2, 2) + number(16, 2) + "data"
                   + number(static_cast<uint32_t>(samples.size()), 4) + samples);
}

/// Classes "red", "green" and "blue" of `each` pictures.
inline void make_colours(const std::filesystem::path& folder, int each, uint64_t seed = 1)
{
    for (int i = 0; i < each; ++i) {
        const auto name = "picture" + std::to_string(i) + ".ppm";
        write_grain(folder / "red" / name, 200, 60, 60, seed * 1000 + static_cast<uint64_t>(i));
        write_grain(folder / "green" / name, 60, 200, 60, seed * 1000 + 100 + static_cast<uint64_t>(i));
        write_grain(folder / "blue" / name, 60, 60, 200, seed * 1000 + 200 + static_cast<uint64_t>(i));
    }
}

/// Classes "low" and "high" of `each` sounds.
inline void make_pitches(const std::filesystem::path& folder, int each, uint64_t seed = 1)
{
    for (int i = 0; i < each; ++i) {
        const auto name = "sound" + std::to_string(i) + ".wav";
        write_tone(folder / "low" / name, 200 + 5 * i, seed * 1000 + static_cast<uint64_t>(i));
        write_tone(folder / "high" / name, 3000 + 50 * i, seed * 1000 + 500 + static_cast<uint64_t>(i));
    }
}

}  // namespace imprint::tests
