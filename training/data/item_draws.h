// SPDX-License-Identifier: Apache-2.0
// The numbers behind one item of one draw of one objective: workers may finish in any order, and a resume replays nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "training/draws.h"

namespace imprint::training {

/// FNV-1a of an objective's name: adding an objective to a recipe leaves the draws of the others alone.
constexpr uint64_t objective_key(std::string_view objective)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (const char c : objective)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return hash;
}

/// Which item of which draw; `draw` counts the objective's own draws, or the run's steps, as long as it is always the same.
struct ItemPlace {
    uint64_t seed = 1;
    uint64_t objective = 0;  ///< objective_key()
    int64_t draw = 0, index = 0;
};

/// Streams of different purposes are independent of each other.
inline Draws item_draws(const ItemPlace& place, uint64_t purpose)
{
    const uint64_t of_draw = Draws(place.seed, place.objective, static_cast<uint64_t>(place.draw)).bits();
    return Draws(of_draw, static_cast<uint64_t>(place.index), purpose);
}

}  // namespace imprint::training
