// SPDX-License-Identifier: Apache-2.0
// What common nouns mean, so that a query of one word can be told to the model with its meaning.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/encoder.h"

namespace imprint {

/// Nouns and names of things with their glosses: `nouns.tsv`, from WordNet, and `names.tsv`, well-known things that it has not
/// ("burj khalifa") with their kinds ("skyscraper"). Immutable: any thread may ask.
class Lexicon {
public:
    /// `folder` (resources/lexicon) has both files: lines `word<TAB>gloss`, words in lower case and in the order of their bytes;
    /// of a word in both, the noun counts. Throws Error(NotFound, …) where one cannot be read and Error(Malformed) naming the
    /// line.
    explicit Lexicon(const std::filesystem::path& folder);
    Lexicon(const Lexicon&) = delete;
    Lexicon& operator=(const Lexicon&) = delete;

    /// The meaning of what the whole text names ("dog: a member of the genus Canis …"): one noun, in any letter case, singular
    /// or plural, with or without an article. Empty where it names none, or more than one thing.
    std::string_view gloss(std::string_view text) const;
    /// Whether a word in lower case, inflected or not, stands anywhere in the list, be it in a gloss.
    bool knows(const std::string& word) const;
    /// What a word of kLeastTyped bytes or more, or what it is the plural of, was meant to be: the word of the list that it is
    /// nearest to by one slip() of the fingers or the ear, of several one that names something, and then the commonest. Empty
    /// where the word is known, has a digit, or is near to none. A few milliseconds.
    std::string meant(const std::string& word) const;
    static constexpr size_t kLeastTyped = 5;  ///< among shorter ones nearly everything is near to something

private:
    void read(const std::filesystem::path& file, std::string& text);
    std::string_view exact(std::string_view word) const;

    std::string nouns_, names_;
    std::vector<std::string_view> lines_;  // into both, without the line's end, in the order of words
    struct Word {
        int times = 0;       // in the whole list
        bool names = false;  // stands among the words, and not in a gloss alone
    };
    std::unordered_map<std::string, Word> words_;
};

/// How much of a noun's meaning goes into its query, beside 1 of the word itself.
inline constexpr float kGlossShare = 0.3f;

/// Vectors of what people ask for, one unit row a text: unit(text + kGlossShare · gloss) where the lexicon knows what the text
/// names, else the text's own vector. For queries and names of classes; captions and sentences say enough themselves.
Vectors encode_queries(Encoder& encoder, const Lexicon& lexicon, std::span<const std::string> texts);

/// One word of a text that was read as another.
struct Respelling {
    std::string typed, read;
};

/// Corrects slips in place: each word that the lexicon has not and the model must spell becomes what it was meant to be, in
/// lower case, where that is known (Lexicon::meant). `elsewhere`, where given, knows further words (in lower case), which
/// stay as they are.
std::vector<Respelling> respell(const Encoder& encoder, const Lexicon& lexicon, std::string& text,
                                const std::function<bool(const std::string& word)>& elsewhere = {});

/// Whether a text is about something that is heard: it, or what the lexicon says of the one thing that it names, has a word for
/// sounds, voices or music ("a dog barking"; "thunder", a deep prolonged loud noise).
bool speaks_of_sound(const Lexicon& lexicon, std::string_view text);

/// Whether nobody can have meant anything by a text, as far as the model and the lexicon know: three quarters of its letters or
/// more belong to words that the lexicon has not and that the model must spell, in three pieces for ten letters at least, or
/// are a single letter or digit. A text without any is such a one. Slips are to be corrected before.
bool is_gibberish(const Encoder& encoder, const Lexicon& lexicon, const std::string& text,
                  const std::function<bool(const std::string& word)>& elsewhere = {});

}  // namespace imprint
