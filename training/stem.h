// SPDX-License-Identifier: Apache-2.0
// The given parts that a network takes from a checkpoint: trunks, class texts, statistics, tokenizer.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/model/checkpoint.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"

namespace imprint::training {

/// The frozen parts that passes go through; null where the configuration has no such stem.
struct Trunks {
    const model::Trunk* picture = nullptr;
    const model::TextTrunk* text = nullptr;
};

/// The serialised SentencePiece model in a file of its own or in a checkpoint. Error(NotFound), Error(Malformed).
std::string read_tokenizer(const std::filesystem::path& file);

class Stem {
public:
    /// Loads the checkpoint. Error(Usage) naming it where it lacks a trunk that `config` needs or has one of another size.
    /// Without a checkpoint there are no trunks.
    Stem() = default;
    Stem(const std::filesystem::path& checkpoint, const model::ModelConfig& config, const model::Precision& precision,
         at::Device device);

    Trunks trunks() const { return {picture_.get(), text_.get()}; }
    const model::Checkpoint& checkpoint() const { return checkpoint_; }
    /// Copies the frozen parameters that both have (class texts, statistics of maps and sound) into fresh ones.
    void fill(model::Parameters& parameters, const model::ModelConfig& config) const;
    /// Mean activations of the picture trunk's last map, minus the usual mean, divided by the usual deviation. pixels: uint8
    /// [items, frames, height, width, 3]; returns [items, channels].
    at::Tensor activations(const at::Tensor& pixels) const;

private:
    model::Checkpoint checkpoint_;
    std::unique_ptr<model::Trunk> picture_;
    std::unique_ptr<model::TextTrunk> text_;
    at::Tensor mean_, deviation_;
};

}  // namespace imprint::training
