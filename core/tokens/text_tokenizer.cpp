// SPDX-License-Identifier: Apache-2.0
// A thin owner of a SentencePiece processor.
#include "core/tokens/text_tokenizer.h"

#include <sentencepiece_processor.h>

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

}  // namespace imprint::tokens
