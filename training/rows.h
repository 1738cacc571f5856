// SPDX-License-Identifier: Apache-2.0
// A pass gives one row per item; here is what stands in it. Each modality's rows hold the columns that the batch's objectives
// asked for, side by side.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/model/network.h"

namespace imprint::training {

/// Columns, by name:
///   "vectors"          [joint_dim]    unit vector of the joint space
///   "own"              [joint_dim]    the same before the hybrid stem's gate
///   "to_MODALITY"      [joint_dim]    disjoint space: the vector for that modality, not normalised
///   "pooled"           [width]        mean over the tokens, for probes
///   "classifier.NAME"  [classes]      logits
///   "concept"          [joint_dim]    hybrid stems: what is known without training: a picture's concept, a sentence's meaning
///   "masked"           [2]            "masked_text" alone: sum of the surprise at hidden pieces, and their number
class Wanted {
public:
    /// A column of a modality; asking twice is asking once.
    void add(const std::string& modality, const std::string& column);
    /// In the order in which they stand in a row; empty where nobody asked for the modality.
    const std::vector<std::string>& columns(const std::string& modality) const;
    std::vector<std::string> modalities() const;
    bool has(const std::string& modality, const std::string& column) const;

private:
    std::map<std::string, std::vector<std::string>> columns_;
};

/// The name of the column that stands for a modality against another one.
std::string space_column(const model::ModelConfig& config, const std::string& against);

/// The columns of an encoding side by side, fp32 or wider: [items, columns]. `given`: what stands for "masked" or
/// "concept", which the encoding does not hold.
at::Tensor columns_of(const model::Encoding& encoding, const model::Network& network, const std::string& modality,
                      const std::vector<std::string>& columns, const at::Tensor& given = {});

/// The rows of all modalities of a batch.
class Rows {
public:
    Rows(const model::ModelConfig& config, const Wanted& wanted) : config_(config), wanted_(wanted) { }

    void set(const std::string& modality, at::Tensor rows) { rows_[modality] = std::move(rows); }
    const at::Tensor& whole(const std::string& modality) const { return rows_.at(modality); }
    /// [items, width of the column]
    at::Tensor of(const std::string& modality, const std::string& column) const;

private:
    int64_t width(const std::string& modality, const std::string& column) const;

    const model::ModelConfig& config_;
    const Wanted& wanted_;
    std::map<std::string, at::Tensor> rows_;
};

}  // namespace imprint::training
