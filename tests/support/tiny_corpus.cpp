// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_corpus.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/checkpoint.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/tiny_films.h"

namespace imprint::tests {

namespace fs = std::filesystem;

void make_tiny_corpus(const fs::path& root)
{
    fs::create_directories(root);
    const model::SafetensorsFile file(make_tiny_checkpoint(root));
    const auto checkpoint = model::load_checkpoint(file);
    std::vector<std::string> texts, roles;
    std::ofstream items(root / "items.jsonl");
    int id = 0;
    for (const char* name : {"cat", "coffee", "dahlia", "rocket", "sunset", "pagoda", "crow", "bell", "piano", "tabla"}) {
        for (const auto& entry : fs::directory_iterator(fs::path(IMPRINT_SOURCE_DIR) / "resources/samples")) {
            if (entry.path().stem() != name)
                continue;
            const bool sound = entry.path().extension() != ".jpg";
            const auto text = static_cast<int>(texts.size());
            texts.push_back(std::string("a ") + name);
            texts.push_back(std::string("a photo of a ") + name);
            roles.insert(roles.end(), {"caption", "caption"});
            items << nlohmann::json{{"id", id++},
                                    {"path", fs::relative(entry.path(), root).string()},
                                    {"kind", sound ? "sound" : "image"},
                                    {"source", "samples"},
                                    {"role", "pair"},
                                    {"split", "train"},
                                    {"label", name},
                                    {"texts", {text, text + 1}}}
                         .dump()
                  << "\n";
            if (!sound)
                items << nlohmann::json{{"id", id++},      {"path", fs::relative(entry.path(), root).string()},
                                        {"kind", "image"}, {"source", "samples"},
                                        {"role", "photo"}, {"split", "train"},
                                        {"label", ""},     {"texts", nlohmann::json::array()}}
                             .dump()
                      << "\n";
        }
    }
    // Two names that eight sounds share each, and films of a bright square that moves.
    for (const char* name : {"bell", "piano"})
        for (const auto& entry : fs::directory_iterator(fs::path(IMPRINT_SOURCE_DIR) / "resources/samples"))
            for (int copy = 0; entry.path().stem() == name && copy < 8; ++copy) {
                const auto text =
                    static_cast<int>(std::find(texts.begin(), texts.end(), std::string("a ") + name) - texts.begin());
                items << nlohmann::json{{"id", id++},      {"path", fs::relative(entry.path(), root).string()},
                                        {"kind", "sound"}, {"source", "samples"},
                                        {"role", "pair"},  {"split", "train"},
                                        {"label", name},   {"texts", {text}}}
                             .dump()
                      << "\n";
            }
    make_tiny_films(root, texts, roles);
    for (const char* lemma : {"dog", "ship", "violin", "tree", "apple"}) {
        texts.push_back(lemma);
        roles.push_back("lemma");
    }
    std::ofstream text_file(root / "texts.txt"), role_file(root / "text_roles.tsv"), pair_file(root / "text_pairs.tsv");
    for (size_t i = 0; i < texts.size(); ++i) {
        text_file << texts[i] << "\n";
        role_file << roles[i] << "\n";
        if (i % 2 && i < 20)
            pair_file << i - 1 << "\t" << i << "\tsynonym\n";
    }
    std::ofstream(root / "tokenizer.model", std::ios::binary) << checkpoint.tokenizer;

    at::manual_seed(11);
    const auto save = [](const fs::path& path, const std::vector<std::pair<std::string, model::StoredTensor>>& tensors) {
        std::vector<std::pair<std::string, model::TensorView>> views;
        for (const auto& [name, tensor] : tensors)
            views.emplace_back(name, tensor.view);
        model::write_safetensors(path, {}, views);
    };
    save(root / "teacher.safetensors",
         {{"vectors", model::to_stored(at::randn({static_cast<int64_t>(texts.size()), kTinyDim}), model::DType::F16)},
          {"lemma_mean", model::to_stored(at::zeros({kTinyDim}), model::DType::F32)}});
    save(root / "concepts.safetensors", {{"class_text", model::to_stored(at::randn({12, kTinyDim}), model::DType::F32)}});
    std::vector<std::pair<std::string, model::StoredTensor>> trunk;
    for (const auto& [name, tensor] : checkpoint.trunk)
        trunk.emplace_back(name, model::to_stored(tensor, model::DType::F32));
    save(root / "trunk.safetensors", trunk);
}

std::string tiny_recipe(const fs::path& corpus, const std::string& precision)
{
    std::string text = R"(
seed = 5
steps = 12
corpus = "%1"
[model]
name = "imprint-test"
)" + std::string(kTinyNetwork) + R"([data]
views_per_picture = 1
[optimizer]
warmup = 2
rate = 3e-3
precision = "%2"
[run]
checkpoint_every = 4
log_every = 1
evaluate_every = 100
[[objective]]
kind = "picture-text"
batch = 6
keep = 0.5
[[objective]]
kind = "clip-text"
batch = 4
[[objective]]
kind = "sound-text"
batch = 4
[[objective]]
kind = "text-teacher"
batch = 8
[[objective]]
kind = "text-text"
batch = 6
[[objective]]
kind = "concept"
batch = 6
)";
    text.replace(text.find("%1"), 2, corpus.string());
    text.replace(text.find("%2"), 2, precision);
    return text;
}

}  // namespace imprint::tests
