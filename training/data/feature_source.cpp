// SPDX-License-Identifier: Apache-2.0
// Rows of mapped tensors.
#include "training/data/feature_source.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::training {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& subject, const std::string& reason,
                         const std::string& remedy = "Compute the features anew")
{
    throw Error(ErrorKind::Malformed, subject, reason, remedy);
}

json metadata_list(const model::SafetensorsFile& file, const std::string& key)
{
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
        return json::array();
    json list = json::parse(found->second, nullptr, false);
    if (!list.is_array())
        refuse(file.path().string(), "its metadata \"" + key + "\" is not a JSON list");
    return list;
}

std::vector<std::string> texts_in(const json& value, const std::string& subject)
{
    if (value.is_string())
        return {value.get<std::string>()};
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), [](const json& text) { return text.is_string(); }))
        refuse(subject, "is neither a text nor a list of texts");
    return value.get<std::vector<std::string>>();
}

}  // namespace

FeatureSource::FeatureSource(const std::vector<std::filesystem::path>& files)
    : name_(files.empty() ? "no features" : files[0].string() + (files.size() > 1 ? " …" : ""))
{
    if (files.empty())
        throw Error(ErrorKind::Usage, name_, "no file is named", "Name at least one");
    std::vector<int64_t> counts;
    for (const auto& path : files) {
        Part part{model::SafetensorsFile(path), size_, 0, {}};
        const model::TensorView& features = part.file.at("features");
        if (features.shape.size() < 2)
            refuse(path.string() + ": features", "must have the shape [items, …]");
        const std::vector<int64_t> shape(features.shape.begin() + 1, features.shape.end());
        if (parts_.empty()) {
            shape_ = shape;
            std::vector<std::string> names;
            for (const json& name : metadata_list(part.file, "classes"))
                names.push_back(name.is_string() ? name.get<std::string>() : std::string());
            classes_ = Classes(names);
            counts.resize(names.size());
        } else if (shape != shape_) {
            refuse(path.string() + ": features", "have another shape than those of " + files[0].string());
        }
        part.items = features.shape[0];
        read_texts(part);
        for (int64_t row = 0; row < part.items; ++row)
            if (const int label = label_of(part, row); label >= 0)
                ++counts[static_cast<size_t>(label)];
        size_ += part.items;
        parts_.push_back(std::move(part));
    }
    if (size_ == 0)
        refuse(name_, "holds no item");
    classes_.refuse_empty(counts, name_);
}

void FeatureSource::read_texts(Part& part) const
{
    const std::string subject = part.file.path().string() + ": texts";
    const json list = metadata_list(part.file, "texts");
    if (list.empty())
        return;
    if (static_cast<int64_t>(list.size()) != part.items)
        refuse(subject, "are " + std::to_string(list.size()) + " for " + std::to_string(part.items) + " items");
    for (size_t row = 0; row < list.size(); ++row)
        part.texts.push_back(texts_in(list[row], subject + ", row " + std::to_string(row)));
}

int FeatureSource::label_of(const Part& part, int64_t row) const
{
    if (!part.file.contains("labels"))
        return -1;
    const model::TensorView& labels = part.file.at("labels");
    const std::string subject = part.file.path().string() + ": labels";
    if (labels.dtype != model::DType::I64 || labels.shape != std::vector<int64_t>{part.items})
        refuse(subject, "must be I64 with one value per item");
    if (classes_.empty())
        refuse(subject, "are there, but no classes", "Write the metadata \"classes\" of the first file");
    int64_t label = -1;
    std::memcpy(&label, labels.data.data() + static_cast<size_t>(row) * sizeof label, sizeof label);
    if (label < 0 || label >= static_cast<int64_t>(classes_.names().size()))
        refuse(subject + ", row " + std::to_string(row),
               std::to_string(label) + " is none of the " + std::to_string(classes_.names().size()) + " classes");
    return static_cast<int>(label);
}

Sample FeatureSource::sample(int64_t index) const
{
    IMPRINT_ASSERT(index >= 0 && index < size());
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), index, [](int64_t i, const Part& part) { return i < part.first; });
    const Part& part = *std::prev(after);
    const int64_t row = index - part.first;
    model::TensorView view = part.file.at("features");
    const size_t bytes = part.items ? view.data.size() / static_cast<size_t>(part.items) : 0;
    view.data = view.data.subspan(static_cast<size_t>(row) * bytes, bytes);
    view.shape[0] = 1;
    Sample sample;
    sample.name = part.file.path().string() + ", row " + std::to_string(row);
    sample.media = Features{shape_, view.to_floats(sample.name)};
    if (!part.texts.empty())
        sample.texts = part.texts[static_cast<size_t>(row)];
    sample.label = label_of(part, row);
    return sample;
}

}  // namespace imprint::training
