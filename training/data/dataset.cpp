// SPDX-License-Identifier: Apache-2.0
#include "training/data/dataset.h"

#include "core/base/error.h"
#include "training/data/corpus_source.h"
#include "training/data/feature_source.h"
#include "training/data/folder_source.h"
#include "training/data/manifest_source.h"
#include "training/data/shard_source.h"

namespace imprint::training {
namespace {

std::unique_ptr<Source> open_shards(const DatasetRecipe& dataset)
{
    std::vector<std::filesystem::path> shards;
    for (const auto& pattern : dataset.paths)
        for (auto& path : expand_shards(pattern))
            shards.push_back(std::move(path));
    ShardOptions options;
    if (!dataset.media.empty())
        options.media_parts = dataset.media;
    if (!dataset.texts.empty())
        options.text_parts = dataset.texts;
    options.label_part = dataset.label;
    options.classes = dataset.classes;
    return std::make_unique<ShardSource>(shards, options);
}

}  // namespace

std::unique_ptr<Source> open_source(const DatasetRecipe& dataset)
{
    IMPRINT_ASSERT(!dataset.paths.empty());
    const std::filesystem::path first = dataset.paths.front();
    switch (dataset.kind) {
    case DatasetKind::Folder:
        return std::make_unique<FolderSource>(first, dataset.classes);
    case DatasetKind::Manifest:
        return std::make_unique<ManifestSource>(first,
                                                ManifestOptions{.path_column = dataset.path_column,
                                                                .text_columns = dataset.texts,
                                                                .label_column = dataset.label,
                                                                .split_column = "split",
                                                                .split = dataset.split,
                                                                .classes = dataset.classes,
                                                                .root = dataset.root});
    case DatasetKind::Shards:
        return open_shards(dataset);
    case DatasetKind::Features:
        return std::make_unique<FeatureSource>(std::vector<std::filesystem::path>(dataset.paths.begin(), dataset.paths.end()));
    case DatasetKind::Corpus:
        return std::make_unique<CorpusSource>(first, dataset.media.front());
    }
    IMPRINT_ASSERT(!"a kind of data set without source");
}

}  // namespace imprint::training
