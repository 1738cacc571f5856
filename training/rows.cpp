// SPDX-License-Identifier: Apache-2.0
#include "training/rows.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/layers.h"

namespace imprint::training {
namespace {

constexpr const char* kClassifier = "classifier.";

}  // namespace

void Wanted::add(const std::string& modality, const std::string& column)
{
    if (!has(modality, column))
        columns_[modality].push_back(column);
}

const std::vector<std::string>& Wanted::columns(const std::string& modality) const
{
    static const std::vector<std::string> none;
    const auto found = columns_.find(modality);
    return found == columns_.end() ? none : found->second;
}

std::vector<std::string> Wanted::modalities() const
{
    std::vector<std::string> names;
    for (const auto& [modality, columns] : columns_)
        names.push_back(modality);
    return names;
}

bool Wanted::has(const std::string& modality, const std::string& column) const
{
    const auto& all = columns(modality);
    return std::find(all.begin(), all.end(), column) != all.end();
}

std::string space_column(const model::ModelConfig& config, const std::string& against)
{
    return config.common_space == model::CommonSpace::Joint ? "vectors" : "to_" + against;
}

at::Tensor columns_of(const model::Encoding& encoding, const model::Network& network, const std::string& modality,
                      const std::vector<std::string>& columns, const at::Tensor& given)
{
    std::vector<at::Tensor> parts;
    for (const auto& column : columns) {
        if (column == "masked" || column == "concept")
            parts.push_back(given);
        else if (column == "vectors")
            parts.push_back(encoding.vectors);
        else if (column == "pooled")
            parts.push_back(encoding.pooled);
        else if (column == "own")
            parts.push_back(encoding.own);
        else if (column.starts_with("to_"))
            parts.push_back(encoding.spaces.at(column.substr(3)));
        else
            parts.push_back(network.classify(encoding, modality, column.substr(std::string(kClassifier).size())));
        parts.back() = model::widened(parts.back());
    }
    return at::cat(parts, 1);
}

int64_t Rows::width(const std::string& modality, const std::string& column) const
{
    if (column == "masked")
        return 2;
    if (column == "pooled")
        return config_.width;
    if (!column.starts_with(kClassifier))
        return config_.joint_dim;
    for (const auto& head : config_.classifiers)
        if (head.modality == modality && kClassifier + head.name == column)
            return head.classes;
    IMPRINT_ASSERT(!"a column of a classifier that the model has not");
    return 0;
}

at::Tensor Rows::of(const std::string& modality, const std::string& column) const
{
    int64_t first = 0;
    for (const auto& name : wanted_.columns(modality)) {
        if (name == column)
            return rows_.at(modality).narrow(1, first, width(modality, column));
        first += width(modality, name);
    }
    IMPRINT_ASSERT(!"a column that nobody asked for");
    return {};
}

}  // namespace imprint::training
