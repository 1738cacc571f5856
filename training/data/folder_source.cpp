// SPDX-License-Identifier: Apache-2.0
// Walking the class folders.
#include "training/data/folder_source.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

std::vector<fs::path> class_folders(const fs::path& root)
{
    std::error_code failure;
    fs::directory_iterator entries(root, failure);
    if (failure)
        throw_errno(failure.value(), root.string(), "read the folder of classes");
    std::vector<fs::path> folders;
    for (const auto& entry : entries)
        if (entry.symlink_status().type() == fs::file_type::directory && !hidden(entry.path()))
            folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    return folders;
}

std::vector<fs::path> files_below(const fs::path& folder)
{
    std::error_code failure;
    fs::recursive_directory_iterator entries(folder, failure);
    std::vector<fs::path> files;
    for (; !failure && entries != fs::recursive_directory_iterator(); entries.increment(failure)) {
        if (hidden(entries->path())) {
            entries.disable_recursion_pending();
            continue;
        }
        if (entries->symlink_status().type() == fs::file_type::regular)
            files.push_back(entries->path());
    }
    if (failure)
        throw_errno(failure.value(), folder.string(), "read the folder");
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

FolderSource::FolderSource(const fs::path& root, const std::vector<std::string>& classes) : name_(root.string())
{
    const std::vector<fs::path> folders = class_folders(root);
    if (folders.empty())
        throw Error(ErrorKind::Malformed, name_, "has no class folders",
                    "Put each class's files in a folder of its own below it");
    std::vector<std::string> found;
    for (const fs::path& folder : folders)
        found.push_back(folder.filename().string());
    classes_ = classes.empty() ? Classes::gathered(found) : Classes(classes);

    std::vector<int64_t> counts(classes_.names().size());
    for (const fs::path& folder : folders) {
        const auto label = classes_.find(folder.filename().string());
        if (!label)
            throw Error(ErrorKind::Malformed, folder.string(),
                        "is a folder of none of the " + std::to_string(counts.size()) + " classes",
                        "Rename or remove it, or add it to the classes");
        for (fs::path& file : files_below(folder)) {
            files_.push_back({std::move(file), *label});
            ++counts[static_cast<size_t>(*label)];
        }
    }
    classes_.refuse_empty(counts, name_);
}

Sample FolderSource::sample(int64_t index) const
{
    IMPRINT_ASSERT(index >= 0 && index < size());
    const File& file = files_[static_cast<size_t>(index)];
    return {file.path.string(), file.path, {}, file.label};
}

}  // namespace imprint::training
