// SPDX-License-Identifier: Apache-2.0
// One FTS5 look-up a word and place; the weights of the words that match add up.
#include "index/names.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string_view>

#include "core/base/error.h"
#include "index/catalog.h"

namespace imprint::index {
namespace {

constexpr size_t kMostWords = 16;
constexpr float kFolderShare = 0.5f;

/// Words that name nothing, so that their absence from a file's name says nothing either.
constexpr std::string_view kSilent[] = {
    "a",  "an",    "and",  "are", "as",    "at",    "be",  "by",   "for",   "from",    "has",   "his",   "her",   "in",    "into",
    "is", "it",    "its",  "my",  "near",  "of",    "on",  "or",   "our",   "over",    "some",  "that",  "the",   "their", "this",
    "to", "under", "very", "was", "which", "while", "who", "with", "photo", "picture", "image", "video", "sound", "clip"};

bool is_letter(unsigned char c) { return std::isalnum(c) || c >= 0x80; }

std::vector<int64_t> files_with(const Catalog& catalog, const std::string& match, int64_t most)
{
    auto select = catalog.use("SELECT rowid FROM words WHERE words MATCH ? LIMIT ?");
    select->bind(1, match);
    select->bind(2, most + 1);
    std::vector<int64_t> files;
    while (select->executeStep())
        files.push_back(select->getColumn(0).getInt64());
    return files;
}

}  // namespace

std::vector<std::string> naming_words(const std::string& text)
{
    std::vector<std::string> words;
    for (size_t i = 0; i < text.size() && words.size() < kMostWords;) {
        std::string word;
        for (; i < text.size() && is_letter(static_cast<unsigned char>(text[i])); ++i)
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
        if (word.empty())
            ++i;
        else if (std::find(std::begin(kSilent), std::end(kSilent), word) == std::end(kSilent)
                 && std::find(words.begin(), words.end(), word) == words.end())
            words.push_back(std::move(word));
    }
    return words;
}

std::unordered_map<int64_t, float> name_coverage(const Catalog& catalog, const std::string& text, int64_t most)
{
    std::unordered_map<int64_t, float> coverage;
    const std::vector<std::string> words = naming_words(text);
    if (words.empty())
        return coverage;
    double files = 0;
    {
        auto select = catalog.use("SELECT count(*) FROM files WHERE state = 0");
        select->executeStep();
        files = static_cast<double>(select->getColumn(0).getInt64());
    }
    double all = 0;
    for (const std::string& word : words) {
        const std::string quoted = '"' + word + '"';
        const std::vector<int64_t> own = files_with(catalog, "{name labels} : " + quoted, most);
        const std::vector<int64_t> filed = files_with(catalog, "folder : " + quoted, most);
        const bool own_says = static_cast<int64_t>(own.size()) <= most, folder_says = static_cast<int64_t>(filed.size()) <= most;
        // Robertson's form, kept above zero: a word on half of all files still tells them from the other half, a little.
        const double carriers = static_cast<double>(std::max(own.size(), folder_says ? filed.size() : 0));
        const double weight = std::log(1 + (files - std::min(carriers, files) + 0.5) / (carriers + 0.5));
        all += weight;
        std::unordered_map<int64_t, float> here;
        if (folder_says)
            for (const int64_t file : filed)
                here[file] = kFolderShare;
        if (own_says)
            for (const int64_t file : own)
                here[file] = 1;
        for (const auto& [file, share] : here)
            coverage[file] += static_cast<float>(weight) * share;
    }
    for (auto& [file, sum] : coverage)
        sum = static_cast<float>(sum / all);
    return coverage;
}

bool stands_in_a_name(const Catalog& catalog, const std::string& text)
{
    const std::vector<std::string> words = naming_words(text);
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        return !files_with(catalog, "{name labels} : \"" + word + '"', 0).empty();
    });
}

void settle_words(const Catalog& catalog)
{
    catalog.use("DELETE FROM words WHERE rowid IN (SELECT file FROM words_due)")->exec();
    // Crossed in this order: the few that are due, each looked up by its number.
    catalog
        .use("INSERT INTO words (rowid, name, folder, labels) SELECT spoken.file, name, folder, labels"
             " FROM words_due CROSS JOIN spoken ON spoken.file = words_due.file")
        ->exec();
    catalog.use("DELETE FROM words_due")->exec();
}

bool words_differ(const Catalog& catalog)
{
    try {
        catalog.use("SELECT 1 FROM words WHERE words MATCH 'a' LIMIT 1")->executeStep();
        if (catalog.mode() == OpenMode::ReadWrite)
            catalog.use("INSERT INTO words (words) VALUES ('integrity-check')")->exec();
        auto select = catalog.use(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM words_due) OR (SELECT count(*) FROM words) <> (SELECT count(*) FROM files)"
            " OR EXISTS (SELECT 1 FROM spoken LEFT JOIN words ON words.rowid = spoken.file WHERE words.name IS NOT spoken.name"
            " OR words.folder IS NOT spoken.folder OR words.labels IS NOT spoken.labels)");
        return select->executeStep();
    } catch (const SQLite::Exception& exception) {
        const int code = exception.getErrorCode() & 0xff;
        if (code != SQLITE_CORRUPT && code != SQLITE_ERROR)
            throw;
        return true;
    }
}

void make_words_anew(const Catalog& catalog)
{
    std::string create;
    {
        auto select = catalog.use("SELECT sql FROM sqlite_schema WHERE name = 'words'");
        if (!select->executeStep())
            throw Error(ErrorKind::Malformed, catalog.folder().native(), "the catalog has no table of words");
        create = select->getColumn(0).getString();
    }
    for (const std::string& sql : {std::string("DROP TABLE words"), create, std::string("DELETE FROM words_due"),
                                   std::string("INSERT INTO words (rowid, name, folder, labels)"
                                               " SELECT file, name, folder, labels FROM spoken")})
        catalog.dynamic(sql, [](SQLite::Statement& statement) { statement.exec(); });
}

}  // namespace imprint::index
