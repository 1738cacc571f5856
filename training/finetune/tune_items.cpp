// SPDX-License-Identifier: Apache-2.0
#include "training/finetune/tune_items.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr int64_t kPassTokens = 2048;

using Shape = std::vector<int64_t>;

const at::Tensor& content(const TuneItem& item)
{
    for (const at::Tensor* one : {&item.map, &item.pixels, &item.spectrogram, &item.states})
        if (one->defined())
            return *one;
    return item.ids;
}

/// Items of one kind and shape share passes.
Shape shape_of(const TuneItem& item)
{
    Shape shape = content(item).sizes().vec();
    shape.push_back(item.map.defined() ? 0 : item.pixels.defined() ? 1 : item.spectrogram.defined() ? 2 : 3);
    return shape;
}

/// [n, kept] of 0 … tokens − 1, sorted, for each item its own.
at::Tensor kept_tokens(int64_t items, int64_t tokens, double keep, Draws& draws)
{
    const auto kept = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(tokens) * keep));
    std::vector<int64_t> all;
    for (int64_t i = 0; i < items; ++i) {
        std::vector<int64_t> order(static_cast<size_t>(tokens));
        std::iota(order.begin(), order.end(), 0);
        for (int64_t k = 0; k < kept; ++k)
            std::swap(order[static_cast<size_t>(k)], order[static_cast<size_t>(k + draws.below(tokens - k))]);
        std::sort(order.begin(), order.begin() + kept);
        all.insert(all.end(), order.begin(), order.begin() + kept);
    }
    return at::tensor(all).view({items, kept});
}

/// All items of one shape, put together.
struct Batch {
    at::Tensor content, concepts;
    std::optional<at::Tensor> kept;
};

model::Encoding encode(const model::Network& network, const TuneItem& kind, const Batch& batch)
{
    if (kind.map.defined())
        return network.encode_map(batch.content, batch.concepts, batch.kept);
    if (kind.pixels.defined())
        return network.encode_pixels(batch.content, batch.kept);
    if (kind.spectrogram.defined())
        return network.encode_spectrogram(batch.content, batch.kept);
    if (kind.states.defined())
        return network.encode_text_states(batch.content, batch.concepts);
    return network.encode_text(batch.content);
}

Batch batch_of(const std::vector<const TuneItem*>& items, const PassList::Part& part, const std::vector<bool>& mirrored)
{
    std::vector<at::Tensor> contents, concepts;
    for (const int64_t member : part) {
        const TuneItem& item = *items[static_cast<size_t>(member)];
        at::Tensor one = content(item);
        if (mirrored[static_cast<size_t>(member)])
            one = one.flip({2});
        contents.push_back(one);
        if (item.concept_vector.defined())
            concepts.push_back(item.concept_vector);
    }
    return {at::stack(contents), concepts.empty() ? at::Tensor() : at::stack(concepts), {}};
}

}  // namespace

ItemReader::ItemReader(const model::Checkpoint& checkpoint, const std::string& subject, const model::Precision& precision)
    : config_(checkpoint.config), log_mel_(checkpoint.config),
      tokenizer_(checkpoint.tokenizer, checkpoint.config.vocabulary, checkpoint.config.max_text_tokens, subject),
      frozen_(checkpoint.config, checkpoint.parameters)
{
    frozen_.set_precision(precision);
    const auto of = [](const model::Parameters& trunk) { return [&trunk](const std::string& name) { return trunk.at(name); }; };
    if (config_.vision_stem == model::VisionStem::Hybrid)
        trunk_ = std::make_unique<model::Trunk>(of(checkpoint.trunk));
    if (config_.text_stem == model::TextStem::Hybrid)
        text_trunk_ = std::make_unique<model::TextTrunk>(config_, precision, of(checkpoint.text_trunk));
}

