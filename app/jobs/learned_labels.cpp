// SPDX-License-Identifier: Apache-2.0
#include "app/jobs/learned_labels.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "training/files.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;
using model::DType;
using model::SafetensorsFile;
using model::TensorView;

constexpr const char* kSpaceKey = "imprint.labels.space";
constexpr const char* kNamesKey = "imprint.labels.names";

std::string names_of(const LabelSet& set)
{
    nlohmann::json names = nlohmann::json::array();
    for (const LabelClass& label : set.classes)
        names.push_back(label.name);
    return names.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[noreturn]] void refuse(const SafetensorsFile& file, const std::string& reason)
{
    throw Error(ErrorKind::Malformed, file.path().string(), reason, "Learn the labels again with 'imprint finetune'");
}

std::string stated(const SafetensorsFile& file, const char* key)
{
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
        refuse(file, "holds no learned labels");
    return found->second;
}

std::vector<float> finite(const SafetensorsFile& file, const std::string& name, const std::vector<int64_t>& shape)
{
    const TensorView& view = file.at(name);
    if (view.dtype != DType::F32 || view.shape != shape)
        refuse(file, "tensor \"" + name + "\" is not what the set's labels and its space ask for");
    std::vector<float> values = view.to_floats(file.path().string());
    for (const float value : values)
        if (!std::isfinite(value))
            refuse(file, "tensor \"" + name + "\" holds what is no number");
    return values;
}

/// A TOML basic string.
std::string quoted(const std::string& text)
{
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TensorView view_of(const std::vector<float>& values, std::vector<int64_t> shape)
{
    return {DType::F32, std::move(shape), std::as_bytes(std::span(values))};
}

}  // namespace

LearnedLabels read_learned_labels(const LabelSet& set, const std::string& space)
{
    const SafetensorsFile file(set.learned);
    LearnedLabels learned{stated(file, kSpaceKey), {}};
    if (stated(file, kNamesKey) != names_of(set))
        refuse(file, "was learned for other labels than the set has");
    if (learned.space != space)
        throw Error(ErrorKind::Unsupported, set.learned.string(),
                    "was learned for the model " + learned.space + ", and this library's vectors are of " + space,
                    "Switch the library with 'imprint model use', or learn the labels again");
    const auto rows = static_cast<int64_t>(set.classes.size()) + 1;
    for (const Modality modality : set.looks_at) {
        const std::string name = modality_name(modality);
        const TensorView& weights = file.at(name + ".weights");
        if (weights.shape.size() != 2)
            refuse(file, "tensor \"" + name + ".weights\" is no matrix");
        const int64_t dim = weights.shape[1];
        if (!space.ends_with("-" + std::to_string(dim)))
            refuse(file, "reads vectors of " + std::to_string(dim) + " numbers, which the space has not");
        learned.layers[static_cast<size_t>(modality)] = training::ClassProbe{
            {static_cast<int>(dim), finite(file, name + ".weights", {rows, dim})}, finite(file, name + ".bias", {rows})};
    }
    return learned;
}

void write_learned_set(const fs::path& file, const LabelSet& set, const LearnedLabels& learned)
{
    IMPRINT_ASSERT(set.learned.parent_path() == file.parent_path() && !set.looks_at.empty());
    std::vector<std::pair<std::string, TensorView>> tensors;
    for (const Modality modality : set.looks_at) {
        const training::ClassProbe& layer = learned.layers[static_cast<size_t>(modality)].value();
        const auto rows = static_cast<int64_t>(layer.bias.size());
        IMPRINT_ASSERT(layer.classes() == static_cast<int>(set.classes.size()));
        tensors.emplace_back(std::string(modality_name(modality)) + ".weights",
                             view_of(layer.weights.values, {rows, layer.weights.dim}));
        tensors.emplace_back(std::string(modality_name(modality)) + ".bias", view_of(layer.bias, {rows}));
    }
    model::write_safetensors(set.learned, {{kSpaceKey, learned.space}, {kNamesKey, names_of(set)}}, tensors);
    std::ostringstream text;
    text << "# Learned from examples by 'imprint finetune'; for the model " << learned.space << ".\n"
         << "name = " << quoted(set.name) << "\n"
         << "looks_at = \"" << (set.looks_at.size() == 2 ? "both" : modality_name(set.looks_at.front())) << "\"\n"
         << "learned = " << quoted(set.learned.filename().string()) << "\n";
    for (const LabelClass& label : set.classes)
        text << "\n[[label]]\nname = " << quoted(label.name) << "\n";
    const fs::path partial = file.string() + ".part";
    training::write_file_synced(partial, text.str());
    fs::rename(partial, file);
    training::sync_folder(file.parent_path());
}

}  // namespace imprint::jobs
