// SPDX-License-Identifier: Apache-2.0
#include "core/model/sound_stem.h"

#include <ATen/ATen.h>

#include <limits>

#include "core/base/error.h"

namespace imprint::model {
namespace {

constexpr double kEpsilon = 1e-5;

at::Tensor rectified(const at::Tensor& x) { return within(x, 0, std::numeric_limits<double>::infinity()); }

/// Every place's neighbourhood, rows, then columns, then channels, with zeros past the edges. x: [batch, rows, columns, channels].
at::Tensor neighbourhoods(const at::Tensor& x, int64_t side, int64_t stride)
{
    const int64_t edge = side / 2, rows = (x.size(1) - 1) / stride + 1, columns = (x.size(2) - 1) / stride + 1;
    const at::Tensor padded = at::constant_pad_nd(x, {0, 0, edge, edge, edge, edge});
    std::vector<at::Tensor> parts;
    for (int64_t row = 0; row < side; ++row)
        for (int64_t column = 0; column < side; ++column)
            parts.push_back(padded.slice(1, row, row + (rows - 1) * stride + 1, stride)
                                .slice(2, column, column + (columns - 1) * stride + 1, stride));
    return at::cat(parts, 3);
}

}  // namespace

SoundStem::SoundStem(const ModelConfig& config, const Parameters& parameters)
    : frames_(int64_t{config.max_sound_patches} * config.sound_patch), floor_(config.sound_stem_floor)
{
    const auto norm = [&](const std::string& name) {
        const auto get = [&](const char* part) {
            const auto found = parameters.find(name + part);
            return found == parameters.end() ? at::Tensor() : found->second;
        };
        return Norm{name, get(".scale"), get(".bias"), get(".batch_mean"), get(".batch_deviation")};
    };
    const auto convolution = [&](const std::string& name, int64_t side, int64_t stride) {
        return Convolution{parameters.at(name + ".kernel"), side, stride};
    };
    input_ = norm("sound.stem.input");
    opening_ = convolution("sound.stem.0", 3, 2);
    opening_norm_ = norm("sound.stem.0.norm");
    for (size_t i = 1; i < config.sound_stem_widths.size(); ++i) {
        const std::string name = "sound.stem." + std::to_string(i);
        blocks_.push_back({convolution(name + ".first", 3, 2), convolution(name + ".second", 3, 1),
                           convolution(name + ".beside", 1, 2), norm(name + ".first.norm"), norm(name + ".second.norm")});
    }
}

// By a product: oneDNN's convolution, as libtorch 2.11 calls it, writes past its memory on the way back where channels are few.
at::Tensor SoundStem::Convolution::operator()(const at::Tensor& x, const Precision& precision) const
{
    return linear(neighbourhoods(x.to(precision.products), side, stride), kernel, {}, precision);
}

at::Tensor SoundStem::normed(const at::Tensor& x, const Norm& norm, const Pass& pass)
{
    if (pass.norms == Norms::Stored) {
        const at::Tensor factor = norm.scale.defined() ? norm.scale / norm.deviation : norm.deviation.reciprocal();
        const at::Tensor shift = norm.bias.defined() ? norm.bias - norm.mean * factor : -(norm.mean * factor);
        return widened(x) * factor + shift;
    }
    const at::Tensor wide = widened(x);
    const at::Tensor mean = wide.mean({0, 1, 2});
    const at::Tensor deviation = ((wide - mean).square().mean({0, 1, 2}) + kEpsilon).sqrt();
    if (pass.measured) {
        (*pass.measured)[norm.name + ".batch_mean"] = mean.detach().to(at::kFloat);
        (*pass.measured)[norm.name + ".batch_deviation"] = deviation.detach().to(at::kFloat);
    }
    const at::Tensor level = (wide - mean) / deviation;
    return norm.scale.defined() ? level * norm.scale + norm.bias : level;
}

// Maps are [batch, time, frequency, channels].
at::Tensor SoundStem::heard(const at::Tensor& spectrogram, const Pass& pass) const
{
    IMPRINT_ASSERT(spectrogram.dim() == 3);
    at::Tensor levels = within(spectrogram, floor_, std::numeric_limits<double>::infinity());
    if (const int64_t missing = frames_ - levels.size(1); missing > 0)
        levels = at::constant_pad_nd(levels, {0, 0, 0, missing}, floor_);
    // Bands are the channels of the input's norm, and one of two axes of everything after it.
    levels = normed(levels.unsqueeze(1), input_, pass).squeeze(1).unsqueeze(3);
    at::Tensor x = rectified(normed(opening_(levels, pass.precision), opening_norm_, pass));
    for (const Block& block : blocks_) {
        const at::Tensor between = rectified(normed(block.first(x, pass.precision), block.first_norm, pass));
        const at::Tensor after = normed(block.second(between, pass.precision), block.second_norm, pass);
        x = rectified(after + block.beside(x, pass.precision));
    }
    x = widened(x);
    return at::cat({x.mean({1, 2}), x.mean(2).amax(1)}, 1);
}

at::Tensor SoundStem::forward(const at::Tensor& spectrogram, const Precision& precision, Norms norms) const
{
    return heard(spectrogram, {precision, norms});
}

Parameters SoundStem::statistics(const at::Tensor& spectrogram, const Precision& precision) const
{
    Parameters measured;
    heard(spectrogram, {precision, Norms::ByBatch, &measured});
    return measured;
}

}  // namespace imprint::model
