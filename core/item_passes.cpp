// SPDX-License-Identifier: Apache-2.0
#include "core/item_passes.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace imprint {
namespace {

model::Parameters on(at::Device device, model::Parameters parameters)
{
    for (auto& [name, tensor] : parameters)
        tensor = tensor.to(device);
    return parameters;
}

model::Network network_on(at::Device device, const model::Checkpoint& checkpoint, const model::Precision& precision)
{
    model::Network network(checkpoint.config, on(device, checkpoint.parameters));
    network.set_precision(precision);
    return network.with_converted_matrices();
}

}  // namespace

ItemPasses::ItemPasses(const model::Checkpoint& checkpoint, const std::string& subject, const model::Precision& precision,
                       at::Device device)
    : device_(device), log_mel_(checkpoint.config, device),
      tokenizer_(checkpoint.tokenizer, checkpoint.config.vocabulary, checkpoint.config.max_text_tokens, subject),
      network_(network_on(device, checkpoint, precision))
{
    const auto of = [device](const model::Parameters& trunk) {
        return [device, &trunk](const std::string& name) { return trunk.at(name).to(device); };
    };
    if (checkpoint.config.vision_stem == model::VisionStem::Hybrid)
        trunk_ = std::make_unique<model::Trunk>(of(checkpoint.trunk));
    if (checkpoint.config.text_stem == model::TextStem::Hybrid)
        text_trunk_ = std::make_unique<model::TextTrunk>(checkpoint.config, precision, of(checkpoint.text_trunk));
}

/// uint8 [frames, height, width, 3]
at::Tensor ItemPasses::pixels_of(std::span<const media::Picture> clip) const
{
    const media::Picture& first = clip.front();
    const at::Tensor pixels = at::empty({static_cast<int64_t>(clip.size()), first.height, first.width, 3}, at::kByte);
    auto* out = pixels.mutable_data_ptr<uint8_t>();
    for (const auto& picture : clip)
        out = std::copy(picture.rgb.begin(), picture.rgb.end(), out);
    return pixels.to(device_);
}

ItemPasses::Stem ItemPasses::stem_of(std::span<const media::Picture> clip) const
{
    const auto output = trunk_->forward(pixels_of(clip), network_.config().own_tail());
    return {output.for_network().unsqueeze(0), network_.concept_of(output.logits.unsqueeze(0))};
}

at::Tensor ItemPasses::pictures(std::span<const media::Picture> clip) const
{
    if (!trunk_)
        return network_.encode_pixels(pixels_of(clip).unsqueeze(0)).vectors;
    const Stem stem = stem_of(clip);
    return network_.encode_map(stem.map, stem.concept_vector).vectors;
}

at::Tensor ItemPasses::concept_vector(std::span<const media::Picture> clip) const { return stem_of(clip).concept_vector; }

at::Tensor ItemPasses::sound(std::span<const float> samples) const
{
    const at::Tensor padded = at::zeros({1, log_mel_.padded_length(static_cast<int64_t>(samples.size()))});
    std::copy(samples.begin(), samples.end(), padded.mutable_data_ptr<float>());
    return network_.encode_spectrogram(log_mel_(padded.to(device_))).vectors;
}

at::Tensor ItemPasses::text(const std::string& text) const
{
    const at::Tensor ids = at::tensor(tokenizer_.ids(text)).unsqueeze(0).to(device_);
    if (!text_trunk_)
        return network_.encode_text(ids).vectors;
    const auto read = text_trunk_->forward(ids);
    return network_.encode_text_states(read.states, network_.meaning_of(read.sentence)).vectors;
}

}  // namespace imprint
