// SPDX-License-Identifier: Apache-2.0
// A table of media files: CSV (.csv, .tsv) with a header line, or JSON lines (.jsonl).
#pragma once

#include "training/data/classes.h"
#include "training/data/source.h"

namespace imprint::training {

struct ManifestOptions {
    std::string path_column = "path";
    std::vector<std::string> text_columns;  ///< every non-empty one is a caption; in JSON lines a list holds several
    std::string label_column;               ///< empty: no labels
    std::string split_column = "split";
    std::string split;                 ///< only rows of this split; empty: all rows, and no split column is needed
    std::vector<std::string> classes;  ///< the closed set; empty: gathered from the rows of all splits
    std::filesystem::path root;        ///< relative paths start here; empty: beside the manifest
};

/// Samples are the manifest's rows, in its order. Error(NotFound) without the file; Error(Malformed), naming file and line, for
/// a missing column, a row with too few or too many fields, a line that is no JSON object, an empty path, a label outside the
/// set, a class without a row, and a split without rows. That a path leads to a file is found out when it is read.
class ManifestSource final : public Source {
public:
    ManifestSource(const std::filesystem::path& manifest, ManifestOptions options);

    const std::string& name() const override { return name_; }
    int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
    Sample sample(int64_t index) const override;
    const std::vector<std::string>& classes() const override { return classes_.names(); }

private:
    struct Row {
        int64_t line;
        std::filesystem::path path;
        std::vector<std::string> texts;
        int label;
    };
    std::string name_;
    Classes classes_;
    std::vector<Row> rows_;
};

}  // namespace imprint::training
