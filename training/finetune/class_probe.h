// SPDX-License-Identifier: Apache-2.0
// A linear layer that tells a person's classes apart by the encoder's vectors, learned from a few examples of each. Free of
// torch.
#pragma once

#include <span>
#include <vector>

#include "core/base/cancel.h"
#include "core/encoder.h"
#include "training/finetune/split.h"

namespace imprint::training {

/// Softmax over weights · vector + bias.
struct ClassProbe {
    Vectors weights;          ///< a row for each class, and last one for none of them
    std::vector<float> bias;  ///< likewise

    int classes() const { return weights.count() - 1; }
    /// Of each class, and last of none; they sum to 1.
    std::vector<double> probabilities(std::span<const float> vector) const;
};

struct ProbeExamples {
    int classes = 0;
    Vectors vectors;                    ///< unit vectors
    std::vector<LabelledGroup> labels;  ///< of each; a label of `classes` is one of none
};

struct FittedProbe {
    ClassProbe probe;
    double penalty = 0;  ///< the chosen one
    double loss = 0;     ///< cross-entropy of the examples left out in turn, each class counting alike; natural logarithm
};

/// Multinomial logistic regression with an L2 penalty on the weights, not on the bias. Each class counts alike however many
/// examples it has; a class without any is never answered. Vectors are centred and scaled so that their greatest variance is 1;
/// on that scale the penalty is one of kPenalties, the one whose mean loss is least over the parts (at most kFolds) that are left
/// out in turn. A function of the examples and the seed alone, up to rounding. Error(Usage) for examples that are all of one
/// class, none counting as one.
FittedProbe fit_probe(const ProbeExamples& examples, uint64_t seed, const CancelToken& cancel = {});

/// The same with the penalty given: nothing is left out, and `loss` is 0.
ClassProbe fit_probe_with(const ProbeExamples& examples, double penalty, const CancelToken& cancel = {});

inline constexpr double kPenalties[] = {1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001};
inline constexpr int kFolds = 5;

}  // namespace imprint::training
