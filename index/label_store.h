// SPDX-License-Identifier: Apache-2.0
// A library's side of labelling: stored vectors to label by, verdicts of people, guesses of models.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "index/library.h"

namespace imprint::index {

/// A person's verdict on one moment under one label set. It names no model, and holds under every one.
struct Review {
    int64_t file = 0;  ///< a FileRow's id
    Moment moment;
    std::string set;     ///< the label set's name, not empty
    std::string label;   ///< a name of the set; empty: none of them
    bool drawn = false;  ///< chance chose the moment, not its uncertainty
};

/// A file's moments with what is stored of them in the active space.
struct StoredMoments {
    std::vector<Moment> moments;
    Vectors vectors;                     ///< one unit vector each
    std::vector<float> mean, deviation;  ///< of each vector's cosines to the encoder's text bank
};

/// The catalog of an existing library, as Library has it: one thread at a time; ReadWrite takes the writer's lock
/// (Error(Busy)); every writing method is one transaction.
class LabelStore {
public:
    LabelStore(const std::filesystem::path& library_folder, OpenMode mode);
    ~LabelStore();
    LabelStore(const LabelStore&) = delete;
    LabelStore& operator=(const LabelStore&) = delete;

    /// Keeps a verdict, which replaces an earlier one on the same moment, and makes its label a person's word on that span
    /// (on the whole file for a still image). Verdicts survive when a file is indexed again or moved.
    void put_review(const Review& review);
    /// False when there is no verdict on that moment. The label that it brought goes with it.
    bool drop_review(const Review& review);
    std::vector<Review> reviews(const std::string& set) const;  ///< by file, modality and time
    /// Takes the file's guesses of these names away and puts others in their place; what a person said stays.
    void replace_guesses(int64_t file, const std::vector<std::string>& names, const std::vector<Label>& guesses);

    /// Indexed files that are complete in the active space and pass the filter (its modalities do not count), by id.
    std::vector<FileRow> matching(const Filter& filter) const;
    StoredMoments stored(int64_t file) const;  ///< of a FileRow's id

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint::index
