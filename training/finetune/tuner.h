// SPDX-License-Identifier: Apache-2.0
// Trains a checkpoint's network on a person's examples without letting it forget: three objectives in alternation, each with
// steps of its own, as in the model's pretraining (imp_method.md section 3). Free of torch.
//
// classify: cross-entropy over the cosines to the classes' means, as the network saw them at its last look.
//
// names: the same over the classes' names as the network reads them now, so that words find what was learned.
//
// replay: the old network's own vectors of other media and texts, and what they say of each other.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/encoder.h"

namespace imprint::training {

/// Lora: low-rank matrices beside those of the blocks, and the heads as they are. Full: all that is not frozen in pretraining.
enum class TuneScope { Lora, Full };

struct TuneOptions {
    TuneScope scope = TuneScope::Lora;
    uint64_t seed = 1;
    EncoderOptions encoder;  ///< precision and threads; training is on the CPU
    int64_t steps = 160;     ///< at most
};

/// What an example is for.
enum class TunePart { HeldOut, Watched, Learned };

/// What the examples are of. Those that no label names are only looked at.
struct Lesson {
    std::vector<std::string> names;  ///< of the classes, in words
    struct Label {
        size_t example = 0;  ///< its number, in the order in which examples were added
        int label = 0;       ///< of names
        TunePart part = TunePart::Learned;
    };
    std::vector<Label> labels;
};

struct TuneProgress {
    int64_t step = 0, steps = 0;
    double loss = 0;                ///< of the last step on the classes
    std::optional<double> watched;  ///< share of the watched examples that are nearest to their class's mean
};

/// One network's way from the old weights to new ones, of which any blend can then be looked at: old + blend · (new − old), at 0
/// the old weights bit for bit. For one thread at a time. The same examples and seed give the same bits on one machine.
class Tuner {
public:
    /// Loads the checkpoint: throws as Encoder does, and Error(Usage) for one with adapters of its own.
    Tuner(const std::filesystem::path& checkpoint, const TuneOptions& options);
    ~Tuner();
    Tuner(const Tuner&) = delete;
    Tuner& operator=(const Tuner&) = delete;

    /// The next example: 1 … max_frames() pictures of one of the model's sizes, or a sound of at most its window.
    void add_pictures(std::span<const media::Picture> clip);
    void add_sound(std::span<const float> samples);
    /// Likewise something else to be reminded of: a person's own media that belong to no class.
    void remind_of_pictures(std::span<const media::Picture> clip);
    void remind_of_sound(std::span<const float> samples);
    /// The same with what comes with the program (replay_pack.h), of which a part is the measure of what was forgotten.
    void remind_of_pack(const std::filesystem::path& pack);
    size_t reminders() const;

    /// Trains until the watched examples stop getting better, or to the end of the schedule. Returns the steps whose weights were
    /// kept.
    int64_t learn(const Lesson& lesson, const std::function<void(const TuneProgress&)>& progress, const CancelToken& cancel);

    /// Writes the tensors that learning moved, with what they depend on (any text) and the steps that were kept, so that another
    /// blend needs no learning. Whole or not at all.
    void keep_learned(const std::filesystem::path& file, const std::string& depends_on, int64_t steps) const;
    /// Takes them up in place of learn() and returns the steps. Nothing, and nothing changes, where there is no such file, where
    /// it depends on something else, and where it is damaged.
    std::optional<int64_t> recall_learned(const std::filesystem::path& file, const std::string& depends_on);

    /// Unit vectors of all examples in their order.
    Vectors vectors(double blend, const CancelToken& cancel = {}) const;
    /// For each of the pack's held-back items, text to item (texts as they are, without a lexicon's glosses): the mean of "first"
    /// and "among the first ten", in percent. Empty where the pack has nothing for this model.
    std::vector<double> retention(double blend) const;
    /// The checkpoint's background by Modality, moved as the reminders have moved (ridge regression towards staying).
    std::array<Vectors, 2> background(double blend) const;

    /// Writes a checkpoint that is the old one but for the weights, its text bank and background, and what it says of its making,
    /// to which `made` (a JSON object) is added. Whole or not at all.
    void save(const std::filesystem::path& out, double blend, const std::string& made) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint::training
