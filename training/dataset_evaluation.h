// SPDX-License-Identifier: Apache-2.0
// A network measured on data sets: what a recipe's [[evaluation]] tables ask for. imp_method.md section 7.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/media/decoder.h"
#include "training/inputs.h"
#include "training/recipe.h"

namespace imprint::training {

using Sources = std::map<std::string, std::unique_ptr<Source>>;  ///< by the data set's name

/// What looking at data sets needs. All members outlive the calls.
struct Looking {
    const model::Network& network;
    const Sources& sources;
    const InputMaker& maker;
    Trunks trunks;
    media::Decoder& decoder;
    MediaCache* cache = nullptr;  ///< of what training has decoded already
    int64_t pass_tokens = 2048;
    CancelToken cancel = {};
};

/// One modality of one data set through the network, without augmentation or DropToken.
struct DatasetView {
    std::string dataset, modality;
    std::string column;  ///< of its rows (training/rows.h)
    Resolution resolution;
    int clips = 1, captions = 1;
    double sound_seconds = 0;
    int text_tokens = 0;
    int64_t most = 0;  ///< only the first so many samples; 0: all
};
struct Seen {
    at::Tensor rows;               ///< [samples, instances, width] fp32 on the CPU; undefined where no sample can be read
    std::vector<int64_t> samples;  ///< which samples of the source, ascending
    std::vector<int> labels;       ///< theirs; −1: none
    int64_t unreadable = 0;        ///< left out
};
Seen look_at(const Looking& looking, const DatasetView& view);

/// Whose vectors an evaluation looks at. Concepts: what the hybrid stems know without any training of ours, the classifier's
/// classes put together with the sentence encoder (ConSE).
enum class VectorsOf { Network, Concepts };
/// Whether the model's stems have concepts for all that the evaluation compares.
bool has_concepts(const model::ModelConfig& config, const EvaluationRecipe& evaluation);

struct Measured {
    nlohmann::json figures;                           ///< as below
    std::map<std::string, std::vector<double>> each;  ///< what the figures with an interval are means of, query after query
    std::vector<int64_t> samples;                     ///< which ones; each[…] holds equally many queries of every one, in order
};
Measured measure_dataset(const Looking& looking, const model::ModelConfig& config, const EvaluationRecipe& evaluation,
                         VectorsOf vectors = VectorsOf::Network);

/// {NAME: {FIGURE: number, FIGURE_interval: [low, high], …}} for each evaluation: top1, top5 and chance (zero-shot, probe);
/// forwards.r1 … backwards.median_rank and chance.r1 (retrieval); samples, unreadable. Intervals are the middle 95 % of a
/// bootstrap over samples with seed 1. Error(Usage) naming the evaluation for data without classes, or with other ones than it
/// was trained on.
nlohmann::json evaluate_datasets(const Looking& looking, const model::ModelConfig& config,
                                 const std::vector<EvaluationRecipe>& evaluations);

}  // namespace imprint::training
