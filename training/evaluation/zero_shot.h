// SPDX-License-Identifier: Apache-2.0
// Classification without training: each class is the mean of its name in many sentences. imp_method.md section 7.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/encoder.h"
#include "training/data/text_templates.h"
#include "training/evaluation/metrics.h"

namespace imprint::evaluation {

/// One unit vector per class from the vectors of its prompts, [classes][prompts, dim]: the mean of the vectors as they are, then
/// brought to unit length.
Vectors class_keys(std::span<const Vectors> prompts);

/// The same from names and templates through the model's text door (whose vectors have unit length).
Vectors class_keys(Encoder& encoder, const training::TextTemplates& templates, const std::vector<std::string>& classes,
                   const CancelToken& cancel = {});

/// Cosine of every item to every class, [items, classes]. An item is one or more vectors (clips of a video): the mean of their
/// cosines counts.
Scores class_scores(std::span<const Vectors> items, const Vectors& keys);

/// Per item, in their order: the probability that the true class is first, or among the first five; equal scores stand in random
/// order, so a model that knows nothing gets what chance gives.
struct Accuracy {
    std::vector<double> top1, top5;
    std::vector<double> per_class;  ///< mean top-1 of each class's items; NaN for a class without items

    double mean_top1() const { return mean(top1); }
    double mean_top5() const { return mean(top5); }
};
/// `labels`: the true class of every item.
Accuracy accuracy(const Scores& scores, std::span<const int> labels);

}  // namespace imprint::evaluation
