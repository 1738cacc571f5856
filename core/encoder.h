// SPDX-License-Identifier: Apache-2.0
// The one door to the model: media or text in, unit vectors of the joint space out. Callers never see a tensor.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/media/media.h"

namespace imprint {

/// Which background statistics a vector is judged by: what a moment shows, or what it sounds like.
enum class Modality { Picture, Sound };
const char* modality_name(Modality modality);  ///< "picture", "sound"

/// `count` vectors of `dim` floats, row-major.
struct Vectors {
    int dim = 0;
    std::vector<float> values;
    int count() const { return dim ? static_cast<int>(values.size()) / dim : 0; }
    std::span<const float> row(int i) const { return {values.data() + static_cast<size_t>(i) * dim, static_cast<size_t>(dim)}; }
    void append(std::span<const float> row) { values.insert(values.end(), row.begin(), row.end()); }
};

struct EncoderOptions {
    std::string device = "auto";     ///< auto (a GPU where there is one) | cpu | cuda[:N]
    std::string precision = "auto";  ///< auto (bf16 on a GPU and where the processor has it, else fp32) | fp32 | bf16
    int threads = 0;  ///< items side by side, one thread each; 0: chosen by a measurement when first needed. One on a GPU
};

/// A checkpoint, ready to embed. Loading throws Error (NotFound, Malformed, Unsupported, and LimitExceeded for want of memory)
/// naming the file; Error(Unsupported) for a GPU that this build or machine has not.
/// The same item gives the same bits alone or in any batch, in any order, on any number of threads, in one precision on one
/// machine.
/// Where a pass finds no memory, half as many items go side by side from then on; where a single one finds none, it is tried
/// again for some seconds, then Error(LimitExceeded) is thrown, and the encoder stays usable.
/// Methods may be called from any thread; calls are served one at a time.
class Encoder {
public:
    explicit Encoder(const std::filesystem::path& checkpoint, const EncoderOptions& options = {});
    ~Encoder();
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    int dim() const;
    /// Identifies the vector space: model name, the first 12 hex digits of the checkpoint's hash, and the dimension.
    const std::string& space() const;
    const std::string& model_name() const;
    std::string precision() const;  ///< "fp32" or "bf16", as chosen
    std::string device() const;     ///< "cpu" or "cuda:N", as chosen
    int threads();                  ///< as given, chosen or left by a shortage of memory; measures where nothing was
    bool threads_chosen() const;    ///< false until they were given or measured

    /// The sizes that pictures must be decoded to (media::Fit::exact).
    const std::vector<media::Size>& picture_sizes() const;
    /// Longest sound that one vector covers, in seconds; longer input is an Error(Usage).
    double sound_window() const;
    /// Most frames that one vector covers.
    int max_frames() const;

    /// Pictures must have one of picture_sizes(). One vector each.
    Vectors encode_pictures(std::span<const media::Picture> pictures);
    /// Each clip is 1 … max_frames() frames of one size, in time order. One vector each.
    Vectors encode_clips(std::span<const std::vector<media::Picture>> clips);
    /// Each sound is 1 sample … sound_window() of samples at media::kSampleRate. One vector each.
    Vectors encode_sounds(std::span<const media::Sound> sounds);
    /// UTF-8 texts; a text longer than the model reads is cut at its maximum. One vector each.
    Vectors encode_texts(std::span<const std::string> texts);
    /// How many pieces the model reads a word in: few for words of its vocabulary, about one a letter for noise.
    int pieces(const std::string& word) const;

    /// The untrained part alone, for baselines: class probabilities times class text vectors, centred, unit length.
    Vectors concept_vectors(std::span<const media::Picture> pictures);

    /// What makes scores comparable, stored in the checkpoint: unit vectors of a fixed bank of texts, and of fixed
    /// background moments per modality that come from no user's library.
    const Vectors& text_bank() const;
    const Vectors& background(Modality modality) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace imprint
