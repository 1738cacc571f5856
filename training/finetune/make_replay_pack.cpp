// SPDX-License-Identifier: Apache-2.0
// Makes the pack of things to be reminded of from the prepared corpus and the sample photographs: activations of the trunk pooled
// to 2 × 2, the first two seconds of sounds. Only from sources that are public domain, CC0, CC-BY, MIT or OFL, and crops of the
// corpus's photographs, of which nothing but pooled activations remains.
//
//   make_replay_pack CHECKPOINT CORPUS SAMPLES OUT
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "core/media/decoder.h"
#include "training/finetune/replay_pack.h"
#include "training/finetune/tune_items.h"

namespace {

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

constexpr size_t kHeldPictures = 90, kPictures = 60, kPhotos = 50, kHeldSounds = 60, kSounds = 55;
constexpr int64_t kGrid = 2;
constexpr double kSeconds = 2.0;

struct CorpusItem {
    fs::path path;
    std::string source, role, split, label;
    bool sound = false;
};

std::vector<CorpusItem> items_of(const fs::path& corpus)
{
    std::ifstream in(corpus / "items.jsonl");
    std::vector<std::pair<uint64_t, CorpusItem>> drawn;
    for (std::string line; std::getline(in, line);) {
        const auto json = nlohmann::json::parse(line);
        drawn.push_back({Draws(1, json.at("id").get<uint64_t>(), 0).bits(),
                         {corpus / json.at("path").get<std::string>(), json.at("source"), json.at("role"), json.at("split"),
                          json.at("label"), json.at("kind") == "sound"}});
    }
    std::sort(drawn.begin(), drawn.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<CorpusItem> items;
    for (auto& [order, item] : drawn)
        items.push_back(std::move(item));
    return items;
}

/// Of this kind and a free source.
bool is_free(const CorpusItem& item, bool sound)
{
    static const std::set<std::string> kPictureSources = {"openclipart", "noto-emoji", "furniture", "furniture-side"};
    const bool known = sound ? item.source == "sonic-pi" || item.path.filename().native().starts_with("fluid-")
                             : kPictureSources.contains(item.source) && !item.label.starts_with("flag of");
    return item.sound == sound && item.role == "pair" && known && !item.label.empty();
}

class Maker {
public:
    explicit Maker(const fs::path& checkpoint)
        : file_(checkpoint), checkpoint_(model::load_checkpoint(file_)), reader_(checkpoint_, checkpoint.string(), {at::kFloat})
    {
    }

    void add(const fs::path& path, bool sound, const std::string& text, bool held)
    {
        const media::Probe probe = decoder_.probe(path);
        if (sound) {
            const media::Sound heard = decoder_.sound(path, 0, std::min(kSeconds, probe.duration));
            pack_.sounds.push_back({reader_.sound(heard.samples).spectrogram, text, held});
            return;
        }
        const media::Picture picture = decoder_.still(path, {checkpoint_.config.picture_sizes, 0});
        const TuneItem seen = reader_.pictures({&picture, 1});
        const at::Tensor map = seen.map.to(at::kFloat).permute({0, 3, 1, 2});
        pack_.pictures.push_back(
            {at::adaptive_avg_pool2d(map, {kGrid, kGrid}).permute({0, 2, 3, 1}).contiguous(), text, held, seen.concept_vector});
    }

    void gather(const std::vector<CorpusItem>& items, const fs::path& samples)
    {
        std::set<std::string> asked[2];
        for (const auto& entry : fs::directory_iterator(samples))
            if (entry.path().extension() == ".jpg") {
                std::string text = entry.path().stem().string();
                std::replace(text.begin(), text.end(), '-', ' ');
                asked[0].insert(text);
            }
        for (const std::string& text : asked[0]) {
            std::string name = text;
            std::replace(name.begin(), name.end(), ' ', '-');
            add(samples / (name + ".jpg"), false, text, true);
        }
        // What is asked for has a name of its own; of pictures, none that was trained on.
        for (const bool sound : {false, true})
            for (const CorpusItem& item : items) {
                auto& texts = asked[sound];
                if (texts.size() >= (sound ? kHeldSounds : kHeldPictures) || !is_free(item, sound)
                    || (!sound && item.split != "instance") || item.split == "word" || texts.contains(item.label))
                    continue;
                texts.insert(item.label);
                add(item.path, sound, item.label, true);
                used_.insert(item.path);
            }
        size_t pictures = 0, photos = 0, sounds = 0;
        for (const CorpusItem& item : items) {
            const bool photo = item.role == "photo";
            size_t& count = photo ? photos : item.sound ? sounds : pictures;
            const size_t most = photo ? kPhotos : item.sound ? kSounds : kPictures;
            if (count >= most || used_.contains(item.path) || item.split != "train" || (!photo && !is_free(item, item.sound)))
                continue;
            add(item.path, item.sound, photo ? "" : item.label, false);
            ++count;
        }
    }

    void write(const fs::path& out)
    {
        write_replay_pack(out, pack_, checkpoint_);
        std::printf("%zu pictures, %zu sounds, %zu texts: %ju bytes\n", pack_.pictures.size(), pack_.sounds.size(),
                    pack_.texts.size(), static_cast<uintmax_t>(fs::file_size(out)));
    }

    /// Common things, in the words that people search with.
    void add_texts(const fs::path& labels)
    {
        std::set<std::string> words;
        for (const auto& entry : fs::directory_iterator(labels)) {
            std::ifstream in(entry.path());
            for (std::string line; std::getline(in, line);)
                if (line.starts_with("name = \""))
                    words.insert(line.substr(8, line.rfind('"') - 8));
        }
        pack_.texts.assign(words.begin(), words.end());
    }

private:
    model::SafetensorsFile file_;
    model::Checkpoint checkpoint_;
    ItemReader reader_;
    media::Decoder decoder_;
    ReplayPack pack_;
    std::set<fs::path> used_;
};

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "make_replay_pack CHECKPOINT CORPUS SAMPLES OUT\n");
        return 2;
    }
    try {
        const at::NoGradGuard guard;
        Maker maker(argv[1]);
        maker.gather(items_of(argv[2]), argv[3]);
        maker.add_texts(fs::path(argv[3]).parent_path() / "labels");
        maker.write(argv[4]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "make_replay_pack: %s\n", error.what());
        return 1;
    }
    return 0;
}
