// SPDX-License-Identifier: Apache-2.0
// What a label set has learned from examples: for each modality a linear layer over a moment's vector, kept in a file beside the
// set's.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "app/jobs/label_set.h"
#include "training/finetune/class_probe.h"

namespace imprint::jobs {

struct LearnedLabels {
    std::string space;  ///< whose vectors the layers read; those of any other model mean nothing to them
    std::array<std::optional<training::ClassProbe>, 2> layers;  ///< by Modality
};

/// Reads the file that `set.learned` names: safetensors with "picture.weights" and "picture.bias", "sound.weights" and
/// "sound.bias" (F32, a row for each label and one for none) and the labels' names, which must be the set's, in its order.
/// Error(NotFound) without the file, Error(Malformed) for anything else in it or a modality that the set looks at and the file
/// lacks, Error(Unsupported) where it reads another space than `space`.
LearnedLabels read_learned_labels(const LabelSet& set, const std::string& space);

/// Writes the set as a file that read_label_set() reads, and first what it learned into `set.learned`, which must lie beside it.
/// Each is written whole or not at all. Errors: DiskFull, Permission, Io.
void write_learned_set(const std::filesystem::path& file, const LabelSet& set, const LearnedLabels& learned);

}  // namespace imprint::jobs
