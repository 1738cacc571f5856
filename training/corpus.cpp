// SPDX-License-Identifier: Apache-2.0
// Reads a corpus folder.
#include "training/corpus.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/checkpoint_info.h"
#include "core/model/parameters.h"

namespace imprint::training {
namespace {

std::string read_whole(const std::filesystem::path& path)
{
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw Error(ErrorKind::NotFound, path.string(), "cannot be read", "Make the corpus with training/corpus/build.sh");
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename Line>
void each_line(const std::filesystem::path& path, const std::string& whole, Line&& line)
{
    std::istringstream in(whole);
    std::string text;
    for (int64_t number = 1; std::getline(in, text); ++number) {
        try {
            line(text);
        } catch (const std::exception& e) {
            throw Error(ErrorKind::Malformed, path.string() + ":" + std::to_string(number), e.what());
        }
    }
}

std::string hash_of(const std::string& bytes)
{
    return model::hash_hex({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

}  // namespace

Corpus::Corpus(const std::filesystem::path& root) : root_(root)
{
    read_texts();
    read_items();
    read_picture_sounds();
    find_motions();
    hash_ = hash_of(hash_ + hash_of(read_whole(root / "tokenizer.model"))).substr(0, 16);

    teacher_file_ = std::make_unique<model::SafetensorsFile>(root / "teacher.safetensors");
    concepts_file_ = std::make_unique<model::SafetensorsFile>(root / "concepts.safetensors");
    const auto& vectors = teacher_file_->at("vectors");
    if (vectors.dtype != model::DType::F16 || vectors.shape.size() != 2
        || vectors.shape[0] != static_cast<int64_t>(texts_.size()))
        throw Error(ErrorKind::Malformed, (root / "teacher.safetensors").string(), "does not hold one F16 row per line of texts.txt",
                    "Make the corpus again with training/corpus/build.sh");
    // The file stays mapped; rows are converted when they are drawn.
    teacher_ = at::from_blob(const_cast<std::byte*>(vectors.data.data()), vectors.shape, at::kHalf);
    mean_ = model::to_tensor(teacher_file_->at("lemma_mean"), "lemma_mean");
    read_query_expansion();
}

std::string Corpus::tokenizer(model::TextStem stem) const
{
    return read_whole(root_ / (stem == model::TextStem::Hybrid ? "text_trunk.model" : "tokenizer.model"));
}

void Corpus::read_texts()
{
    const auto texts = read_whole(root_ / "texts.txt"), roles = read_whole(root_ / "text_roles.tsv"),
               pairs = read_whole(root_ / "text_pairs.tsv");
    each_line(root_ / "texts.txt", texts, [&](const std::string& line) { texts_.push_back(line); });
    static const std::map<std::string, TextRole> names{
        {"caption", TextRole::Caption}, {"prompt", TextRole::Prompt},         {"lemma", TextRole::Lemma},          {"gloss", TextRole::Gloss},
        {"class", TextRole::ClassText}, {"pool", TextRole::NotForTraining}, {"heldout", TextRole::NotForTraining}};
    each_line(root_ / "text_roles.tsv", roles,
              [&](const std::string& line) { text_roles_.push_back(names.at(line.substr(0, line.find('\t')))); });
    if (text_roles_.size() != texts_.size())
        throw Error(ErrorKind::Malformed, (root_ / "text_roles.tsv").string(), "has not one role per text");
    find_words();
    const auto count = static_cast<int64_t>(texts_.size());
    each_line(root_ / "text_pairs.tsv", pairs, [&](const std::string& line) {
        std::istringstream fields(line);
        int64_t a = -1, b = -1;
        fields >> a >> b;
        if (a < 0 || b < 0 || a >= count || b >= count)
            throw std::out_of_range("names a text that is not there");
        text_pairs_.emplace_back(a, b);
    });
    hash_ = hash_of(texts) + hash_of(pairs);
}

void Corpus::read_item(const nlohmann::json& json, bool film)
{
    if (json.at("split") != "train")
        return;
    Item item;
    item.id = json.at("id");
    item.path = root_ / json.at("path").get<std::string>();
    if (film) {
        item.id = -1 - item.id;
        item.frames = json.at("frames");
        if (item.frames < 1 || item.frames > 64)
            throw std::invalid_argument("a film has 1 … 64 frames");
        if (json.contains("motion"))
            item.motion = json.at("motion");
    }
    item.sound = json.at("kind") == "sound";
    const auto role = json.at("role").get<std::string>();
    item.role = role == "pair" ? Role::Pair : role == "composite" ? Role::Composite : Role::Photo;
    item.source = json.at("source");
    item.label = json.at("label");
    for (const auto& text : json.at("texts")) {
        const int64_t index = text.get<int64_t>();
        if (index < 0 || index >= static_cast<int64_t>(texts_.size()))
            throw std::out_of_range("names a text that is not there");
        item.texts.push_back(index);
    }
    if (item.texts.empty() != (item.role == Role::Photo))
        throw std::invalid_argument("a pair or composite needs texts, a photo has none");
    items_.push_back(std::move(item));
}

void Corpus::read_items()
{
    for (const bool film : {false, true}) {
        const auto path = root_ / (film ? "videos.jsonl" : "items.jsonl");
        if (film && !std::filesystem::exists(path))
            continue;
        const auto whole = read_whole(path);
        hash_ += hash_of(whole);
        each_line(path, whole, [&](const std::string& line) { read_item(nlohmann::json::parse(line), film); });
    }
}

void Corpus::read_picture_sounds()
{
    const auto path = root_ / "pairs_image_sound.tsv";
    if (!std::filesystem::exists(path))
        return;
    std::unordered_map<int64_t, size_t> index_of;
    for (size_t i = 0; i < items_.size(); ++i)
        index_of[items_[i].id] = i;
    const auto whole = read_whole(path);
    hash_ += hash_of(whole);
    each_line(path, whole, [&](const std::string& line) {
        std::istringstream fields(line);
        int64_t picture = -1, sound = -1;
        PictureSound pair{};
        fields >> picture >> sound >> std::ws;
        std::getline(fields, pair.thing);
        const auto seen = index_of.find(picture), heard = index_of.find(sound);
        if (seen == index_of.end() || heard == index_of.end() || items_[seen->second].sound || !items_[heard->second].sound)
            throw std::out_of_range("does not name a picture and a sound that are there");
        pair.picture = seen->second;
        pair.sound = heard->second;
        picture_sounds_.push_back(std::move(pair));
    });
}

void Corpus::find_motions()
{
    // Of a film's captions one says the motion alone, and the first says it of the thing: "a ball moving up" and "moving up".
    for (const Item& item : items_) {
        const auto known = std::any_of(motions_.begin(), motions_.end(), [&](const Motion& m) { return m.name == item.motion; });
        if (item.motion.empty() || item.motion == "turntable" || known)
            continue;
        const std::string& whole = texts_[static_cast<size_t>(item.texts.front())];
        for (const int64_t text : item.texts)
            if (const std::string& part = texts_[static_cast<size_t>(text)]; part != whole && whole.ends_with(" " + part) && part != item.label) {
                motions_.push_back({item.motion, part});
                break;
            }
    }
    std::sort(motions_.begin(), motions_.end(), [](const Motion& a, const Motion& b) { return a.name < b.name; });
}

at::Tensor Corpus::teacher(const std::vector<int64_t>& texts) const
{
    const at::Tensor index = at::tensor(texts, at::kLong);
    const at::Tensor centred = teacher_.index_select(0, index).to(at::kFloat) - mean_;
    return centred / centred.norm(2, {-1}, true).clamp_min(1e-6);
}

void Corpus::read_query_expansion()
{
    const auto path = root_ / "query_expansion.safetensors";
    if (!std::filesystem::exists(path))
        return;
    expansion_file_ = std::make_unique<model::SafetensorsFile>(path);
    const auto &lines = expansion_file_->at("lines"), &vectors = expansion_file_->at("vectors");
    if (lines.dtype != model::DType::I64 || lines.shape.size() != 1 || vectors.dtype != model::DType::F16
        || vectors.shape != std::vector<int64_t>{lines.shape[0], teacher_.size(1)})
        throw Error(ErrorKind::Malformed, path.string(), "does not hold one I64 line and one F16 vector per text",
                    "Make the corpus again with training/corpus/build.sh");
    expanded_ = at::from_blob(const_cast<std::byte*>(vectors.data.data()), vectors.shape, at::kHalf);
    for (int64_t row = 0; row < lines.shape[0]; ++row) {
        int64_t text = 0;
        std::memcpy(&text, lines.data.data() + static_cast<size_t>(row) * sizeof text, sizeof text);
        expanded_row_[text] = row;
    }
}

at::Tensor Corpus::query_targets(const std::vector<int64_t>& texts) const
{
    at::Tensor targets = teacher(texts);
    for (size_t i = 0; i < texts.size(); ++i)
        if (const auto found = expanded_row_.find(texts[i]); found != expanded_row_.end())
            targets[static_cast<int64_t>(i)].copy_(expanded_[found->second]);
    return targets;
}

void Corpus::find_words()
{
    std::unordered_map<std::string_view, size_t> lemmas;
    for (size_t i = 0; i < texts_.size(); ++i)
        if (text_roles_[i] == TextRole::Lemma)
            lemmas.emplace(texts_[i], i);
    for (size_t i = 0; i < texts_.size(); ++i) {
        std::string_view rest = texts_[i];
        if (text_roles_[i] != TextRole::Prompt || !rest.starts_with("a photo of "))
            continue;
        rest.remove_prefix(std::string_view("a photo of ").size());
        for (const std::string_view article : {"a ", "an "})
            if (rest.starts_with(article)) {
                rest.remove_prefix(article.size());
                break;
            }
        if (const auto found = lemmas.find(rest); found != lemmas.end())
            text_roles_[found->second] = TextRole::Word;
    }
}

at::Tensor Corpus::piece_vectors() const
{
    const auto path = root_ / "pieces.safetensors";
    if (!std::filesystem::exists(path))
        return {};
    const model::SafetensorsFile file(path);
    return model::to_tensor(file.at("vectors"), "vectors").to(at::kFloat);
}

at::Tensor Corpus::class_text() const { return model::to_tensor(concepts_file_->at("class_text"), "class_text"); }

}  // namespace imprint::training
