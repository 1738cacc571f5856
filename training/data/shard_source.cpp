// SPDX-License-Identifier: Apache-2.0
// Grouping entries into samples, and reading one.
#include "training/data/shard_source.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::training {
namespace {

using nlohmann::json;

struct Name {
    std::string key, extension;
};

std::optional<Name> split_name(const std::string& path)
{
    const size_t base = path.find_last_of('/') + 1;  // npos + 1 is 0: no folder
    const size_t dot = path.find('.', base);
    if (dot == std::string::npos || dot == base)
        return {};
    std::string extension = path.substr(dot + 1);
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return Name{path.substr(0, dot), std::move(extension)};
}

/// "__NAME__" as a file or as the first folder.
bool metadata(const std::string& path)
{
    const std::string first = path.substr(0, path.find('/'));
    return first.size() >= 4 && first.starts_with("__") && first.ends_with("__");
}

std::string trimmed(const std::string& text)
{
    const char* blanks = " \t\r\n";
    const size_t begin = text.find_first_not_of(blanks);
    return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

void add_texts(const json& value, const std::string& place, const std::string& part, std::vector<std::string>& texts)
{
    if (value.is_string())
        texts.push_back(value.get<std::string>());
    else if (value.is_number_integer())
        texts.push_back(std::to_string(value.get<int64_t>()));
    else if (value.is_array())
        for (const json& inner : value)
            add_texts(inner, place, part, texts);
    else
        throw Error(ErrorKind::Malformed, place, "\"" + part + "\" is neither text nor a list of texts");
}

}  // namespace

ShardSource::ShardSource(const std::vector<std::filesystem::path>& shards, ShardOptions options)
    : name_(shards.empty() ? "no shards" : shards[0].string() + (shards.size() > 1 ? " …" : "")), options_(std::move(options)),
      classes_(options_.classes)
{
    if (!options_.label_part.empty() && classes_.empty())
        throw Error(ErrorKind::Usage, name_, "labels are asked for, but no classes are given",
                    "List the classes: shards do not say them");
    for (const auto& shard : shards)
        add_shard(shard);
    if (samples_.empty())
        throw Error(ErrorKind::Malformed, name_, "holds no sample",
                    "A sample is files such as 0001.jpg and 0001.txt side by side");
}

void ShardSource::add_shard(const std::filesystem::path& path)
{
    shards_.emplace_back(path);
    const TarIndex& shard = shards_.back();
    Group group{shards_.size() - 1, {}, {}};
    const auto finish = [&] {
        if (!group.parts.empty())
            samples_.push_back(std::move(group));
        group = {shards_.size() - 1, {}, {}};
    };
    for (size_t i = 0; i < shard.entries().size(); ++i) {
        const std::string& entry = shard.entries()[i].path;
        const auto name = metadata(entry) ? std::nullopt : split_name(entry);
        if (!name)
            continue;
        if (name->key != group.key)
            finish();
        group.key = name->key;
        for (const Part& part : group.parts)
            if (part.extension == name->extension)
                throw Error(ErrorKind::Malformed, path.string() + ": " + entry, "is there twice in one sample",
                            "Write the shard again with keys that differ");
        group.parts.push_back({name->extension, i});
    }
    finish();
}

Sample ShardSource::sample(int64_t index) const
{
    IMPRINT_ASSERT(index >= 0 && index < size());
    const Group& group = samples_[static_cast<size_t>(index)];
    const TarIndex& shard = shards_[group.shard];
    Sample sample;
    sample.name = shard.path().string() + ": " + group.key;
    const auto find = [&](const std::string& extension) -> const TarIndex::Entry* {
        for (const Part& part : group.parts)
            if (part.extension == extension)
                return &shard.entries()[part.entry];
        return nullptr;
    };
    /// The texts of a part; nothing where the sample lacks it.
    const auto texts_of = [&](const std::string& part) {
        std::vector<std::string> texts;
        if (!part.starts_with("json.")) {
            if (const auto* entry = find(part))
                texts.push_back(trimmed(shard.read(*entry)));
            return texts;
        }
        const auto* entry = find("json");
        if (!entry)
            return texts;
        const json document = json::parse(shard.read(*entry), nullptr, false);
        if (!document.is_object())
            throw Error(ErrorKind::Malformed, sample.name, "its json part is not a JSON object");
        if (const auto field = document.find(part.substr(5)); field != document.end() && !field->is_null())
            add_texts(*field, sample.name, part, texts);
        return texts;
    };

    const TarIndex::Entry* media = nullptr;
    for (size_t i = 0; i < options_.media_parts.size() && !media; ++i)
        if ((media = find(options_.media_parts[i])))
            sample.media = MediaBytes{shard.read(*media), options_.media_parts[i]};
    if (!media)
        throw Error(ErrorKind::Malformed, sample.name, "has no media part", "Name its extension among the media parts");
    for (const std::string& part : options_.text_parts)
        for (std::string& text : texts_of(part))
            if (!text.empty())
                sample.texts.push_back(std::move(text));
    if (!options_.label_part.empty()) {
        const auto labels = texts_of(options_.label_part);
        if (labels.size() != 1)
            throw Error(ErrorKind::Malformed, sample.name, "has " + std::to_string(labels.size()) + " labels where one is wanted",
                        "Write one \"" + options_.label_part + "\"");
        sample.label = classes_.number(labels[0], sample.name);
    }
    return sample;
}

std::vector<std::filesystem::path> expand_shards(const std::string& pattern)
{
    const size_t open = pattern.find('{'), dots = pattern.find("..", open), close = pattern.find('}', dots);
    if (open == std::string::npos)
        return {pattern};
    const auto number = [&](size_t begin, size_t end) {
        int64_t value = -1;
        if (end == std::string::npos || begin > end)
            end = begin;
        const char* last = pattern.data() + end;
        const auto [stop, failure] = std::from_chars(pattern.data() + begin, last, value);
        if (failure != std::errc() || stop != last || value < 0)
            throw Error(ErrorKind::Usage, pattern, "has a range that cannot be read", "Write it as {0000..0131}");
        return value;
    };
    if (dots == std::string::npos || close == std::string::npos)
        throw Error(ErrorKind::Usage, pattern, "has a range that cannot be read", "Write it as {0000..0131}");
    const int64_t first = number(open + 1, dots), last = number(dots + 2, close);
    if (last < first || last - first > 1'000'000)
        throw Error(ErrorKind::Usage, pattern, "has a range that runs backwards or is too long", "Write it as {0000..0131}");
    std::vector<std::filesystem::path> shards;
    for (int64_t i = first; i <= last; ++i) {
        std::string digits = std::to_string(i);
        if (const size_t width = dots - open - 1; digits.size() < width)
            digits.insert(0, width - digits.size(), '0');
        shards.emplace_back(pattern.substr(0, open) + digits + pattern.substr(close + 1));
    }
    return shards;
}

}  // namespace imprint::training
