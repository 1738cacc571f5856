// SPDX-License-Identifier: Apache-2.0
// Label sets: plain TOML files that say which labels there are and in which words a model is asked for them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/encoder.h"

namespace imprint::jobs {

/// What nothing of a set fits is called.
inline constexpr const char* kNoneLabel = "none";

struct LabelClass {
    std::string name;
    std::vector<std::string> synonyms;  ///< other names, put into the same sentences
    std::vector<std::string> prompts;   ///< whole sentences, taken as they are
    int parent = -1;                    ///< what it is a kind of; stands in the set too
};

struct LabelSet {
    std::string name;
    std::vector<Modality> looks_at;
    bool several = false;           ///< a moment may carry several labels, each decided by itself
    std::vector<std::string> none;  ///< sentences for what is none of them, each competing by itself
    std::vector<LabelClass> classes;
    std::filesystem::path
        learned;  ///< what tells them apart was learned from examples and is in this file; empty: words alone tell

    int find(const std::string& label) const;  ///< -1 where there is none of this name
    /// Whether `above` is `label` itself or what it is a kind of.
    bool covers(int above, int label) const;
};

/// Reads
///     name = "Animals"             # the file's name where left out
///     looks_at = "picture"         # or "sound", or "both"
///     several = false
///     none = ["an empty room"]
///     learned = "pets.layer.safetensors"   # beside this file; in place of words (app/jobs/learned_labels.h)
///     [[label]]
///     name = "dog"
///     synonyms = ["puppy"]
///     prompts = ["a dog on a lead"]
///     parent = "mammal"            # before or after it
/// Error(NotFound) without the file; Error(Malformed) with file:line for a set without labels, two equal names (capitals do not
/// count), an unknown parent, parents in a circle, a label called "none", an empty text, a key of no meaning, bad TOML, and a
/// learned set that allows several labels or has sentences for none.
LabelSet read_label_set(const std::filesystem::path& file);

/// The shipped sets' files, by name.
std::vector<std::filesystem::path> shipped_label_sets();
/// A file as named, else the shipped set of that name. Error(NotFound) lists what there is.
std::filesystem::path find_label_set(const std::string& named);

}  // namespace imprint::jobs
