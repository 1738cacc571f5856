// SPDX-License-Identifier: Apache-2.0
// The steps of a fine-tuning: what each draws, its loss, and when to stop. See tuner.h for the three objectives.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "core/model/surgery.h"
#include "training/finetune/tune_items.h"
#include "training/finetune/tuner.h"
#include "training/recipe.h"
#include "training/schedule.h"
#include "training/step_loss.h"

namespace imprint::training {

/// Unit vectors of the items under the network, [items, joint_dim], without a graph. Passes run on all lanes.
at::Tensor rows_of(const std::vector<const TuneItem*>& items, const model::Network& network, const model::Lanes& lanes,
                   const CancelToken& cancel);

class TuneSteps {
public:
    struct Options {
        TuneScope scope = TuneScope::Lora;
        uint64_t seed = 1;
        model::Precision precision;
        int64_t steps = 1;
    };
    /// Everything named here outlives the steps. `old` is not changed.
    TuneSteps(const model::Weights& old, const Options& options, const model::Lanes& lanes);

    /// The old network's view of what is learned and replayed is made here.
    void set_lesson(const Lesson& lesson, const std::vector<TuneItem>& examples, const ItemReader& reader,
                    const CancelToken& cancel);
    void set_reminders(const std::vector<TuneItem>& media, const std::vector<TuneItem>& texts, const CancelToken& cancel);

    /// Returns the number of steps after which the weights were best; those are then the result.
    int64_t run(const std::function<void(const TuneProgress&)>& progress, const CancelToken& cancel);
    /// Adapters are folded in; what was not trained is the old tensor itself.
    model::Parameters result() const;

private:
    enum Objective : size_t { kClassify, kNames, kReplay };

    /// Examples of one part with their classes.
    struct Labelled {
        std::vector<const TuneItem*> items;
        std::vector<int64_t> labels, kinds;  // class; 0 for what is seen, 1 for what is heard
        std::vector<std::vector<size_t>> by_class;
    };
    /// Things with the old network's vectors.
    struct Reminders {
        std::vector<const TuneItem*> items;
        at::Tensor rows;
    };
    void see_means(const CancelToken& cancel);
    Labelled drawn(Draws& draws) const;
    at::Tensor class_logits(const at::Tensor& rows, const Labelled& batch) const;
    at::Tensor classify(Passes& passes, Draws& draws) const;
    at::Tensor names(Passes& passes, Draws& draws) const;
    at::Tensor replay(Passes& passes, Draws& draws) const;
    at::Tensor rows(const std::vector<const TuneItem*>& items, const CancelToken& cancel) const;
    struct Watched {
        double loss = 0, right = 0;
    };
    Watched watch(const CancelToken& cancel) const;
    model::Parameters trained() const;

    const model::Weights& old_;
    Options options_;
    const model::Lanes& lanes_;
    Recipe recipe_;  // the optimiser's settings alone
    model::Weights weights_;
    std::vector<std::string> moving_;  // names of the tensors that are trained
    Labelled learned_, watched_;
    at::Tensor means_;                            // [2, classes, joint_dim], zeros where a class has none of the kind
    at::Tensor absent_;                           // [2, classes] a great negative number there, else 0
    std::array<std::vector<TuneItem>, 2> asked_;  // by way of asking, of every class
    Reminders media_, texts_;
};

}  // namespace imprint::training
