// SPDX-License-Identifier: Apache-2.0
// One optimisation step's worth of one objective: which items, seen how, and their loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "core/model/network.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"
#include "training/corpus.h"
#include "training/draws.h"
#include "training/picture_features.h"
#include "training/recipe.h"
#include "training/sound_clips.h"

namespace imprint::training {

/// Everything a step reads. All members outlive the object that refers to them.
struct TrainingData {
    const Corpus& corpus;
    const PictureFeatures& pictures;
    const SoundClips& sounds;
    const tokens::TextTokenizer& tokenizer;
    const tokens::LogMel& log_mel;
};

struct StepLoss {
    at::Tensor total;       ///< scalar to go backwards from
    double nce = 0, cosine = 0, accuracy = 0, gate = 0;  ///< for the log; accuracy: top-1 among the batch, item → text
};

/// Draws batches and computes losses. A batch is a pure function of (recipe.seed, step).
class Objectives {
public:
    Objectives(const Recipe& recipe, const TrainingData& data, const model::Network& network);

    /// Which entry of recipe.objectives step number `step` trains: weighted random.
    size_t choose(int64_t step) const;
    StepLoss loss(size_t objective, int64_t step) const;

    /// Unit vectors of texts at their natural lengths: one pass per length. [n, joint_dim]
    at::Tensor encode_texts(const std::vector<int64_t>& texts, at::Tensor* z_loss = nullptr) const;
    /// Unit vectors of views: one pass per grid. Each inner list is one clip of views of one grid. [n, joint_dim]
    at::Tensor encode_views(const std::vector<std::vector<ViewPlace>>& clips, double keep, Draws& draws, at::Tensor* z_loss,
                            at::Tensor* gate, at::Tensor* concepts = nullptr) const;
    /// Unit vectors of sounds: one pass per padded length. [n, joint_dim]
    at::Tensor encode_sounds(const std::vector<std::vector<float>>& sounds, at::Tensor* z_loss = nullptr) const;

private:
    StepLoss against_captions(const at::Tensor& media, const std::vector<int64_t>& captions, const char* temperature,
                              const ObjectiveRecipe& objective, const at::Tensor& z_loss) const;
    StepLoss picture_text(const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss clip_text(const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss sound_text(const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss text_text(const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss text_teacher(const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss concept_teacher(const ObjectiveRecipe& objective, Draws& draws) const;

    const Recipe& recipe_;
    TrainingData data_;
    const model::Network& network_;
    std::vector<size_t> pairs_, composites_, photos_, sounds_;  // indices into Corpus::items()
    std::vector<std::vector<int64_t>> texts_by_role_;           // by TextRole
    std::vector<std::vector<int64_t>> piece_ids_;               // by text
};

}  // namespace imprint::training
