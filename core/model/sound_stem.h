// SPDX-License-Identifier: Apache-2.0
// What the sound's shortcut hears: residual convolutions over the whole spectrogram, learned with the network.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/model/layers.h"

namespace imprint::model {

/// A residual network (He et al. 2016) with batch normalisation (Ioffe & Szegedy 2015), of ModelConfig::sound_stem_widths: one
/// 3×3 convolution and then blocks of two, every one of which halves time and frequency. Patches of a spectrogram know places;
/// convolutions find the same attack or overtone anywhere in it, which few clips can teach.
///
/// Norms learn by the statistics of their batch and afterwards go by stored ones (batch_mean, batch_deviation of every norm), so
/// that a sound alone gets the vector that it gets in any company. Stored ones are measured by statistics() over many sounds once
/// the weights are settled ("precise batch norm", Wu & Johnson 2021), not averaged along the way.
///
/// Holds its parameters by reference to their tensors. const methods may be called from several threads.
class SoundStem {
public:
    SoundStem(const ModelConfig& config, const Parameters& parameters);

    enum class Norms { Stored, ByBatch };
    /// spectrogram: [batch, frames, mel_bands] log-mel. Fewer frames than the longest sound has are filled up with silence, and what
    /// is softer than sound_stem_floor is silence: the quietest bands of a recording tell of its microphone. Returns fp32 (fp64)
    /// [batch, 2 · last width]: each channel's mean, and the most that its mean over frequency reaches. Differentiable by the
    /// parameters; runs on device meta.
    at::Tensor forward(const at::Tensor& spectrogram, const Precision& precision, Norms norms) const;

    /// The stored statistics as they are over these sounds, by name.
    Parameters statistics(const at::Tensor& spectrogram, const Precision& precision) const;

private:
    struct Norm {
        std::string name;
        at::Tensor scale, bias, mean, deviation;
    };
    struct Convolution {
        at::Tensor kernel;  ///< [out, rows · columns · in]
        int64_t side = 1, stride = 1;
        at::Tensor operator()(const at::Tensor& x, const Precision& precision) const;
    };
    struct Block {
        Convolution first, second, beside;
        Norm first_norm, second_norm;
    };
    /// How a pass goes; `measured` collects what the norms saw, where there is one.
    struct Pass {
        const Precision& precision;
        Norms norms;
        Parameters* measured = nullptr;
    };
    at::Tensor heard(const at::Tensor& spectrogram, const Pass& pass) const;
    static at::Tensor normed(const at::Tensor& x, const Norm& norm, const Pass& pass);

    int64_t frames_;
    double floor_;
    Norm input_, opening_norm_;
    Convolution opening_;
    std::vector<Block> blocks_;
};

}  // namespace imprint::model
