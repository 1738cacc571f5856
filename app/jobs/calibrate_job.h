// SPDX-License-Identifier: Apache-2.0
// Fits what scores mean under a checkpoint, and keeps it beside the checkpoint.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "app/jobs/jobs.h"

namespace imprint::jobs {

struct CalibrateOptions {
    EngineOptions engine;          ///< its checkpoint is the one that is calibrated; its library is not looked at
    std::filesystem::path corpus;  ///< prepared by training/corpus; empty: where the preparation puts it
    std::function<void(const std::string& line)> log = {};
};

struct Calibration {
    std::string space;
    std::filesystem::path file;
    int64_t questions[2] = {0, 0};  ///< by Modality
    index::Reliabilities reliability;
};

/// Asks every pool of the corpus, as a library of its own in a temporary folder, what its labels name, and, where a label has
/// several items, what is like the first; fits both per modality (fit_reliability()) on the questions of Part::Fitted and writes
/// calibration_file(). Every pool weighs alike, and in a
/// pool every question with its first ten hits. A minute on one core for the shipped network. Throws as read_pool(),
/// index_paths() and fit_reliability() do.
Calibration calibrate(const CalibrateOptions& options, const CancelToken& cancel = {});

}  // namespace imprint::jobs
