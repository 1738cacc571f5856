// SPDX-License-Identifier: Apache-2.0
// Test pools: see pools.h.
#include "training/evaluation/pools.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::evaluation
{

namespace
{

using nlohmann::json;

std::optional<bool> flag(const json& row, const char* name)
{
    const auto found = row.find(name);
    if (found == row.end() || found->is_null())
        return {};
    return found->is_boolean() ? found->get<bool>() : found->get<int>() != 0;
}

Item item_of(const json& row, const std::filesystem::path& corpus)
{
    Item item;
    const std::string path = row.at("path").get<std::string>();
    item.file = corpus / path; // an absolute path stays what it is
    item.name = row.value("name", path);
    item.label = row.at("label").get<std::string>();
    item.raw = row.value("raw", item.label);
    item.text = row.value("text", -1);
    item.raw_text = row.value("raw_text", item.text);
    item.split = row.value("split", "");
    item.source = row.value("source", "");
    item.sight = flag(row, "sight");
    item.names_a_sound = flag(row, "names_a_sound");
    return item;
}

/// Calls `use` with every line of a list; Error(Malformed) naming file and line where that throws json's exception.
void each_row(std::istream& in, const std::filesystem::path& file, const std::function<void(const json&)>& use)
{
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        try {
            if (!line.empty())
                use(json::parse(line));
        } catch (const json::exception& error) {
            throw Error(ErrorKind::Malformed, file.string() + ":" + std::to_string(number), error.what());
        }
    }
}

/// Sets label_learned of items of the sources that the corpus trains on.
void tell_learned_labels(Pool& pool, const std::filesystem::path& corpus)
{
    const std::filesystem::path file = corpus / "items.jsonl";
    std::ifstream in(file);
    if (!in)
        return;
    std::set<std::string> labels, sources;
    each_row(in, file, [&](const json& row) {
        if (row.at("split") != "train" || row.at("role") != "pair"
            || (row.at("kind") == "sound") != (pool.media == PoolMedia::Sound))
            return;
        std::string label = row.at("label").get<std::string>();
        std::transform(label.begin(), label.end(), label.begin(), [](unsigned char c) { return std::tolower(c); });
        labels.insert(std::move(label));
        sources.insert(row.at("source").get<std::string>());
    });
    for (Item& item : pool.items)
        if (sources.count(item.source) > 0)
            item.label_learned = labels.count(item.label) > 0;
}

} // namespace

std::filesystem::path default_corpus()
{
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
        return std::filesystem::path(cache) / "imprint" / "corpus";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home ? home : ".") / ".cache" / "imprint" / "corpus";
}

const std::vector<std::string>& pool_names()
{
    static const std::vector<std::string> names = {"photos", "drawings", "words", "sounds", "own_sounds"};
    return names;
}

Pool read_pool(const std::filesystem::path& corpus, const std::string& name)
{
    const auto& known = pool_names();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
        std::string all;
        for (const std::string& each : known)
            all += (all.empty() ? "" : ", ") + each;
        throw Error(ErrorKind::Usage, name, "is no pool of labelled media", "Choose among " + all);
    }
    const std::filesystem::path file = corpus / "pools" / (name + ".jsonl");
    std::ifstream in(file);
    if (!in)
        throw Error(ErrorKind::NotFound, file.string(), "the pool's list is not there",
            "Prepare the corpus with training/corpus, or name its folder with --corpus");
    Pool pool{name, name == "sounds" || name == "own_sounds" ? PoolMedia::Sound : PoolMedia::Picture, {}};
    each_row(in, file, [&](const json& row) { pool.items.push_back(item_of(row, corpus)); });
    if (pool.items.empty())
        throw Error(ErrorKind::Malformed, file.string(), "the pool is empty");
    tell_learned_labels(pool, corpus);
    return pool;
}

Queries queries_of(const Pool& pool, bool raw)
{
    std::map<std::string, std::vector<int>> by_label;
    for (int i = 0; i < static_cast<int>(pool.items.size()); ++i)
        by_label[raw ? pool.items[i].raw : pool.items[i].label].push_back(i);
    Queries queries;
    for (auto& [label, items] : by_label) {
        const Item& first = pool.items[items[0]];
        queries.labels.push_back(label);
        queries.texts.push_back(raw ? first.raw_text : first.text);
        queries.relevant.push_back(std::move(items));
    }
    return queries;
}

std::vector<Group> groups_of(const Pool& pool, const Queries& queries)
{
    std::vector<Group> groups;
    const auto add = [&](const std::string& name, const std::function<bool(const Item&)>& rule) {
        Group group{name, {}};
        for (int query = 0; query < static_cast<int>(queries.labels.size()); ++query) {
            const auto& items = queries.relevant[query];
            if (std::any_of(items.begin(), items.end(), [&](int i) { return rule(pool.items[i]); }))
                group.queries.push_back(query);
        }
        if (!group.queries.empty())
            groups.push_back(std::move(group));
    };
    const auto report = [](const Item& item) { return item.split == "report"; };
    add("report", report);
    add("report, sights", [&](const Item& item) { return report(item) && item.sight == true; });
    add("report, other things", [&](const Item& item) { return report(item) && item.sight == false; });
    add("report, names a sound", [&](const Item& item) { return report(item) && item.names_a_sound == true; });
    add("dev", [](const Item& item) { return item.split == "dev"; });
    add("all", [](const Item&) { return true; });
    if (std::any_of(pool.items.begin(), pool.items.end(), [](const Item& item) { return item.label_learned == true; })) {
        add("labels that training items bear", [](const Item& item) { return item.label_learned == true; });
        add("labels that none bears", [](const Item& item) { return item.label_learned == false; });
    }
    std::set<std::string> sources;
    for (const Item& item : pool.items)
        sources.insert(item.source);
    for (const std::string& source : sources)
        if (sources.size() > 1)
            add("from " + source, [&](const Item& item) { return item.source == source; });
    return groups;
}

Teacher::Teacher(const std::filesystem::path& corpus)
    : file_(corpus / "teacher.safetensors")
    , vectors_(&file_.at("vectors"))
    , lemma_mean_(file_.at("lemma_mean").to_floats("lemma_mean"))
{
    dim_ = static_cast<int>(lemma_mean_.size());
    if (vectors_->shape.size() != 2 || vectors_->shape[1] != dim_ || vectors_->dtype != model::DType::F16)
        throw Error(ErrorKind::Malformed, file_.path().string(),
            "`vectors` is not [lines, " + std::to_string(dim_) + "] of F16");
}

std::vector<float> Teacher::centred(int line) const
{
    if (line < 0 || line >= vectors_->shape[0])
        throw Error(ErrorKind::Malformed, file_.path().string(), "holds no vector of line " + std::to_string(line));
    std::vector<float> vector(static_cast<size_t>(dim_));
    double square = 0;
    for (int i = 0; i < dim_; ++i) {
        uint16_t bits;
        std::memcpy(&bits, vectors_->data.data() + (static_cast<size_t>(line) * dim_ + i) * sizeof bits, sizeof bits);
        vector[i] = model::half_to_float(bits) - lemma_mean_[i];
        square += static_cast<double>(vector[i]) * vector[i];
    }
    const auto scale = static_cast<float>(1 / std::sqrt(std::max(square, 1e-24)));
    for (float& value : vector)
        value *= scale;
    return vector;
}

} // namespace imprint::evaluation
