// SPDX-License-Identifier: Apache-2.0
// A folder with one folder of media per class.
#pragma once

#include "training/data/classes.h"
#include "training/data/source.h"

namespace imprint::training {

/// Samples are the regular files below ROOT/CLASS, at any depth, in byte order of their paths; hidden files and folders and
/// symbolic links are left out. Without `classes` the class folders are the set.
/// Error(NotFound) without the root, Error(Malformed) for a root without class folders, a class without files, and with
/// `classes` given, for a folder outside the set or a class without folder.
class FolderSource final : public Source {
public:
    explicit FolderSource(const std::filesystem::path& root, const std::vector<std::string>& classes = {});

    const std::string& name() const override { return name_; }
    int64_t size() const override { return static_cast<int64_t>(files_.size()); }
    Sample sample(int64_t index) const override;
    const std::vector<std::string>& classes() const override { return classes_.names(); }

private:
    struct File {
        std::filesystem::path path;
        int label;
    };
    std::string name_;
    Classes classes_;
    std::vector<File> files_;
};

}  // namespace imprint::training
