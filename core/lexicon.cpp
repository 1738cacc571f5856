// SPDX-License-Identifier: Apache-2.0
// A sorted list searched in place: nothing but the file's own bytes is kept.
#include "core/lexicon.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "core/spelling.h"

namespace imprint {
namespace {

std::string_view word_of(std::string_view line) { return line.substr(0, line.find('\t')); }

std::string folded(std::string_view text)
{
    std::string result;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '_';
        if (!space)
            result += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    }
    while (!result.empty() && (result.back() == ' ' || result.back() == '.'))
        result.pop_back();
    for (const std::string_view article : {"a ", "an ", "the ", "some "})
        if (result.starts_with(article))
            return result.substr(article.size());
    return result;
}

/// What a plural may be the plural of, likeliest first; the word itself leads.
std::vector<std::string> singulars(const std::string& word)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kIrregular = {{{"children", "child"},
                                                                                                 {"feet", "foot"},
                                                                                                 {"geese", "goose"},
                                                                                                 {"men", "man"},
                                                                                                 {"mice", "mouse"},
                                                                                                 {"people", "person"},
                                                                                                 {"teeth", "tooth"},
                                                                                                 {"women", "woman"}}};
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEndings = {
        {{"ies", "y"}, {"ves", "f"}, {"ves", "fe"}, {"es", ""}, {"s", ""}}};
    std::vector<std::string> found = {word};
    const size_t head = word.rfind(' ') + 1;
    for (const auto& [plural, singular] : kIrregular)
        if (std::string_view(word).substr(head) == plural)
            found.push_back(word.substr(0, head) + std::string(singular));
    for (const auto& [ending, instead] : kEndings)
        if (word.size() > head + ending.size() + 1 && word.ends_with(ending))
            found.push_back(word.substr(0, word.size() - ending.size()) + std::string(instead));
    return found;
}

/// What an inflected word may come from; the word itself leads.
std::vector<std::string> stems(const std::string& word)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kEndings = {{{"ing", ""},
                                                                                                {"ing", "e"},
                                                                                                {"ied", "y"},
                                                                                                {"ed", ""},
                                                                                                {"ed", "e"},
                                                                                                {"er", ""},
                                                                                                {"er", "e"},
                                                                                                {"est", ""},
                                                                                                {"est", "e"},
                                                                                                {"ly", ""}}};
    constexpr size_t kShortest = 3;
    std::vector<std::string> found = singulars(word);
    for (const auto& [ending, instead] : kEndings) {
        if (!word.ends_with(ending) || word.size() + instead.size() < ending.size() + kShortest)
            continue;
        const std::string stem = word.substr(0, word.size() - ending.size());
        found.push_back(stem + std::string(instead));
        if (stem.size() > kShortest && stem.back() == stem[stem.size() - 2])  // "running"
            found.push_back(stem.substr(0, stem.size() - 1));
    }
    return found;
}

/// Runs of letters and digits, as they stand in the text. Signs outside ASCII count as letters.
std::vector<std::string_view> runs_of(std::string_view text)
{
    std::vector<std::string_view> runs;
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : ' ';
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80)
            continue;
        if (i > begin)
            runs.push_back(text.substr(begin, i - begin));
        begin = i + 1;
    }
    return runs;
}

std::string lower(std::string_view word)
{
    std::string result(word);
    for (char& c : result)
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return result;
}

std::vector<std::string> words_of(std::string_view text)
{
    std::vector<std::string> words;
    for (const std::string_view run : runs_of(text))
        words.push_back(lower(run));
    return words;
}

/// As people count: a sign of several bytes is one letter.
std::ptrdiff_t letters_of(const std::string& word)
{
    return std::count_if(word.begin(), word.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace

Lexicon::Lexicon(const std::filesystem::path& folder)
{
    read(folder / "nouns.tsv", nouns_);
    const auto nouns = static_cast<std::ptrdiff_t>(lines_.size());
    read(folder / "names.tsv", names_);
    std::inplace_merge(lines_.begin(), lines_.begin() + nouns, lines_.end(),
                       [](std::string_view a, std::string_view b) { return word_of(a) < word_of(b); });
}

void Lexicon::read(const std::filesystem::path& file, std::string& text)
{
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    if (!in)
        throw_errno(errno ? errno : EIO, file.string(), "read the lexicon");
    text = std::move(bytes).str();
    const size_t before = lines_.size();
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        const size_t tab = line.find('\t');
        const bool whole = tab != 0 && tab != line.npos && tab + 1 < line.size();
        if (!whole || (lines_.size() > before && !(word_of(lines_.back()) < word_of(line))))
            throw Error(ErrorKind::Malformed, file.string() + ":" + std::to_string(lines_.size() - before + 1),
                        whole ? "this word is not in its place in the order of bytes"
                              : "a line must be a word, a tab and a gloss",
                        "Install Imprint anew, or sort the file");
        lines_.push_back(line);
        for (const std::string& word : words_of(line))
            ++words_[word].times;
        for (const std::string& word : words_of(word_of(line)))
            words_[word].names = true;
        begin = end + 1;
    }
}

std::string_view Lexicon::exact(std::string_view word) const
{
    const auto found = std::lower_bound(lines_.begin(), lines_.end(), word,
                                        [](std::string_view line, std::string_view wanted) { return word_of(line) < wanted; });
    if (found == lines_.end() || word_of(*found) != word)
        return {};
    return found->substr(word.size() + 1);
}

std::string_view Lexicon::gloss(std::string_view text) const
{
    for (std::string word : singulars(folded(text))) {
        if (const std::string_view found = exact(word); !found.empty())
            return found;
        // Compounds are typed either way: "hot air balloon", "hot-air balloon".
        for (char& c : word)
            if (c == ' ' || c == '-') {
                const char was = std::exchange(c, c == ' ' ? '-' : ' ');
                if (const std::string_view found = exact(word); !found.empty())
                    return found;
                c = was;
            }
    }
    return {};
}

bool Lexicon::knows(const std::string& word) const
{
    const std::vector<std::string> may_be = stems(word);
    return std::any_of(may_be.begin(), may_be.end(), [&](const std::string& stem) { return words_.contains(stem); });
}

std::string Lexicon::meant(const std::string& word) const
{
    const bool digit = std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digit || knows(word))
        return {};
    std::string nearest;
    std::tuple<Slip, bool, int> least;
    for (const std::string& typed : singulars(word)) {
        if (typed.size() < kLeastTyped)
            continue;
        const std::string typed_sound = sounded(typed);
        for (const auto& [known, facts] : words_) {
            const Slip found = slip(typed, typed_sound, known);
            if (found == Slip::Further)
                continue;
            const std::tuple<Slip, bool, int> here{found, !facts.names, -facts.times};
            // The order of the map is nobody's choice: of two as near, the first in the alphabet.
            if (nearest.empty() || here < least || (here == least && known < nearest)) {
                least = here;
                nearest = known;
            }
        }
    }
    return nearest;
}

