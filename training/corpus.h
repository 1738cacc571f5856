// SPDX-License-Identifier: Apache-2.0
// A training corpus as training/corpus/build.sh writes it: items with captions, texts with teacher vectors, text pairs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/model/config.h"
#include "core/model/safetensors.h"

namespace imprint::training {

enum class Role { Pair, Composite, Photo };

struct Item {
    int64_t id = 0;
    std::filesystem::path path;  ///< absolute
    bool sound = false;
    int frames = 0;  ///< of a film: `path` is a folder with 0.jpg, 1.jpg, …; 0 for pictures and sounds
    Role role = Role::Pair;
    std::string source, label;
    std::string motion;  ///< of a film: which way its thing moves; else empty
    std::vector<int64_t> texts;  ///< indices into Corpus::texts; empty for photos
};

/// A Word is a lemma that a prompt shows ("a photo of a dog" makes "dog" one): a noun in everyday use.
enum class TextRole { Caption, Word, Prompt, Lemma, Gloss, ClassText, NotForTraining };

class Corpus {
public:
    /// Reads everything but media. Error(NotFound) with the command that makes a corpus; Error(Malformed) with file and line.
    explicit Corpus(const std::filesystem::path& root);

    const std::filesystem::path& root() const { return root_; }
    /// Items of the train split: pictures and sounds by ascending id, then films, whose ids are negative.
    const std::vector<Item>& items() const { return items_; }
    const std::vector<std::string>& texts() const { return texts_; }
    const std::vector<TextRole>& text_roles() const { return text_roles_; }
    const std::vector<std::pair<int64_t, int64_t>>& text_pairs() const { return text_pairs_; }

    /// A way of moving and how the corpus says it: "to the left" of "a ball" makes "a ball moving to the left".
    struct Motion {
        std::string name, phrase;
    };
    /// The ways in which single things move in films, in the order of their names. A turning table is none of them: nobody
    /// could tell it from a thing that turns.
    const std::vector<Motion>& motions() const { return motions_; }

    /// A picture and a sound of the same thing, as indices into items(), and which thing.
    struct PictureSound {
        size_t picture, sound;
        std::string thing;
    };
    /// Empty where the corpus has none.
    const std::vector<PictureSound>& picture_sounds() const { return picture_sounds_; }

    /// Teacher vectors of some texts: minus the mean over WordNet's lemmas, unit length. [n, 384] fp32.
    at::Tensor teacher(const std::vector<int64_t>& texts) const;
    /// Where a text should point as a query: as teacher(), but nouns of WordNet lean towards their gloss and broader words, by
    /// which pictures of other sources are found better. The same as teacher() where the corpus has no such targets.
    at::Tensor query_targets(const std::vector<int64_t>& texts) const;
    /// [classes, 384]
    at::Tensor class_text() const;
    /// What the teacher makes of each piece of the vocabulary, minus the mean over lemmas: [pieces, 384] fp32; undefined where
    /// the corpus has none.
    at::Tensor piece_vectors() const;
    /// The serialised SentencePiece model of a stem: the corpus's own pieces, or the sentence encoder's. Error(NotFound) where
    /// the corpus has none.
    std::string tokenizer(model::TextStem stem) const;
    /// The mean over WordNet's lemmas of the teacher's unit vectors: [384] fp32.
    const at::Tensor& lemma_mean() const { return mean_; }
    /// Hash of items, texts and pairs: names caches and goes into provenance.
    const std::string& hash() const { return hash_; }

private:
    void read_items();
    void read_item(const nlohmann::json& json, bool film);
    void read_picture_sounds();
    void find_motions();
    void read_texts();
    void find_words();
    void read_query_expansion();

    std::filesystem::path root_;
    std::vector<Item> items_;
    std::vector<std::string> texts_;
    std::vector<TextRole> text_roles_;
    std::vector<std::pair<int64_t, int64_t>> text_pairs_;
    std::vector<PictureSound> picture_sounds_;
    std::vector<Motion> motions_;
    std::string hash_;
    std::unique_ptr<model::SafetensorsFile> teacher_file_, concepts_file_, expansion_file_;
    at::Tensor teacher_, mean_;
    at::Tensor expanded_;                           // [n, 384] fp16
    std::unordered_map<int64_t, int64_t> expanded_row_;  // by text
};

}  // namespace imprint::training
