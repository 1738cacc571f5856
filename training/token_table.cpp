// SPDX-License-Identifier: Apache-2.0
// Token counts.
#include "training/token_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <regex>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr int kTrunkStride = 32;  // EfficientNet halves the picture five times

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::string name_of(const Resolution& resolution)
{
    char drop[32] = "";
    if (resolution.drop > 0)
        std::snprintf(drop, sizeof drop, " drop %g", resolution.drop);
    return (resolution.frames == 1 ? "" : std::to_string(resolution.frames) + "x") + std::to_string(resolution.height) + "x"
        + std::to_string(resolution.width) + drop;
}

std::optional<Resolution> parse_resolution(const std::string& text)
{
    static const std::regex pattern(R"((?:(\d{1,4})x)?(\d{1,5})x(\d{1,5})(?: drop (0?\.\d{1,9}|0))?)");
    std::smatch match;
    if (!std::regex_match(text, match, pattern))
        return std::nullopt;
    Resolution resolution{match[1].matched ? std::stoi(match[1]) : 1, std::stoi(match[2]), std::stoi(match[3]), 0};
    if (match[4].matched)
        resolution.drop = std::stod(match[4]);
    return resolution;
}

TokenGrid vision_grid(const model::ModelConfig& config, const Resolution& resolution)
{
    const bool patch = config.vision_stem == model::VisionStem::Patch;
    const int cell = patch ? config.patch_size : kTrunkStride;
    const auto refuse = [&](const std::string& reason, const std::string& remedy) {
        throw Error(ErrorKind::Usage, "resolution " + name_of(resolution), reason, remedy);
    };
    if (resolution.height < cell || resolution.width < cell || resolution.height % cell || resolution.width % cell)
        refuse("cannot be cut into tokens of " + std::to_string(cell) + " pixels", "Use multiples of " + std::to_string(cell));
    if (resolution.frames < 1 || resolution.frames > config.max_frames)
        refuse("the model takes 1 to " + std::to_string(config.max_frames) + " frames", "Change frames or model.max_frames");
    if (!(resolution.drop >= 0 && resolution.drop < 1))
        refuse("the share to drop must lie in 0 … 1, without 1", "0.75 keeps a quarter");
    int64_t time = resolution.frames;
    if (patch) {
        if (resolution.frames > config.patch_frames && resolution.frames % config.patch_frames)
            refuse("cannot be cut into patches of " + std::to_string(config.patch_frames) + " frames",
                   "Use a multiple of " + std::to_string(config.patch_frames));
        time = ceil_div(resolution.frames, config.patch_frames);
    }
    return {time, resolution.height / cell, resolution.width / cell, patch ? 0 : 1};
}

TokenGrid sound_grid(const model::ModelConfig& config, int64_t samples)
{
    if (samples < 1 || samples > config.max_sound_samples())
        throw Error(ErrorKind::Usage, std::to_string(samples) + " samples of sound",
                    "the model takes 1 to " + std::to_string(config.max_sound_samples()),
                    "Cut the sound, or raise model.max_sound_patches");
    return {ceil_div(samples, config.sound_patch_samples()), 1, config.mel_bands / config.sound_patch, 0};
}

int64_t kept_tokens(const TokenGrid& grid, double drop)
{
    // 1 − 0.9 falls a rounding short of a tenth: ten tokens must keep one, not none.
    return std::max<int64_t>(1, static_cast<int64_t>(std::floor((1 - drop) * static_cast<double>(grid.tokens()) + 1e-9)));
}

std::vector<int64_t> kept_indices(const TokenGrid& grid, double drop, Draws& draws)
{
    std::vector<int64_t> order(static_cast<size_t>(grid.tokens()));
    std::iota(order.begin(), order.end(), 0);
    const int64_t kept = kept_tokens(grid, drop);
    for (int64_t i = 0; i < kept; ++i)
        std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(i + draws.below(grid.tokens() - i))]);
    order.resize(static_cast<size_t>(kept));
    std::sort(order.begin(), order.end());
    return order;
}

std::vector<Resolution> constant_token_menu(const model::ModelConfig& config)
{
    const std::vector<Resolution> all = config.vision_stem == model::VisionStem::Patch
        ? std::vector<Resolution>{{1, 256, 256, 0}, {16, 128, 128, 0}, {16, 256, 256, 0.75}}
        : std::vector<Resolution>{{1, 224, 224, 0}, {2, 224, 224, 0.5}, {4, 224, 224, 0.75}};
    std::vector<Resolution> menu;
    for (const Resolution& entry : all)
        if (entry.frames <= config.max_frames)
            menu.push_back(entry);
    return menu;
}

std::vector<TokenRow> token_table(const model::ModelConfig& config, const std::vector<Resolution>& menu)
{
    std::vector<TokenRow> rows;
    for (const Resolution& resolution : menu) {
        const TokenGrid grid = vision_grid(config, resolution);
        rows.push_back({resolution, grid, kept_tokens(grid, resolution.drop)});
    }
    return rows;
}

}  // namespace imprint::training
