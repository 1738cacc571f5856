// SPDX-License-Identifier: Apache-2.0
// Sentences around a class name: one drawn per item in training, all of them in a zero-shot ensemble.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "training/data/item_draws.h"

namespace imprint::training {

/// "{}" stands for the class name.
class TextTemplates {
public:
    /// One template a line; empty lines and lines that begin with # are left out. Error(NotFound, Io), Error(Malformed) with
    /// file:line for a line without exactly one "{}", and for a file without templates.
    explicit TextTemplates(const std::filesystem::path& file);

    const std::vector<std::string>& lines() const { return lines_; }
    /// The class in every template, in the file's order.
    std::vector<std::string> all(const std::string& class_name) const;
    /// The class in the template that the item draws.
    std::string drawn(const std::string& class_name, const ItemPlace& place) const;

private:
    std::vector<std::string> lines_;
};

/// A class's file or folder name as words: "polar_bear" reads "polar bear".
std::string class_words(const std::string& class_name);

}  // namespace imprint::training
