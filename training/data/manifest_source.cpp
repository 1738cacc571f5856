// SPDX-License-Identifier: Apache-2.0
// Both formats become the same raw rows; one place checks them.
#include "training/data/manifest_source.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "training/data/csv.h"

namespace imprint::training {
namespace {

using nlohmann::json;

struct RawRow {
    int64_t line = 0;
    std::string path, label, split;
    std::vector<std::string> texts;
};

std::string place(const std::string& file, int64_t line) { return file + ":" + std::to_string(line); }

[[noreturn]] void refuse(const std::string& file, int64_t line, const std::string& reason, const std::string& remedy)
{
    throw Error(ErrorKind::Malformed, place(file, line), reason, remedy);
}

std::string whole(const std::filesystem::path& path)
{
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in || std::filesystem::is_directory(path))
        throw_errno(errno ? errno : EIO, path.string(), "read the manifest");
    return text.str();
}

std::vector<RawRow> csv_rows(const std::string& file, std::string_view text, char delimiter, const ManifestOptions& options)
{
    const std::vector<CsvRow> rows = parse_csv(text, delimiter, file);
    if (rows.empty())
        throw Error(ErrorKind::Malformed, file, "is empty", "Its first line must name the columns");
    const auto& header = rows[0].fields;
    const auto column = [&](const std::string& name) {
        const auto found = std::find(header.begin(), header.end(), name);
        if (found != header.end())
            return static_cast<size_t>(found - header.begin());
        std::string there;
        for (const std::string& field : header)
            there += (there.empty() ? "" : ", ") + field;
        refuse(file, rows[0].line, "has no column \"" + name + "\" (it has: " + there + ")", "Add it, or name another column");
    };
    const size_t path = column(options.path_column);
    const size_t label = options.label_column.empty() ? 0 : column(options.label_column);
    const size_t split = options.split.empty() ? 0 : column(options.split_column);
    std::vector<size_t> texts;
    for (const std::string& name : options.text_columns)
        texts.push_back(column(name));

    std::vector<RawRow> raw;
    for (size_t i = 1; i < rows.size(); ++i) {
        const auto& fields = rows[i].fields;
        if (fields.size() != header.size())
            refuse(file, rows[i].line,
                   "has " + std::to_string(fields.size()) + " fields where the header has " + std::to_string(header.size()),
                   "Quote fields that hold the delimiter");
        RawRow row{rows[i].line,
                   fields[path],
                   options.label_column.empty() ? "" : fields[label],
                   options.split.empty() ? "" : fields[split],
                   {}};
        for (const size_t text_column : texts)
            row.texts.push_back(fields[text_column]);
        raw.push_back(std::move(row));
    }
    return raw;
}

class JsonRow {
public:
    JsonRow(const std::string& file, int64_t line, const std::string& text)
        : file_(file), line_(line), json_(json::parse(text, nullptr, false))
    {
        if (!json_.is_object())
            refuse(file_, line_, "is not a JSON object", "Write one object a line");
    }

    const json& at(const std::string& key) const
    {
        const auto found = json_.find(key);
        if (found == json_.end())
            refuse(file_, line_, "has no \"" + key + "\"", "Add it, or name another field");
        return *found;
    }
    /// A string, or a whole number as its digits.
    std::string word(const std::string& key) const
    {
        const json& value = at(key);
        if (value.is_number_integer())
            return std::to_string(value.get<int64_t>());
        if (!value.is_string())
            refuse(file_, line_, "\"" + key + "\" is neither text nor a whole number", "Write it in quotes");
        return value.get<std::string>();
    }
    void add_texts(const std::string& key, std::vector<std::string>& texts) const
    {
        const json& value = at(key);
        if (!value.is_array()) {
            texts.push_back(word(key));
            return;
        }
        for (const json& text : value) {
            if (!text.is_string())
                refuse(file_, line_, "\"" + key + "\" holds something that is not text", "Write texts in quotes");
            texts.push_back(text.get<std::string>());
        }
    }

private:
    const std::string& file_;
    int64_t line_;
    json json_;
};

std::vector<RawRow> json_rows(const std::string& file, const std::string& text, const ManifestOptions& options)
{
    std::vector<RawRow> raw;
    std::istringstream lines(text);
    int64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        const JsonRow object(file, number, line);
        RawRow row{number,
                   object.word(options.path_column),
                   options.label_column.empty() ? "" : object.word(options.label_column),
                   options.split.empty() ? "" : object.word(options.split_column),
                   {}};
        for (const std::string& name : options.text_columns)
            object.add_texts(name, row.texts);
        raw.push_back(std::move(row));
    }
    return raw;
}

std::vector<RawRow> read_rows(const std::filesystem::path& manifest, const ManifestOptions& options)
{
    const std::string text = whole(manifest), extension = manifest.extension().string();
    if (extension == ".csv" || extension == ".tsv")
        return csv_rows(manifest.string(), text, extension == ".tsv" ? '\t' : ',', options);
    if (extension == ".jsonl")
        return json_rows(manifest.string(), text, options);
    throw Error(ErrorKind::Unsupported, manifest.string(), "is no manifest that can be read", "Name it .csv, .tsv or .jsonl");
}

}  // namespace

ManifestSource::ManifestSource(const std::filesystem::path& manifest, ManifestOptions options) : name_(manifest.string())
{
    std::vector<RawRow> raw = read_rows(manifest, options);
    const bool labelled = !options.label_column.empty();
    if (labelled) {
        std::vector<std::string> labels;
        for (const RawRow& row : raw) {
            if (row.label.empty())
                refuse(name_, row.line, "has no label", "Give it one, or take the row out");
            labels.push_back(row.label);
        }
        classes_ = options.classes.empty() ? Classes::gathered(labels) : Classes(options.classes);
    }
    const std::filesystem::path root = options.root.empty() ? manifest.parent_path() : options.root;
    std::vector<int64_t> counts(classes_.names().size());
    for (RawRow& row : raw) {
        if (row.path.empty())
            refuse(name_, row.line, "names no file", "Fill in \"" + options.path_column + "\", or take the row out");
        const int label = labelled ? classes_.number(row.label, place(name_, row.line)) : -1;
        if (!options.split.empty() && row.split != options.split)
            continue;
        if (labelled)
            ++counts[static_cast<size_t>(label)];
        std::erase(row.texts, "");
        rows_.push_back({row.line, root / row.path, std::move(row.texts), label});
    }
    if (rows_.empty())
        throw Error(ErrorKind::Malformed, name_,
                    options.split.empty() ? "has no rows" : "has no rows of split \"" + options.split + "\"",
                    "Add rows, or name another split");
    classes_.refuse_empty(counts, name_);
}

Sample ManifestSource::sample(int64_t index) const
{
    IMPRINT_ASSERT(index >= 0 && index < size());
    const Row& row = rows_[static_cast<size_t>(index)];
    return {place(name_, row.line), row.path, row.texts, row.label};
}

}  // namespace imprint::training
