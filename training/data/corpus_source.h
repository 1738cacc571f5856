// SPDX-License-Identifier: Apache-2.0
// A prepared corpus as plain samples: what training/corpus writes, for objectives that decode their media.
#pragma once

#include "training/data/source.h"

namespace imprint::training {

/// Samples are the lines of items.jsonl of the split "train" and of one kind ("image", "sound") that have captions, in its order.
/// Error(NotFound) without items.jsonl or texts.txt; Error(Malformed), naming file and line, for a line that is no item or names
/// a text that is not there, and for a corpus without such items. Labels are left out: a corpus has words, no closed set.
class CorpusSource final : public Source {
public:
    CorpusSource(const std::filesystem::path& root, const std::string& kind);

    const std::string& name() const override { return name_; }
    int64_t size() const override { return static_cast<int64_t>(items_.size()); }
    Sample sample(int64_t index) const override;
    const std::vector<std::string>& classes() const override { return classes_; }

private:
    struct Item {
        int64_t line;
        std::filesystem::path path;
        std::vector<int64_t> texts;
    };
    std::string name_;
    std::vector<Item> items_;
    std::vector<std::string> texts_, classes_;
};

}  // namespace imprint::training
