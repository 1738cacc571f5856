// SPDX-License-Identifier: Apache-2.0
// What a model is reminded of while it learns something else, and what shows how much it forgot: activations of the frozen
// picture trunk, spectrograms and texts of the training corpus, in a small file that comes with the program.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/model/checkpoint.h"

namespace imprint::training {

/// One item of the pack.
struct PackItem {
    at::Tensor values;  ///< a last map [1, rows, columns, channels], pooled, or a spectrogram [frames, mel_bands]; fp32
    std::string text;   ///< what it is called; empty for some that are replayed
    bool held = false;  ///< held back: never learned from, the measure of what was forgotten
    at::Tensor concept_vector = {};  ///< [joint_dim], of pictures
};

/// The file: safetensors with, for n pictures and m sounds,
///   picture.maps U8 [n, rows, columns, channels], value = byte · picture.scale [channels] F32
///   picture.concepts I8 [n, joint_dim] with its row_scale (model::read_tensor)
///   sound.frames I64 [m], sound.mels U8 [sum of frames, mel_bands], value = low + byte · step, both F32 [2] in sound.range
///   trunk F32: the bias of the classifier of the trunk that made the maps, which no other trunk has, and of the head of the
///   network's own tail where it has one
///   and in the metadata "imprint.replay": {"mel": what LogMel depends on, "pictures": [{"text", "held"}], "sounds": [likewise],
///   "texts": further texts that are replayed}
struct ReplayPack {
    std::vector<PackItem> pictures, sounds;
    std::vector<std::string> texts;
};

/// What of the pack a checkpoint can read: its pictures where they come from its own trunk, its sounds where it hears alike.
/// Error(NotFound), Error(Malformed) naming the file.
ReplayPack read_replay_pack(const std::filesystem::path& file, const model::Checkpoint& checkpoint);

/// Rounds to bytes and writes. All maps have one shape; spectrograms have any number of frames.
void write_replay_pack(const std::filesystem::path& file, const ReplayPack& pack, const model::Checkpoint& checkpoint);

}  // namespace imprint::training