TuneItem ItemReader::pictures(std::span<const media::Picture> clip) const
{
    const at::NoGradGuard guard;
    const media::Picture& first = clip.front();
    const at::Tensor pixels = at::empty({static_cast<int64_t>(clip.size()), first.height, first.width, 3}, at::kByte);
    auto* out = pixels.mutable_data_ptr<uint8_t>();
    for (const auto& picture : clip)
        out = std::copy(picture.rgb.begin(), picture.rgb.end(), out);
    TuneItem item;
    if (!trunk_) {
        item.pixels = pixels;
        item.tokens = std::max<int64_t>(pixels.size(0) / config_.patch_frames, 1) * (first.height / config_.patch_size)
            * (first.width / config_.patch_size);
        return item;
    }
    const auto seen = trunk_->forward(pixels, config_.own_tail());
    item.map = frozen_.last_map(seen.for_network()).to(at::kBFloat16);
    item.concept_vector = frozen_.concept_of(seen.logits.unsqueeze(0))[0];
    item.tokens = item.map.numel() / item.map.size(-1);
    return item;
}

TuneItem ItemReader::map(const at::Tensor& map, const at::Tensor& concept_vector) const
{
    IMPRINT_ASSERT(trunk_ && map.dim() == 4 && map.size(3) == config_.trunk_channels);
    TuneItem item;
    item.map = map.to(at::kBFloat16);
    item.concept_vector = concept_vector;
    item.tokens = map.numel() / map.size(-1);
    return item;
}

TuneItem ItemReader::sound(std::span<const float> samples) const
{
    const at::NoGradGuard guard;
    const at::Tensor padded = at::zeros({1, log_mel_.padded_length(static_cast<int64_t>(samples.size()))});
    std::copy(samples.begin(), samples.end(), padded.mutable_data_ptr<float>());
    return spectrogram(log_mel_(padded)[0]);
}

TuneItem ItemReader::spectrogram(const at::Tensor& values) const
{
    TuneItem item;
    item.spectrogram = values;
    item.tokens = values.size(0) / config_.sound_patch * (values.size(1) / config_.sound_patch);
    return item;
}

TuneItem ItemReader::text(const std::string& text) const
{
    const at::NoGradGuard guard;
    TuneItem item;
    const at::Tensor ids = at::tensor(tokenizer_.ids(text));
    item.tokens = ids.size(0);
    if (!text_trunk_) {
        item.ids = ids;
        return item;
    }
    const auto read = text_trunk_->forward(ids.unsqueeze(0));
    item.states = read.states[0];
    item.concept_vector = frozen_.meaning_of(read.sentence)[0];
    return item;
}

PassList item_passes(const std::vector<const TuneItem*>& items, const TuneLook& look, Draws& draws)
{
    std::map<Shape, std::vector<int64_t>> members;
    std::vector<bool> mirrored;
    for (size_t i = 0; i < items.size(); ++i) {
        members[shape_of(*items[i])].push_back(static_cast<int64_t>(i));
        const bool has_columns = items[i]->map.defined() || items[i]->pixels.defined();
        mirrored.push_back(look.mirrored && draws.uniform() < 0.5 && has_columns);
    }
    PassList list;
    for (const auto& [shape, some] : members) {
        const TuneItem& kind = *items[static_cast<size_t>(some.front())];
        std::optional<at::Tensor> kept;
        if (look.keep < 1 && !kind.is_text())
            kept = kept_tokens(static_cast<int64_t>(some.size()), kind.tokens, look.keep, draws);
        const int64_t tokens = (kept ? kept->size(1) : kind.tokens) + (kind.concept_vector.defined() ? 1 : 0);
        list.add(some, tokens, kPassTokens, items.size(), [&](const PassList::Part& part) {
            Batch batch = batch_of(items, part, mirrored);
            if (kept) {
                const auto first = std::find(some.begin(), some.end(), part.front()) - some.begin();
                batch.kept = kept->narrow(0, first, static_cast<int64_t>(part.size()));
            }
            return [batch, kind](const model::Network& network) {
                const model::Encoding encoding = encode(network, kind, batch);
                return PassOutput{encoding.vectors, encoding.auxiliary.z_loss, encoding.auxiliary.probes};
            };
        });
    }
    return list;
}

}  // namespace imprint::training
