// SPDX-License-Identifier: Apache-2.0
// Where the network itself is trained: feeding it, and finding how much of the new weights may stay.
#pragma once

#include <functional>
#include <vector>

#include "app/jobs/finetune_examples.h"
#include "app/jobs/finetune_job.h"
#include "app/jobs/labelled_media.h"
#include "training/finetune/tuner.h"

namespace imprint::jobs {

void add_example(training::Tuner& tuner, const Input& input);

/// Moments of files of the library that are no examples, evenly spread over it; none where there is no library. Files that cannot
/// be read are passed over: they are the index's to report.
void remind_of_library(Engine& engine, training::Tuner& tuner, const std::vector<LabelledSource>& examples,
                       const CancelToken& cancel);

/// What the examples teach: those of the table, the classes in words.
training::Lesson lesson_of(const ExampleTable& table);

/// The table's moments under the tuner's weights.
Vectors vectors_of(const ExampleTable& table, const training::Tuner& tuner, double blend, const CancelToken& cancel);

/// Looks at the given blend, or at those that FinetuneOptions::blend names. The first row is the greatest.
std::vector<BlendRow> look_at_blends(const ExampleTable& table, const training::Tuner& tuner, const std::optional<double>& given,
                                     uint64_t seed, const std::function<void(int64_t done, int64_t of)>& told,
                                     const CancelToken& cancel);
/// The greatest whose retention falls by kMostLoss points at most and that gets no fewer examples right than the old weights,
/// which are the last; the only one, where there is one.
const BlendRow& chosen_blend(const std::vector<BlendRow>& rows);

}  // namespace imprint::jobs
