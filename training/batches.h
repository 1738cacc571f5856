// SPDX-License-Identifier: Apache-2.0
// One optimisation step's worth of one objective: which items, seen how, and their loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <vector>

#include "core/model/network.h"
#include "core/model/text_trunk.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"
#include "training/corpus.h"
#include "training/draws.h"
#include "training/mixture.h"
#include "training/passes.h"
#include "training/picture_features.h"
#include "training/recipe.h"
#include "training/samplers.h"
#include "training/sound_clips.h"

namespace imprint::training {

/// Everything a step reads. All members outlive the object that refers to them.
struct TrainingData {
    const Corpus& corpus;
    const PictureFeatures& pictures;
    const SoundClips& sounds;
    const tokens::TextTokenizer& tokenizer;
    const tokens::LogMel& log_mel;
    const model::TextTrunk* text_trunk = nullptr;  ///< with the hybrid text stem
    at::Device device = at::kCPU;                  ///< where the network computes; pictures, log_mel and text_trunk are there
};

/// Draws batches and computes losses. A batch is a pure function of (recipe.seed, step).
class Objectives {
public:
    Objectives(const Recipe& recipe, const TrainingData& data);

    /// Draws the step's batch, sends it forward through `passes` and makes the loss of their rows.
    StepLoss loss(Passes& passes, const model::Network& network, size_t objective, int64_t step) const;

    /// Texts at their natural lengths. Rows: unit vectors [joint_dim].
    PassList texts(const std::vector<int64_t>& texts, const PassList::Share& share = {}) const;
    /// How clips are looked at.
    struct Look {
        double keep = 1;             ///< share of the tokens that DropToken leaves
        double hidden_concepts = 0;  ///< share of the clips that are not told their concept
        double hidden_shortcut = 0;  ///< dropout within the shortcut
        std::vector<bool> mirrored;  ///< by clip: whether its maps' columns run backwards; empty: none
    };
    /// Each inner list is one clip of views of one grid; all clips have the same number of frames. With keep < 1 every clip
    /// keeps the same number of tokens whatever its grid, so that clips of several grids share a pass. Rows: vector, the
    /// head's own vector before the gate, concept (each joint_dim), gate, its logit (1 each).
    PassList views(const std::vector<std::vector<ViewPlace>>& clips, const Look& look, Draws& draws,
                   const PassList::Share& share = {}) const;
    /// Sounds, those of one padded length together, each with a share `keep` of its tokens. `coloured`: each as heard in another
    /// place through another microphone, with dropout within the shortcut. Rows: unit vectors [joint_dim].
    PassList sounds(const std::vector<std::vector<float>>& sounds, double keep, bool coloured, Draws& draws,
                    const PassList::Share& share = {}) const;

private:
    static constexpr double kHiddenConcepts = 0.3;  // recipe.md: the concept as an input is dropped for 30 % of rows
    // Of the shortcut's hidden numbers: without it a few thousand pairs are learned by heart in a minute.
    static constexpr double kHiddenShortcut = 0.5;

    /// Draws `batch` captioned items with one caption each. Captions of a batch share a few lengths, because each length is
    /// a pass of its own. `pick` names the next item.
    struct Captioned {
        std::vector<size_t> items;
        std::vector<int64_t> captions;
    };
    template <typename Pick>
    Captioned draw_captioned(int64_t batch, Draws& draws, const Pick& pick) const;

    void list_moving();
    void list_named();
    /// Unit vectors of captions: the teacher's, or what a list of passes gave.
    struct Asked {
        std::optional<size_t> list;  // of passes; without it the teacher's
        std::vector<int64_t> texts;
    };
    Asked ask(Passes& passes, std::vector<int64_t> texts, const ObjectiveRecipe& objective, Draws& draws) const;
    at::Tensor answer(const Passes& passes, const Asked& asked) const;
    /// The teacher's vectors of texts that may be own_text()s.
    at::Tensor taught(const std::vector<int64_t>& texts) const;
    at::Tensor teacher(const std::vector<int64_t>& texts) const { return data_.corpus.teacher(texts).to(data_.device); }
    at::Tensor query_targets(const std::vector<int64_t>& texts) const
    {
        return data_.corpus.query_targets(texts).to(data_.device);
    }
    void teach_own_texts();
    /// The number under which texts() knows a text that need not be the corpus's own.
    int64_t own_text(const std::string& text);

    /// [{"file", "text"}]: items of the corpus and texts side by side; either may be empty.
    nlohmann::json listed(const std::vector<size_t>& items, const std::vector<int64_t>& texts) const;
    size_t draw_picture(const ObjectiveRecipe& objective, Draws& draws) const;
    /// The whole picture or, for a share `crops` of the draws, one of its random crops.
    ViewPlace draw_view(size_t item, double crops, Draws& draws) const;

    /// The columns of a row of views().
    struct Seen {
        at::Tensor vectors, own, concepts, gate;
        at::Tensor logit;  // of the gate, with its gradient
    };
    Seen seen(const at::Tensor& rows) const;

    /// `own` (may be undefined) is held against the captions too, so that the head learns whatever the gate does.
    StepLoss against_captions(const at::Tensor& media, const at::Tensor& own, const at::Tensor& texts, const Asked& asked,
                              const at::Tensor& temperature, const ObjectiveRecipe& objective) const;
    StepLoss clip_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss sound_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss film_motion(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss sound_name(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss picture_sound(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss text_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss text_teacher(Passes& passes, const ObjectiveRecipe& objective, Draws& draws) const;
    StepLoss concept_teacher(Passes& passes, const ObjectiveRecipe& objective, Draws& draws) const;

    const Recipe& recipe_;
    TrainingData data_;
    std::vector<size_t> pairs_, composites_, photos_, films_, sounds_;  // indices into Corpus::items()
    /// Among sounds_: a synthesiser's notes must not drown what was recorded once.
    SquareRootSampler sound_draw_{std::span<const std::string>{}};
    std::vector<size_t> moving_;  // films of single things that move; indices into Corpus::items()
    std::vector<std::vector<std::vector<int64_t>>> motion_texts_;  // by moving_, way of asking, motion
    std::vector<int64_t> motion_mirrored_, motion_reversed_;  // what a motion becomes in a mirror and backwards; -1: none of them
    std::vector<size_t> named_;                               // sounds whose label is one of names_
    std::vector<int64_t> name_of_;                            // by named_
    std::vector<int64_t> names_;                              // texts
    std::vector<std::string> own_texts_;                      // beyond the corpus's
    at::Tensor own_taught_;                                   // [own_texts_, joint_dim]; undefined without the hybrid text stem
    std::vector<std::vector<int64_t>> texts_by_role_;         // by TextRole
    std::vector<std::map<size_t, std::vector<int64_t>>> texts_by_length_;  // by TextRole, then number of pieces
    std::vector<std::vector<int64_t>> piece_ids_;                          // by text
};

}  // namespace imprint::training
