// SPDX-License-Identifier: Apache-2.0
// What a recipe or an evaluation suite says of one data set, and the source that this opens.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "training/data/source.h"

namespace imprint::training {

enum class DatasetKind {
    Folder,    ///< one folder of media per class
    Manifest,  ///< CSV, TSV or JSON lines
    Shards,    ///< WebDataset tar archives
    Features,  ///< safetensors files, as a teacher's vectors
    Corpus,    ///< the train split of a prepared corpus (training/corpus): its items with their captions
};

/// Members have defaults so that a data set can name those it has.
struct DatasetRecipe {
    std::string name = {};
    DatasetKind kind = DatasetKind::Folder;
    std::vector<std::string> paths = {};    ///< files or a folder; shards may be patterns ("train-{0000..0131}.tar")
    std::filesystem::path root = {};        ///< Manifest: relative paths start here; empty: beside the manifest
    std::string path_column = "path";       ///< Manifest
    std::vector<std::string> texts = {};    ///< Manifest: columns; Shards: parts; empty: the shards' "txt", or none
    std::vector<std::string> media = {};    ///< Shards: parts; empty: the usual ones. Corpus: "image" or "sound"
    std::string label = {};                 ///< Manifest: column; Shards: part; empty: no labels
    std::string split = {};                 ///< Manifest: only this one; empty: all
    std::vector<std::string> classes = {};  ///< the closed set; empty: gathered, where the source can
    std::filesystem::path templates = {};   ///< sentences around class names: the text of a sample that has none; empty: no text
};

/// Throws Error as the sources do.
std::unique_ptr<Source> open_source(const DatasetRecipe& dataset);

}  // namespace imprint::training
