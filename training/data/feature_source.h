// SPDX-License-Identifier: Apache-2.0
// Features that were computed beforehand, from safetensors files.
#pragma once

#include "core/model/safetensors.h"
#include "training/data/classes.h"
#include "training/data/source.h"

namespace imprint::training {

/// Each file holds "features" [items, …] (F16, BF16, F32 or F64) and may hold "labels" [items] (I64) and, in its metadata,
/// "texts": a JSON list with one text or list of texts per item. Metadata "classes" of the first file, a JSON list of names, is
/// the closed set. All files agree in the features' shape but for the items. Files are mapped, not read. Error(Malformed), naming
/// file, tensor and row: a missing tensor, shapes that do not agree, labels without classes or outside them, a class without
/// item, texts that are not one per item.
class FeatureSource final : public Source {
public:
    explicit FeatureSource(const std::vector<std::filesystem::path>& files);

    const std::string& name() const override { return name_; }
    int64_t size() const override { return size_; }
    Sample sample(int64_t index) const override;
    const std::vector<std::string>& classes() const override { return classes_.names(); }

private:
    struct Part {
        model::SafetensorsFile file;
        int64_t first = 0, items = 0;
        std::vector<std::vector<std::string>> texts;
    };
    void read_texts(Part& part) const;
    int label_of(const Part& part, int64_t row) const;

    std::string name_;
    Classes classes_;
    std::vector<int64_t> shape_;  ///< of one item
    std::vector<Part> parts_;
    int64_t size_ = 0;
};

}  // namespace imprint::training
