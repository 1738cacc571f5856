// SPDX-License-Identifier: Apache-2.0
// What an objective asks of the network and how it judges the answer. imp_method.md section 4; the losses themselves are in
// training/objectives.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/model/network.h"
#include "training/recipe.h"
#include "training/rows.h"
#include "training/step_loss.h"

namespace imprint::training {

/// What a batch holds beside the network's inputs, on the network's device.
struct Targets {
    at::Tensor labels;   ///< int64 [batch]; undefined without labels
    at::Tensor teacher;  ///< [batch, dim] as the teacher gave them; undefined without one
    at::Tensor trunk;    ///< [batch · clips, channels]: mean activations of the frozen trunk; undefined where nobody asks
    int64_t batch = 0, clips = 1, captions = 1;
};

/// const methods may be called from any thread. Runs on the device of its rows, `meta` included.
class Objective {
public:
    virtual ~Objective() = default;

    /// Adds the columns that it reads of each modality's rows.
    virtual void want(Wanted& wanted) const = 0;
    virtual bool wants_labels() const { return false; }
    virtual bool wants_trunk() const { return false; }
    /// The loss of a batch, weighted by the recipe's loss_weight, and its figures.
    virtual StepLoss loss(const Rows& rows, const Targets& targets, const model::Network& network) const = 0;
};

/// | kind | rows | loss | figures |
/// |---|---|---|---|
/// | nce | each modality's vectors for the other | mean over the pairs of multi_instance_nce; with one instance the symmetric
/// form. The hybrid stem's own vectors (before the gate) are contrasted too and count half | nce.A_B, accuracy | | classify | a
/// classifier's logits | softmax or sigmoid cross-entropy, smoothed; clips' logits are averaged | accuracy | | distill | vectors
/// | nce · (similarities as the teacher's) + cosine · (1 − cos to the teacher), as over a corpus | nce, cosine, accuracy | |
/// distill, teacher = "trunk" | a classifier's outputs | mean squared error to the trunk's standardised mean activations | error
/// | | masked-language | surprise at hidden pieces | their mean cross-entropy | |
std::unique_ptr<Objective> make_objective(const ObjectiveRecipe& recipe, const Recipe& whole);

/// "picture_text" of vision and text in either order: the name of the pair's temperature.
std::string pair_name(const std::string& a, const std::string& b);

}  // namespace imprint::training
