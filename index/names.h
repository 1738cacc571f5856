// SPDX-License-Identifier: Apache-2.0
// Files found by the words of their names, folders and labels, and the table of those. Private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace imprint::index {

class Catalog;

/// The words of a text that may name something: lower-case letters and digits as typed, without "a", "the", "of" and their
/// like, each once, at most 16.
std::vector<std::string> naming_words(const std::string& text);

/// How much of the question a file's words answer: 0 to 1. Each word weighs as much as it is rare in the library (its
/// inverse document frequency); one that stands only in the folder counts half. Stems match (dogs, dog).
/// Files without a match are not in the map. Words that more than `most` files carry say nothing and are passed over.
/// Within a read transaction of the catalog.
std::unordered_map<int64_t, float> name_coverage(const Catalog& catalog, const std::string& text, int64_t most = 20'000);

/// Whether one of the text's words stands in a file's name or a label.
bool stands_in_a_name(const Catalog& catalog, const std::string& text);

/// Brings the words of the files that changed up to date. To be called last in a write transaction.
void settle_words(const Catalog& catalog);

/// Whether the table of words says something else than the names, folders and labels do, or cannot be read. Only where the
/// catalog may be written is every entry of the index held against the table.
bool words_differ(const Catalog& catalog);

/// Makes the table of words anew, also where its pages make no sense. Within a write transaction.
void make_words_anew(const Catalog& catalog);

}  // namespace imprint::index
