// SPDX-License-Identifier: Apache-2.0
// Inputs to passes: cut, encoded, their columns laid out.
#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "training/inputs.h"

namespace imprint::training {
namespace {

using Forward = std::function<PassOutput(const model::Network&)>;

/// Tokens that a pass may hold so that `items` of `tokens` fall into equal passes whose tokens the experts can share out.
int64_t most_tokens(const model::ModelConfig& config, int64_t items, int64_t tokens, int64_t pass_tokens)
{
    if (config.sparse_layers == 0 || config.routing_group != model::RoutingGroup::Batch)
        return pass_tokens;
    for (int64_t per_pass = std::clamp<int64_t>(pass_tokens / tokens, 1, items); per_pass <= items; ++per_pass)
        if (items % per_pass == 0 && per_pass * tokens % config.experts == 0)
            return per_pass * tokens;
    return items * tokens;
}

std::vector<int64_t> first_n(int64_t n)
{
    std::vector<int64_t> all(static_cast<size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// The rows of a part of all items, of which the first `before` are another rank's.
at::Tensor part_of(const at::Tensor& rows, const PassList::Part& part, int64_t before)
{
    return rows.defined() ? rows.narrow(0, part.front() - before, static_cast<int64_t>(part.size())) : rows;
}
int64_t all_of(const Inputs& inputs, const at::Tensor& rows) { return inputs.all > 0 ? inputs.all : rows.size(0); }

std::optional<at::Tensor> given(const at::Tensor& tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; }

/// What the passes of one modality give.
struct Giving {
    std::string modality;
    std::vector<std::string> columns;
    PassList::Share share;

    /// `told`: what stands for the columns "masked" or "concept".
    PassOutput operator()(const model::Network& network, const model::Encoding& encoding, const at::Tensor& told = {}) const
    {
        return {columns_of(encoding, network, modality, columns, told), encoding.auxiliary.z_loss, encoding.auxiliary.probes};
    }
};

/// An encoding and the concept that went into it, where a hybrid stem made one.
struct Read {
    model::Encoding encoding;
    at::Tensor told = {};
};

Read seen_by_hybrid(const model::Network& network, const model::Trunk& trunk, const at::Tensor& pixels, const at::Tensor& kept,
                    const at::Tensor& concept_seen)
{
    const int64_t items = pixels.size(0), frames = pixels.size(1);
    const auto trunk_output = trunk.forward(pixels.flatten(0, 1), network.config().own_tail());
    const at::Tensor& map = trunk_output.for_network();
    const at::Tensor told = network.concept_of(trunk_output.logits.view({items, frames, -1}));
    return {network.encode_map(map.view({items, frames, map.size(1), map.size(2), map.size(3)}), told, given(kept),
                               {given(concept_seen), std::nullopt}),
            told};
}

PassList vision_list(const Inputs& in, const Giving& giving, const model::ModelConfig& config, const model::Trunk* trunk,
                     int64_t pass_tokens)
{
    const bool hybrid = config.vision_stem == model::VisionStem::Hybrid;
    IMPRINT_ASSERT(!hybrid || trunk);
    const Resolution resolution{static_cast<int>(in.pixels.size(1)), static_cast<int>(in.pixels.size(2)),
                                static_cast<int>(in.pixels.size(3)), 0};
    const TokenGrid grid = vision_grid(config, resolution);
    const int64_t items = all_of(in, in.pixels), tokens = (in.kept.defined() ? in.kept.size(1) : grid.tokens()) + grid.beside;
    PassList list(giving.share);
    list.add(first_n(items), tokens, most_tokens(config, items, tokens, pass_tokens), static_cast<size_t>(items),
             [&](const PassList::Part& part) -> Forward {
                 return [pixels = part_of(in.pixels, part, in.before), kept = part_of(in.kept, part, in.before),
                         seen = part_of(in.concept_seen, part, in.before), giving, trunk, hybrid](const model::Network& network) {
                     const Read read = hybrid ? seen_by_hybrid(network, *trunk, pixels, kept, seen)
                                              : Read{network.encode_pixels(pixels, given(kept))};
                     return giving(network, read.encoding, read.told);
                 };
             });
    return list;
}

template <typename Encode>
PassList sound_list(const Inputs& in, const at::Tensor& rows, int64_t tokens, const Giving& giving,
                    const model::ModelConfig& config, int64_t pass_tokens, const Encode& encode)
{
    const int64_t items = all_of(in, rows);
    PassList list(giving.share);
    list.add(first_n(items), tokens, most_tokens(config, items, tokens, pass_tokens), static_cast<size_t>(items),
             [&](const PassList::Part& part) -> Forward {
                 return [own = part_of(rows, part, in.before), giving, encode](const model::Network& network) {
                     return giving(network, encode(network, own));
                 };
             });
    return list;
}

at::Tensor surprise(const model::Network& network, const model::Encoding& encoding, const at::Tensor& original,
                    const at::Tensor& hidden)
{
    const at::Tensor chances = at::log_softmax(network.target_logits(encoding), -1);
    const at::Tensor own = -chances.gather(-1, original.unsqueeze(-1)).squeeze(-1);
    const at::Tensor marks = hidden.to(own.scalar_type());
    return at::stack({(own * marks).sum(1), marks.sum(1)}, 1);
}

Read read_text(const model::Network& network, const model::TextTrunk* trunk, const at::Tensor& ids, const at::Tensor& mask)
{
    if (!trunk)
        return {network.encode_text(ids, {}, given(mask))};
    const auto read = trunk->forward(ids);
    const at::Tensor told = network.meaning_of(read.sentence);
    return {network.encode_text_states(read.states, told), told};
}

PassList text_list(const std::vector<TextBatch>& texts, const Giving& giving, const model::ModelConfig& config,
                   const model::TextTrunk* trunk, int64_t pass_tokens)
{
    size_t items = 0;
    for (const TextBatch& text : texts)
        items += text.members.size();
    PassList list(giving.share);
    for (const TextBatch& text : texts) {
        const int64_t tokens = text.ids.size(1), own = static_cast<int64_t>(text.members.size());
        list.add(text.members, tokens, most_tokens(config, own, tokens, pass_tokens), items,
                 [&](const PassList::Part& part) -> Forward {
                     const auto first = std::find(text.members.begin(), text.members.end(), part.front()) - text.members.begin();
                     const auto cut = [&](const at::Tensor& rows) {
                         return rows.defined() ? rows.narrow(0, first, static_cast<int64_t>(part.size())) : rows;
                     };
                     return [ids = cut(text.ids), mask = cut(text.mask), original = cut(text.original), hidden = cut(text.hidden),
                             giving, trunk](const model::Network& network) {
                         const Read read = read_text(network, trunk, ids, mask);
                         return giving(network, read.encoding,
                                       original.defined() ? surprise(network, read.encoding, original, hidden) : read.told);
                     };
                 });
    }
    return list;
}

}  // namespace

std::map<std::string, PassList> pass_lists(const Inputs& inputs, const Wanted& wanted, const model::ModelConfig& config,
                                           const Trunks& trunks, int64_t pass_tokens, const PassList::Share& share)
{
    std::map<std::string, PassList> lists;
    const auto put = [&](const std::string& name, const std::string& modality, const auto& make) {
        if (const auto& columns = wanted.columns(name); !columns.empty())
            lists.emplace(name, make(Giving{modality, columns, share}));
    };
    put("vision", "vision",
        [&](const Giving& giving) { return vision_list(inputs, giving, config, trunks.picture, pass_tokens); });
    put("sound", "sound", [&](const Giving& giving) {
        const int64_t tokens = inputs.spectrogram.size(1) / config.sound_patch * (config.mel_bands / config.sound_patch);
        return sound_list(inputs, inputs.spectrogram, tokens, giving, config, pass_tokens,
                          [](const model::Network& network, const at::Tensor& rows) { return network.encode_spectrogram(rows); });
    });
    put("waveform", "waveform", [&](const Giving& giving) {
        return sound_list(inputs, inputs.waveform, inputs.waveform.size(1) / config.waveform_patch, giving, config, pass_tokens,
                          [](const model::Network& network, const at::Tensor& rows) { return network.encode_waveform(rows); });
    });
    put("text", "text", [&](const Giving& giving) { return text_list(inputs.texts, giving, config, trunks.text, pass_tokens); });
    put("masked_text", "text",
        [&](const Giving& giving) { return text_list(inputs.masked_texts, giving, config, trunks.text, pass_tokens); });
    return lists;
}

}  // namespace imprint::training
