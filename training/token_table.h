// SPDX-License-Identifier: Apache-2.0
// How many tokens each resolution and length costs in each stem, and the menu of resolutions that cost the same: the paper
// trades frames, resolution and DropToken at equal tokens, so that steps of every kind take about equally long.
// imp_method.md sections 1.2 and 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/model/config.h"
#include "training/draws.h"

namespace imprint::training {

/// One vision input: frames of height × width pixels, of whose tokens DropToken leaves 1 − drop in training.
struct Resolution {
    int frames = 1, height = 0, width = 0;
    double drop = 0;
    bool operator==(const Resolution&) const = default;
};
std::string name_of(const Resolution& resolution);                    ///< "256x256", "16x256x256 drop 0.75"
std::optional<Resolution> parse_resolution(const std::string& text);  ///< the inverse; nothing where it is no resolution

/// Tokens along each axis.
struct TokenGrid {
    int64_t time = 1, rows = 1, columns = 1;
    int64_t beside = 0;  ///< tokens beside the grid, never dropped: the hybrid stem's concept token

    int64_t tokens() const { return time * rows * columns; }
    bool operator==(const TokenGrid&) const = default;
};

/// The patch stem cuts patch_frames × patch_size² pixels (fewer frames are repeated to fill one), the hybrid stem one token
/// for each 32² pixels of each frame. Error(Usage), naming the resolution and the way out, where the sizes do not divide or
/// the frames are more than the model's.
TokenGrid vision_grid(const model::ModelConfig& config, const Resolution& resolution);
/// Tokens of `samples` of sound at 16 kHz, filled up with silence to whole patches. Error(Usage) past the model's window.
TokenGrid sound_grid(const model::ModelConfig& config, int64_t samples);

/// Tokens of the grid that DropToken leaves: floor((1 − drop) · tokens), at least 1.
int64_t kept_tokens(const TokenGrid& grid, double drop);
/// Which: uniform without replacement, ascending.
std::vector<int64_t> kept_indices(const TokenGrid& grid, double drop, Draws& draws);

/// Resolutions that leave equally many vision tokens. Patch: an image at 256², 16 frames at 128², 16 frames at 256² with 75 %
/// dropped. Hybrid: one frame at 224², two with half dropped, four with 75 % dropped. Only what the model can take.
std::vector<Resolution> constant_token_menu(const model::ModelConfig& config);

struct TokenRow {
    Resolution resolution;
    TokenGrid grid;
    int64_t kept = 0;  ///< without those beside the grid
};
std::vector<TokenRow> token_table(const model::ModelConfig& config, const std::vector<Resolution>& menu);

}  // namespace imprint::training
