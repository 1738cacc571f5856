// SPDX-License-Identifier: Apache-2.0
// Examples of classes: which files there are, and what each looks or sounds like.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/jobs/extract.h"
#include "app/jobs/jobs.h"

namespace imprint::jobs {

/// A file, or a span of one, of a class.
struct LabelledSource {
    std::filesystem::path path;
    int label = 0;  ///< of LabelledMedia::classes; kNone for what was said to be none of them
    int file = 0;   ///< equal for spans of one file, from 0
    std::optional<Window> span = {};
    std::optional<Modality> modality = {};  ///< this one alone; nothing: a sound's sound, else the picture
    bool certain = true;                    ///< a failure to read it counts

    static constexpr int kNone = -1;
};

struct LabelledMedia {
    std::string name;
    std::vector<std::string> classes;
    std::vector<LabelledSource> sources;  ///< class by class, by path
    std::vector<index::Failure> refused;  ///< by the file system
};

/// The folders right below `folder` are the classes, under their own names in order of bytes; files at any depth below them their
/// examples. Hidden ones are passed over, and links are not followed; `skip` is not entered. Error(NotFound) without the folder,
/// Error(Malformed) for one without class folders, for two whose names differ in capitals alone, and for one called "none".
LabelledMedia media_of_folder(const std::filesystem::path& folder, const std::filesystem::path& skip, const CancelToken& cancel);

/// What was said of the library's moments under this set. Error(NotFound) for a set that is not there or of which nothing was
/// said.
LabelledMedia media_of_reviews(const Engine& engine, const std::string& set);

/// What one example is. The same file gives the same ones.
struct Example {
    int label = 0;  ///< as in LabelledSource
    int file = 0;
    Modality modality = Modality::Picture;
    Input input;
};

/// At most so many moments of one file; a longer one is looked at in as many places, evenly spread.
inline constexpr int kMomentsOfFile = 12;

/// Decodes the sources, several at once, and hands out what they hold in their order, from the calling thread; memory is that of
/// a few files. `told` hears how many sources are done. Returns the failures of those that are certain.
std::vector<index::Failure> read_examples(Engine& engine, const std::vector<LabelledSource>& sources,
                                          const std::function<void(Example)>& sink, const std::function<void(int64_t)>& told,
                                          const CancelToken& cancel);

}  // namespace imprint::jobs