Vectors encode_queries(Encoder& encoder, const Lexicon& lexicon, std::span<const std::string> texts)
{
    std::vector<std::string> asked(texts.begin(), texts.end());
    std::vector<size_t> told;  // which text each gloss belongs to
    for (size_t i = 0; i < texts.size(); ++i)
        if (const std::string_view gloss = lexicon.gloss(texts[i]); !gloss.empty()) {
            asked.emplace_back(gloss);
            told.push_back(i);
        }
    Vectors all = encoder.encode_texts(asked);
    const auto dim = static_cast<size_t>(all.dim);
    for (size_t k = 0; k < told.size(); ++k) {
        float* const row = all.values.data() + told[k] * dim;
        const float* const gloss = all.values.data() + (texts.size() + k) * dim;
        double squares = 0;
        for (size_t d = 0; d < dim; ++d) {
            row[d] += kGlossShare * gloss[d];
            squares += static_cast<double>(row[d]) * row[d];
        }
        for (size_t d = 0; d < dim; ++d)
            row[d] = static_cast<float>(row[d] / std::sqrt(squares));
    }
    all.values.resize(texts.size() * dim);
    return all;
}

std::vector<Respelling> respell(const Encoder& encoder, const Lexicon& lexicon, std::string& text,
                                const std::function<bool(const std::string& word)>& elsewhere)
{
    std::vector<Respelling> read;
    std::string result;
    size_t copied = 0;
    for (const std::string_view run : runs_of(text)) {
        const std::string typed = lower(run);
        std::string meant = encoder.pieces(typed) > 1 ? lexicon.meant(typed) : std::string();
        if (meant.empty() || (elsewhere && elsewhere(typed)))
            continue;
        const auto at = static_cast<size_t>(run.data() - text.data());
        result.append(text, copied, at - copied).append(meant);
        copied = at + run.size();
        read.push_back({std::string(run), std::move(meant)});
    }
    text = result.append(text, copied);
    return read;
}

bool speaks_of_sound(const Lexicon& lexicon, std::string_view text)
{
    static constexpr std::string_view kHeard[] = {
        "acoustic", "audible",  "auditory",  "bark",    "barking", "beat",       "bell",   "buzz",     "chirp",
        "clap",     "clapping", "cry",       "drum",    "hum",     "instrument", "laugh",  "laughing", "laughter",
        "loud",     "melody",   "music",     "musical", "noise",   "percussion", "ring",   "ringing",  "roar",
        "scream",   "shout",    "sing",      "singing", "song",    "sound",      "speech", "talking",  "tone",
        "utter",    "uttered",  "utterance", "vocal",   "voice",   "whistle"};
    const auto heard = [](std::string_view words) {
        for (const std::string& word : words_of(words))
            for (const std::string& stem : singulars(word))
                if (std::find(std::begin(kHeard), std::end(kHeard), stem) != std::end(kHeard))
                    return true;
        return false;
    };
    return heard(text) || heard(lexicon.gloss(text));
}

bool is_gibberish(const Encoder& encoder, const Lexicon& lexicon, const std::string& text,
                  const std::function<bool(const std::string& word)>& elsewhere)
{
    // Chosen on made-up noise and on the labels of the evaluation pools; tests/bench/bench_calibration.cpp measures both.
    constexpr double kPiecesPerLetter = 0.3, kUnknownShare = 0.75;
    std::ptrdiff_t letters = 0, unknown = 0;
    for (const std::string& word : words_of(text)) {
        letters += letters_of(word);
        if (word.size() > 1 && (lexicon.knows(word) || (elsewhere && elsewhere(word))))
            continue;
        const int pieces = encoder.pieces(word);  // a letter or digit alone is one piece, and means nothing either
        if ((pieces > 1 || word.size() == 1) && pieces >= kPiecesPerLetter * static_cast<double>(letters_of(word)))
            unknown += letters_of(word);
    }
    return static_cast<double>(unknown) >= kUnknownShare * static_cast<double>(letters);
}

}  // namespace imprint
