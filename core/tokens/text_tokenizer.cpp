// SPDX-License-Identifier: Apache-2.0
// A thin owner of a SentencePiece processor.
#include "core/tokens/text_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <string_view>

#include "core/base/error.h"

namespace imprint::tokens {

class TextTokenizer::Impl {
public:
    sentencepiece::SentencePieceProcessor processor;
};

TextTokenizer::TextTokenizer(std::string model, int vocabulary, int max_tokens, const std::string& subject)
    : model_(std::move(model)), max_tokens_(max_tokens), impl_(std::make_unique<Impl>())
{
    const auto status = impl_->processor.LoadFromSerializedProto(model_);
    if (!status.ok())
        throw Error(ErrorKind::Malformed, subject, "tokenizer: " + status.ToString());
    if (impl_->processor.GetPieceSize() > vocabulary)
        throw Error(ErrorKind::Malformed, subject,
                    "tokenizer has " + std::to_string(impl_->processor.GetPieceSize()) + " pieces, the model's table "
                        + std::to_string(vocabulary));
    if (max_tokens < 3 && (impl_->processor.bos_id() >= 0 || impl_->processor.eos_id() >= 0))
        throw Error(ErrorKind::Malformed, subject,
                    "tokenizer has marks of begin and end, and the model no room for a word between");
}

TextTokenizer::~TextTokenizer() = default;
TextTokenizer::TextTokenizer(TextTokenizer&&) noexcept = default;

std::vector<int64_t> TextTokenizer::ids(const std::string& text) const
{
    std::vector<int> pieces;
    const auto status = impl_->processor.Encode(text, &pieces);
    if (!status.ok())
        throw Error(ErrorKind::Malformed, text, "cannot be split into pieces: " + status.ToString());
    if (pieces.empty())
        pieces.push_back(impl_->processor.unk_id());
    const int begin = impl_->processor.bos_id(), end = impl_->processor.eos_id();
    const size_t marks = (begin >= 0) + (end >= 0), most = static_cast<size_t>(max_tokens_) - marks;
    if (pieces.size() > most)
        pieces.resize(most);
    std::vector<int64_t> ids;
    if (begin >= 0)
        ids.push_back(begin);
    ids.insert(ids.end(), pieces.begin(), pieces.end());
    if (end >= 0)
        ids.push_back(end);
    return ids;
}

int TextTokenizer::pieces(const std::string& word) const
{
    static constexpr std::string_view kSpace = "\xe2\x96\x81";  // SentencePiece's sign of a word's begin
    std::vector<std::string> pieces;
    const auto status = impl_->processor.Encode(word, &pieces);
    if (!status.ok())
        throw Error(ErrorKind::Malformed, word, "cannot be split into pieces: " + status.ToString());
    std::ptrdiff_t count = 0;
    for (std::string_view piece : pieces) {
        const bool unknown = impl_->processor.IsUnknown(impl_->processor.PieceToId(piece));
        if (piece.starts_with(kSpace))
            piece.remove_prefix(kSpace.size());
        if (unknown)
            count += 2 * std::count_if(piece.begin(), piece.end(), [](char c) { return (c & 0xc0) != 0x80; });
        else
            count += piece.empty() ? 0 : 1;
    }
    return static_cast<int>(count);
}

}  // namespace imprint::tokens
