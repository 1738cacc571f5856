// SPDX-License-Identifier: Apache-2.0
// Words to piece ids by the SentencePiece model that a checkpoint carries. Free of torch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace imprint::tokens {

/// Normalisation (NFKC, case folding) is part of the SentencePiece model itself. Thread-safe.
class TextTokenizer {
public:
    /// `model`: the serialised SentencePiece model. Error(Malformed) naming `subject` if it is none, or if it has more
    /// pieces than `vocabulary`.
    TextTokenizer(std::string model, int vocabulary, int max_tokens, const std::string& subject);
    ~TextTokenizer();
    TextTokenizer(TextTokenizer&&) noexcept;

    /// 1 … max_tokens ids; an empty text is the single unknown piece. Bytes that are not UTF-8 become unknown pieces. A model
    /// that has marks of begin and end gets them around every text, also around one that is cut.
    std::vector<int64_t> ids(const std::string& text) const;
    /// How many pieces a word takes: few for a word that the vocabulary was made from. A letter without any piece counts as two.
    int pieces(const std::string& word) const;
    const std::string& model() const { return model_; }

private:
    class Impl;
    std::string model_;
    int max_tokens_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint::tokens
