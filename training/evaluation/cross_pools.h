// SPDX-License-Identifier: Apache-2.0
// Suites that ask otherwise than for the items of a label:
//   notes        a note of an instrument, of a soundfont that no training heard → its name among 128
//   motion       a film of a thing that no training showed → how it moves, among eight texts about it (synthetic)
//   image_sound  a picture → a sound of the same thing, both held out
//   panzoom      a label → the span that shows it, among all windows of all films made of held-out photographs
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/lexicon.h"
#include "core/media/decoder.h"

namespace imprint::evaluation {

const std::vector<std::string>& cross_pool_names();

struct CrossPoolOptions {
    const Lexicon* lexicon = nullptr;  ///< tells the meaning of nouns asked for; null: words alone
    int bootstrap = 1000;
    uint64_t seed = 1;
    CancelToken cancel;
};

/// One suite's entry for the result of evaluate(): {"pool", "direction", "items", "failed", "groups": [{"group": "all", "labels",
/// "queries", "systems": {"model", "chance"}}]}. Media that cannot be decoded are listed and left out.
/// Error(NotFound) without pools/<name>.jsonl, Error(Malformed) naming file and line, Cancelled.
nlohmann::json evaluate_cross_pool(const std::filesystem::path& corpus, const std::string& name, Encoder& encoder,
                                   media::Decoder& decoder, const CrossPoolOptions& options);

}  // namespace imprint::evaluation
