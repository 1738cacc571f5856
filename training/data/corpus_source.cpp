// SPDX-License-Identifier: Apache-2.0
#include "training/data/corpus_source.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr const char* kRemedy = "Build the corpus with training/corpus/build.sh";

std::vector<std::string> lines_of(const std::filesystem::path& file)
{
    std::ifstream in(file);
    if (!in)
        throw Error(ErrorKind::NotFound, file.string(), "is not there", kRemedy);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

}  // namespace

CorpusSource::CorpusSource(const std::filesystem::path& root, const std::string& kind)
    : name_(root.string()), texts_(lines_of(root / "texts.txt"))
{
    const std::filesystem::path file = root / "items.jsonl";
    const auto lines = lines_of(file);
    for (size_t i = 0; i < lines.size(); ++i) {
        const std::string place = file.string() + ":" + std::to_string(i + 1);
        try {
            const auto item = nlohmann::json::parse(lines[i]);
            if (item.at("split") != "train" || item.at("texts").empty() || item.at("kind") != kind)
                continue;
            items_.push_back({static_cast<int64_t>(i + 1), root / item.at("path").get<std::string>(), item.at("texts")});
        } catch (const nlohmann::json::exception&) {
            throw Error(ErrorKind::Malformed, place, "is no item of a corpus", kRemedy);
        }
        for (const int64_t text : items_.back().texts)
            if (text < 0 || text >= static_cast<int64_t>(texts_.size()))
                throw Error(ErrorKind::Malformed, place, "names text " + std::to_string(text) + ", which is not there", kRemedy);
    }
    if (items_.empty())
        throw Error(ErrorKind::Malformed, name_, "holds no captioned item of the kind " + kind, kRemedy);
}

Sample CorpusSource::sample(int64_t index) const
{
    IMPRINT_ASSERT(index >= 0 && index < size());
    const Item& item = items_[static_cast<size_t>(index)];
    Sample sample;
    sample.name = name_ + "/items.jsonl:" + std::to_string(item.line);
    sample.media = item.path;
    for (const int64_t text : item.texts)
        sample.texts.push_back(texts_[static_cast<size_t>(text)]);
    return sample;
}

}  // namespace imprint::training
