// SPDX-License-Identifier: Apache-2.0
// Embedding, the stack of blocks, pooling and heads. Source: imp_method.md sections 1.2 to 1.6.
#include "core/model/network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/model/recomputed_block.h"
#include "kernels/patchify.h"

namespace imprint::model {
namespace {

// A gate that closes altogether stops the gradient of what it shuts out, and never opens again.
constexpr double kGateFloor = 0.1;

/// Row of a position table for each of n coordinates: floor(i · buckets / n).
at::Tensor bucket_rows(int64_t n, int64_t buckets, at::Device device)
{
    return at::arange(n, at::TensorOptions(at::kLong).device(device)).mul_(buckets).div_(n, "floor");
}

/// Rows of a table. Indexing has no backward on device meta outside Python; gathering has.
at::Tensor look_up(const at::Tensor& table, const at::Tensor& rows)
{
    if (!table.is_meta())
        return table.index({rows});
    const int64_t width = table.size(1);
    auto shape = rows.sizes().vec();
    shape.push_back(width);
    return table.gather(0, rows.reshape({-1, 1}).expand({rows.numel(), width})).view(shape);
}

/// Rows 0 … n − 1; past the table's end its last row.
at::Tensor first_rows(const at::Tensor& table, int64_t n)
{
    if (n <= table.size(0))
        return table.narrow(0, 0, n);
    return look_up(table, at::arange(n, at::TensorOptions(at::kLong).device(table.device())).clamp_max(table.size(0) - 1));
}

at::Tensor unit(const at::Tensor& x) { return x / (x.norm(2, {-1}, true) + 1e-6); }

at::Tensor pick_rows(const at::Tensor& from, const at::Tensor& kept)
{
    return from.expand({kept.size(0), from.size(1), from.size(2)})
        .gather(1, kept.unsqueeze(-1).expand({kept.size(0), kept.size(1), from.size(2)}));
}

/// DropToken: only the kept tokens go on, each with its own coordinate.
void drop(at::Tensor& tokens, at::Tensor& positions, const at::Tensor& kept)
{
    tokens = pick_rows(tokens, kept);
    positions = pick_rows(positions, kept);
}

/// What each band does over time, [batch, kSoundStatistics · bands]. levels: [batch, frames, bands].
at::Tensor over_time(const at::Tensor& levels)
{
    const int64_t frames = levels.size(1);
    const at::Tensor mean = levels.mean(1, true);
    const at::Tensor deviation = ((levels - mean).square().mean(1) + 1e-4).sqrt();  // a still band has a slope there too
    const at::Tensor steps = levels.narrow(1, 1, frames - 1) - levels.narrow(1, 0, frames - 1);
    const at::Tensor rise = within(steps, 0, std::numeric_limits<double>::infinity()).sum(1) / static_cast<double>(frames);
    return at::cat({mean.squeeze(1), deviation, levels.amax(1), rise}, 1);
}

}  // namespace

Network::Network(ModelConfig config, Parameters parameters) : config_(std::move(config)), parameters_(std::move(parameters))
{
    for (int layer = 0; layer < config_.layers; ++layer) {
        blocks_.emplace_back(config_, parameters_, layer);
        const std::string prefix = "encoder." + std::to_string(layer) + ".";
        auto& tensors = block_tensors_.emplace_back();
        for (auto found = parameters_.lower_bound(prefix); found != parameters_.end() && found->first.starts_with(prefix);
             ++found)
            tensors.push_back(found->second);
    }
    if (config_.own_tail())
        tail_.emplace(config_, parameters_);
    if (!config_.sound_stem_widths.empty())
        sound_stem_.emplace(config_, parameters_);
}

Network Network::with_converted_matrices() const
{
    Parameters converted = parameters_;
    for (const auto& spec : parameter_specs(config_))
        if ((spec.decays && !spec.full_precision) || spec.given_matrix)
            converted[spec.name] = converted[spec.name].to(precision_.products);
    Network network(config_, std::move(converted));
    if (tail_)
        network.tail_ = tail_->merged(precision_.products);
    network.set_precision(precision_);
    network.set_probing(probing_);
    network.set_recomputing(recomputing_);
    return network;
}

const at::Tensor& Network::get(const std::string& name) const
{
    const auto found = parameters_.find(name);
    IMPRINT_ASSERT(found != parameters_.end());
    return found->second;
}

at::Tensor Network::affine(const at::Tensor& x, const std::string& name, const Precision& precision) const
{
    return linear(x, get(name + ".kernel"), get(name + ".bias"), precision);
}

at::Tensor Network::temperature(const std::string& pair) const
{
    const at::Tensor& stored = get("temperature." + pair);
    return (stored.is_meta() ? stored * (stored > 0) : at::relu(stored)) + 1e-6;  // no relu there either
}

at::Tensor Network::concept_of(const at::Tensor& logits) const
{
    const at::Tensor weights = at::softmax(widened(logits) / config_.concept_temperature, -1);
    return unit(at::matmul(weights, get("concept.class_text")).mean(1));
}

at::Tensor Network::vision_positions(int64_t frames, int64_t rows, int64_t columns) const
{
    const int64_t width = config_.width;
    const auto pick = [&](const char* axis, int64_t n, int64_t buckets) {
        const at::Tensor& table = get(std::string("vision.position.") + axis);
        return look_up(table, bucket_rows(n, buckets, table.device()));
    };
    const at::Tensor sum = pick("time", frames, config_.time_buckets).view({frames, 1, 1, width})
        + pick("row", rows, config_.row_buckets).view({1, rows, 1, width})
        + pick("column", columns, config_.column_buckets).view({1, 1, columns, width});
    return sum.reshape({1, frames * rows * columns, width});
}

at::Tensor Network::head(const std::string& name, const at::Tensor& pooled) const
{
    const at::Tensor hidden = at::gelu(affine(pooled, name + ".hidden", precision_), "tanh");
    return layer_norm(affine(hidden, name + ".out", precision_), get(name + ".norm.scale"), get(name + ".norm.bias"));
}

Encoding Network::encode(const std::string& modality, at::Tensor tokens, const at::Tensor& positions,
                         const at::Tensor& extra_token, const at::Tensor& mask, const at::Tensor& addend) const
{
    if (modality != "text" || config_.text_stem == TextStem::Hybrid)
        tokens = affine(tokens, modality + ".input", precision_);
    if (addend.defined())
        tokens = tokens + addend;
    tokens = tokens + layer_norm(positions, get(modality + ".position.norm.scale"), get(modality + ".position.norm.bias"));
    std::vector<at::Tensor> sequence;
    if (config_.aggregation_token)
        sequence.push_back(get(modality + ".aggregation_token").unsqueeze(0).expand({tokens.size(0), 1, config_.width}));
    if (extra_token.defined())
        sequence.push_back(extra_token.unsqueeze(1));
    const auto added = static_cast<int64_t>(sequence.size());
    if (added > 0) {
        sequence.push_back(tokens);
        tokens = at::cat(sequence, 1);
    }
    at::Tensor attends, attention_bias;  // which tokens are no pads, and what that makes of the scores
    if (mask.defined()) {
        attends = at::cat({at::ones({mask.size(0), added}, mask.options()), mask}, 1);
        // By arithmetic: libtorch's logical operators have no body for device meta outside Python.
        const at::Tensor real = attends.to(widened(tokens).scalar_type());
        attention_bias = ((real.unsqueeze(1) * real.unsqueeze(2) - 1) * 1e10).unsqueeze(1);
    }

    at::Tensor x = affine(tokens, modality + ".pre", precision_);
    tokens.reset();
    Encoding result;
    result.auxiliary.probing = probing_;
    const bool again = recomputing_ && at::GradMode::is_enabled();
    for (size_t layer = 0; layer < blocks_.size(); ++layer)
        x = again ? recomputed(blocks_[layer], block_tensors_[layer], x, precision_, result.auxiliary, attention_bias)
                  : blocks_[layer].forward(x, precision_, result.auxiliary, attention_bias);
    x = layer_norm(x, get("encoder.norm.scale"), get("encoder.norm.bias"));
    result.features = x;
    // The post-encoder projection is affine, so projecting the mean is projecting every token and then taking the mean.
    if (config_.aggregation_token) {
        result.pooled = affine(widened(x).select(1, 0), modality + ".post", precision_);
    } else if (mask.defined()) {
        const at::Tensor weight = attends.to(x.scalar_type()).unsqueeze(-1);
        const at::Tensor projected = widened(affine(x, modality + ".post", precision_));
        result.pooled = (projected * weight).sum(1) / (weight.sum(1) + 1e-6);
    } else {
        result.pooled = affine(widened(x).mean(1), modality + ".post", precision_);
    }

    if (config_.common_space == CommonSpace::Disjoint) {
        for (const auto& target : config_.modalities())
            if (target != modality)
                result.spaces[target] = head(modality + ".to_" + target, result.pooled);
        return result;
    }
    result.own = unit(head(modality + ".head", result.pooled));
    result.vectors = result.own;
    return result;
}

at::Tensor Network::last_map(const at::Tensor& map) const
{
    if (map.size(-1) == config_.trunk_channels)
        return map;
    IMPRINT_ASSERT(tail_ && map.size(-1) == config_.vision_tail_widths.front());
    const at::Tensor last = tail_->forward(map.flatten(0, -4), precision_);
    auto shape = map.sizes().vec();
    std::copy(last.sizes().end() - 3, last.sizes().end(), shape.end() - 3);
    return last.view(shape);
}

Network::MapTokens Network::map_tokens(const at::Tensor& given, const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(given.dim() == 5 && config_.vision_stem == VisionStem::Hybrid);
    const at::Tensor map = last_map(given);
    const int64_t frames = map.size(1), rows = map.size(2), columns = map.size(3);
    const std::vector<int64_t> flat = {map.size(0), frames * rows * columns, map.size(4)};
    MapTokens tokens{map.reshape(flat), vision_positions(frames, rows, columns), {}, frames > 1, {}};
    if (config_.vision_shortcut > 0)
        tokens.average = widened(tokens.values).mean(1);
    if (config_.vision_change && frames > 1) {
        tokens.change = (map - map.mean(1, true)).reshape(flat);
        if (kept)
            tokens.change = pick_rows(tokens.change, *kept);
    }
    if (kept)
        drop(tokens.values, tokens.positions, *kept);
    return tokens;
}

Encoding Network::encode_map_tokens(const MapTokens& tokens, const at::Tensor& concept_vector, const Hiding& hiding) const
{
    const at::Tensor &mean = get("vision.map_mean"), &deviation = get("vision.map_deviation");
    const at::Tensor values = (widened(tokens.values) - mean) / deviation;
    const at::Tensor told = hiding.concept_seen ? concept_vector * *hiding.concept_seen : concept_vector;
    const double ceiling = tokens.clip ? config_.clip_gate_ceiling : 1 - kGateFloor;
    const at::Tensor concept_token = affine(told, "concept.input", precision_);
    at::Tensor change;
    if (tokens.change.defined())
        change = linear(widened(tokens.change) / deviation, get("vision.change.kernel"), {}, precision_);
    Encoding result = encode("vision", values, tokens.positions, concept_token, {}, change);
    if (config_.vision_shortcut == 0) {
        let_concept_in(result, concept_vector, gate_logit(result.pooled, "concept.gate"), config_.concept_gate_floor, ceiling);
        return result;
    }
    const at::Tensor average = (tokens.average - mean) / deviation;
    result.own = unit(result.own + vision_shortcut(average, told, hiding.shortcut_kept));
    // This gate learns from what pictures look like (training's gate loss), not from which share suits the captions at hand:
    // those are of drawings for the most part, and would close it for everything.
    const at::Tensor logit = gate_logit(average, "concept.gate");
    let_concept_in(result, concept_vector, logit.detach(), config_.concept_gate_floor, ceiling);
    result.gate_logit = logit;
    return result;
}

at::Tensor Network::vision_shortcut(const at::Tensor& average, const at::Tensor& concept_vector,
                                    const std::optional<at::Tensor>& kept) const
{
    // A concept has length 1, an average some ten times its channels' deviation: as inputs of one layer they must weigh alike.
    const double louder = std::sqrt(static_cast<double>(config_.joint_dim));
    return shortcut("vision.shortcut", at::cat({average, concept_vector.to(average.scalar_type()) * louder}, 1), kept);
}

at::Tensor Network::shortcut(const std::string& name, const at::Tensor& told, const std::optional<at::Tensor>& kept) const
{
    at::Tensor hidden = at::gelu(affine(told, name + ".hidden", precision_), "tanh");
    if (kept)
        hidden = hidden * *kept;
    return unit(layer_norm(affine(hidden, name + ".out", precision_), get(name + ".norm.scale"), get(name + ".norm.bias")));
}

at::Tensor Network::gate_logit(const at::Tensor& seen, const std::string& gate) const
{
    return affine(seen, gate, {seen.scalar_type()});
}

void Network::let_concept_in(Encoding& encoding, const at::Tensor& concept_vector, const at::Tensor& gate_logit, double floor,
                             double ceiling) const
{
    encoding.gate_logit = gate_logit;
    const at::Tensor open = at::sigmoid(gate_logit);
    encoding.gate = kGateFloor + (1 - 2 * kGateFloor) * open;
    if (floor > kGateFloor || ceiling < 1 - kGateFloor)
        encoding.gate = within(encoding.gate, floor, ceiling);
    encoding.vectors = unit(encoding.gate * concept_vector + (1 - encoding.gate) * encoding.own);
}

Encoding Network::encode_map(const at::Tensor& map, const at::Tensor& concept_vector, const std::optional<at::Tensor>& kept,
                             const Hiding& hiding) const
{
    return encode_map_tokens(map_tokens(map, kept), concept_vector, hiding);
}

Encoding Network::encode_pixels(const at::Tensor& pixels, const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(pixels.dim() == 5 && config_.vision_stem == VisionStem::Patch);
    const int64_t f = config_.patch_frames, p = config_.patch_size;
    const int64_t frames = std::max<int64_t>(pixels.size(1) / f, 1);
    at::Tensor positions = vision_positions(frames, pixels.size(2) / p, pixels.size(3) / p);
    if (kept)
        positions = pick_rows(positions, *kept);
    at::Tensor patches = kernels::patchify(pixels.contiguous(), f, p, kept ? kept->contiguous() : at::Tensor());
    if (precision_.products == at::kDouble)  // the operator gives fp32, from which the bytes come back exactly
        patches = ((patches.to(at::kDouble) + 1) * 127.5).round() / 127.5 - 1;
    return encode("vision", std::move(patches), positions, {});
}

Encoding Network::encode_spectrogram(const at::Tensor& spectrogram, const std::optional<at::Tensor>& kept,
                                     const std::optional<at::Tensor>& shortcut_kept) const
{
    const int64_t p = config_.sound_patch, batch = spectrogram.size(0);
    const int64_t times = spectrogram.size(1) / p, bands = spectrogram.size(2) / p;
    at::Tensor tokens =
        config_.standardise_sound ? (spectrogram - get("sound.mel_mean")) / get("sound.mel_deviation") : spectrogram;
    const bool shortcut_alone = kept && kept->size(1) == 0;
    at::Tensor told;
    if (sound_stem_)
        told = sound_stem_->forward(spectrogram, precision_, shortcut_alone ? SoundStem::Norms::ByBatch : SoundStem::Norms::Stored);
    else if (config_.sound_shortcut > 0)
        told = over_time(tokens);
    if (shortcut_alone) {
        IMPRINT_ASSERT(told.defined());
        Encoding alone;
        alone.vectors = alone.own = shortcut("sound.shortcut", told, shortcut_kept);
        return alone;
    }
    tokens = tokens.view({batch, times, p, bands, p}).permute({0, 1, 3, 2, 4}).reshape({batch, times * bands, p * p});
    const at::Tensor& times_table = get("sound.position.time");
    const at::Tensor time = config_.sound_time_by_share
        ? look_up(times_table, bucket_rows(times, config_.sound_time_buckets, times_table.device()))
        : first_rows(times_table, times);
    const at::Tensor& table = get("sound.position.frequency");
    const at::Tensor frequency = look_up(table, bucket_rows(bands, config_.sound_frequency_buckets, table.device()));
    at::Tensor positions =
        (time.view({times, 1, config_.width}) + frequency.unsqueeze(0)).reshape({1, times * bands, config_.width});
    if (kept)
        drop(tokens, positions, *kept);
    Encoding result = encode("sound", std::move(tokens), positions, {});
    if (told.defined())
        result.vectors = result.own =
            unit(config_.sound_blocks_share * result.own + shortcut("sound.shortcut", told, shortcut_kept));
    return result;
}

Parameters Network::sound_statistics(const at::Tensor& spectrogram) const
{
    return sound_stem_ ? sound_stem_->statistics(spectrogram, precision_) : Parameters{};
}

Encoding Network::encode_waveform(const at::Tensor& samples, const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(samples.dim() == 2 && config_.waveform && samples.size(1) % config_.waveform_patch == 0);
    const int64_t count = samples.size(1) / config_.waveform_patch;
    at::Tensor tokens = samples.reshape({samples.size(0), count, config_.waveform_patch});
    const at::Tensor& table = get("waveform.position");
    at::Tensor positions = look_up(table, bucket_rows(count, config_.waveform_buckets, table.device())).unsqueeze(0);
    if (kept)
        drop(tokens, positions, *kept);
    return encode("waveform", std::move(tokens), positions, {});
}

Encoding Network::encode_text(const at::Tensor& ids, const std::optional<at::Tensor>& kept,
                              const std::optional<at::Tensor>& mask) const
{
    IMPRINT_ASSERT(ids.dim() == 2 && ids.size(1) >= 1 && ids.size(1) <= config_.max_text_tokens
                   && config_.text_stem == TextStem::Pieces);
    at::Tensor tokens = look_up(get("text.table"), ids);
    if (config_.scale_text)
        tokens = tokens * std::sqrt(static_cast<double>(config_.width));
    at::Tensor positions = first_rows(get("text.position"), ids.size(1)).unsqueeze(0);
    at::Tensor attends = mask ? mask->to(at::kBool) : at::Tensor();
    if (kept) {
        drop(tokens, positions, *kept);
        if (mask)
            attends = attends.gather(1, *kept);
    }
    return encode("text", std::move(tokens), positions, {}, attends);
}

Encoding Network::encode_text_states(const at::Tensor& states, const at::Tensor& concept_vector,
                                     const std::optional<at::Tensor>& kept) const
{
    IMPRINT_ASSERT(states.dim() == 3 && config_.text_stem == TextStem::Hybrid);
    at::Tensor tokens = widened(states);
    at::Tensor positions = first_rows(get("text.position"), states.size(1)).unsqueeze(0);
    if (kept)
        drop(tokens, positions, *kept);
    Encoding result = encode("text", tokens, positions, affine(concept_vector, "text.concept.input", precision_));
    let_concept_in(result, concept_vector, gate_logit(result.pooled, "text.concept.gate"),
                   config_.text_gate_floor > 0 ? config_.text_gate_floor : config_.concept_gate_floor, 1 - kGateFloor);
    return result;
}

at::Tensor Network::meaning_of(const at::Tensor& sentence) const { return unit(widened(sentence) - get("text.concept.mean")); }

at::Tensor Network::classify(const Encoding& encoding, const std::string& modality, const std::string& classifier) const
{
    return widened(affine(encoding.pooled, "classifier." + modality + "." + classifier, precision_));
}

at::Tensor Network::token_features(const Encoding& encoding, const std::string& modality) const
{
    return affine(encoding.features, modality + ".post", precision_);
}

at::Tensor Network::target_logits(const Encoding& text) const
{
    const int64_t first = (config_.aggregation_token ? 1 : 0) + (config_.text_stem == TextStem::Hybrid ? 1 : 0);
    const at::Tensor own = text.features.narrow(1, first, text.features.size(1) - first);
    return widened(affine(affine(own, "text.post", precision_), "text.target", precision_));
}

}  // namespace imprint::model
