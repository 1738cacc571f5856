// SPDX-License-Identifier: Apache-2.0
// WebDataset shards: tar archives in which the files of one sample stand side by side and share the name up to its first dot.
#pragma once

#include "training/data/classes.h"
#include "training/data/source.h"
#include "training/data/tar_index.h"

namespace imprint::training {

/// Parts are named by their extension ("jpg", "txt"), fields of a JSON part as "json.caption".
struct ShardOptions {
    std::vector<std::string> media_parts = {"jpg", "jpeg", "png",  "webp", "mp4", "webm",
                                            "mkv", "wav",  "flac", "ogg",  "mp3", "m4a"};
    std::vector<std::string> text_parts = {"txt"};  ///< those that a sample has
    std::string label_part;                         ///< "cls", "json.label"; empty: no labels
    std::vector<std::string> classes;               ///< the closed set; must be given where there are labels
};

/// Samples in the order of the shards, as Python's `webdataset` groups them: extensions in lower case, entries whose name has no
/// dot after the last folder and metadata entries ("__…__") left out. Content is read when a sample is asked for; a sample
/// without media part, with an empty caption list or a label outside the set is an error of that sample alone. Opening throws
/// what TarIndex throws, Error(Usage) for labels without classes, and Error(Malformed) for one part twice in a sample and for
/// shards that hold no sample at all.
class ShardSource final : public Source {
public:
    ShardSource(const std::vector<std::filesystem::path>& shards, ShardOptions options = {});

    const std::string& name() const override { return name_; }
    int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
    Sample sample(int64_t index) const override;
    const std::vector<std::string>& classes() const override { return classes_.names(); }

private:
    struct Part {
        std::string extension;
        size_t entry;
    };
    struct Group {
        size_t shard;
        std::string key;
        std::vector<Part> parts;
    };
    void add_shard(const std::filesystem::path& path);

    std::string name_;
    ShardOptions options_;
    Classes classes_;
    std::vector<TarIndex> shards_;
    std::vector<Group> samples_;
};

/// The shards that a pattern names: "train-{0000..0131}.tar" (numbers as wide as the first one), or one file. Error(Usage) for a
/// range that cannot be read.
std::vector<std::filesystem::path> expand_shards(const std::string& pattern);

}  // namespace imprint::training
