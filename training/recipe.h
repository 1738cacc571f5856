// SPDX-License-Identifier: Apache-2.0
// A recipe: one TOML file that says everything a run does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/model/config.h"

namespace imprint::training {

enum class ObjectiveKind {
    PictureText,  ///< NCE between pictures and captions, with the captions' teacher vectors as soft targets
    ClipText,     ///< the same over clips of two to four views of one picture
    FilmText,     ///< the same over films, their frames in order
    SoundText,    ///< the same over sounds
    PictureSound, ///< NCE between pictures and sounds of the same thing
    TextText,     ///< NCE between paired texts (word and gloss, word and broader word)
    TextTeacher,  ///< distillation of the sentence encoder: its vectors and its similarities
    Concept,      ///< distillation of the concept vector on unlabelled photo crops
};
const char* objective_name(ObjectiveKind kind);

/// One entry of the mixture: each step draws one, in proportion to its weight.
struct ObjectiveRecipe {
    ObjectiveKind kind = ObjectiveKind::PictureText;
    double weight = 1;          ///< share of the steps
    int64_t batch = 128;        ///< items per step
    double keep = 1.0;          ///< share of the media's tokens that DropToken leaves
    double cosine = 1.0;        ///< weight of 1 − cos to the target beside NCE
    double nce = 1.0;           ///< weight of the NCE part
    double composites = 0.3;    ///< PictureText, ClipText: share of draws taken from composites
    double views = 0.4;         ///< PictureText: share of draws that show a random crop
};

struct Recipe {
    std::filesystem::path corpus;  ///< empty: the default corpus folder
    std::filesystem::path initial;  ///< a checkpoint, or a state's model.safetensors, to go on from; empty: fresh weights
    uint64_t seed = 1;
    int64_t steps = 1000;  ///< 0: the model of `initial` is written anew, with this recipe's gate floor and background
    model::ModelConfig model;
    std::vector<ObjectiveRecipe> objectives;

    // Data.
    int views_per_picture = 3;     ///< random crops cached beside the whole picture
    double target_sharpness = 20;  ///< soft targets: softmax(sharpness · t·t′)
    /// How often distillation draws a text of each role: what people type looks like captions and words, not glosses.
    struct TextShares {
        double caption = 0.34, word = 0.28, prompt = 0.14, lemma = 0.12, gloss = 0.06, class_text = 0.06;
    } text_shares;

    // Optimiser (AdamW on matrices only) and schedule (linear warm-up, cosine to `final_rate`).
    double rate = 1e-3, final_rate = 1e-5;
    int64_t warmup = 100;
    double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-7, decay = 0.05, clip = 1.0;
    double z_loss = 1e-3;
    std::string precision = "auto";  ///< of products: fp32, bf16, or auto: bf16 where the processor multiplies it natively

    // Passes: batches are cut into passes of at most this many tokens, which the processor's cores share.
    int64_t pass_tokens = 2048;

    // Conduct.
    int64_t checkpoint_every = 200, evaluate_every = 200, log_every = 10;
    int keep_checkpoints = 3;
    bool eight_bit = false;  ///< the finished model's matrices are stored as 8-bit rows
};

/// Reads and checks a recipe. Unknown keys, wrong types and impossible values are Error(Malformed) with the line.
Recipe read_recipe(const std::filesystem::path& path);

/// The recipe as resolved, for the run's folder and a checkpoint's provenance.
nlohmann::json to_json(const Recipe& recipe);

/// Learning rate of a step: linear to `rate` over the warm-up, then a cosine to `final_rate` at the last step.
double learning_rate(const Recipe& recipe, int64_t step);

/// $XDG_CACHE_HOME/imprint/corpus, else ~/.cache/imprint/corpus.
std::filesystem::path default_corpus();

}  // namespace imprint::training
