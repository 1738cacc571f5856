// SPDX-License-Identifier: Apache-2.0
// Every item is a pass of its own: the rule that gives the same item the same bits.
#include "core/encoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/model/checkpoint.h"
#include "core/model/lanes.h"
#include "core/model/network.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"

namespace imprint {
namespace {

Vectors to_vectors(const at::Tensor& rows)
{
    const at::Tensor flat = rows.to(at::kCPU, at::kFloat).contiguous();
    Vectors vectors;
    vectors.dim = static_cast<int>(flat.size(1));
    vectors.values.assign(flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
    return vectors;
}

model::Precision choose_precision(const EncoderOptions& options)
{
    if (options.device != "auto" && options.device != "cpu") {
        if (options.device.rfind("cuda", 0) == 0)
            throw Error(ErrorKind::Unsupported, "--device " + options.device, "this build has no CUDA part", "Use --device cpu");
        throw Error(ErrorKind::Usage, "--device " + options.device, "is not a device", "Use auto, cpu or cuda[:N]");
    }
    if (options.precision == "auto")
        return {multiplies_bf16() ? at::kBFloat16 : at::kFloat};
    if (options.precision == "fp32")
        return {at::kFloat};
    if (options.precision == "bf16")
        return {at::kBFloat16};
    throw Error(ErrorKind::Usage, "--precision " + options.precision, "is not a precision", "Use auto, fp32 or bf16");
}

}  // namespace

const char* modality_name(Modality modality) { return modality == Modality::Picture ? "picture" : "sound"; }

class Encoder::Impl {
public:
    Impl(const std::filesystem::path& path, const EncoderOptions& options)
        : precision(choose_precision(options)), file(path), checkpoint(model::load_checkpoint(file)), log_mel(checkpoint.config),
          tokenizer(checkpoint.tokenizer, checkpoint.config.vocabulary, checkpoint.config.max_text_tokens, path.string()),
          network(checkpoint.config, checkpoint.parameters)
    {
        const c10::InferenceMode guard;
        if (checkpoint.config.common_space != model::CommonSpace::Joint)
            throw Error(ErrorKind::Unsupported, path.string(), "has one space per pair of modalities, and a library needs one for all",
                        "Use a checkpoint whose common_space is joint");
        network.set_precision(precision);
        network = network.with_converted_matrices();
        if (checkpoint.config.vision_stem == model::VisionStem::Hybrid)
            trunk = std::make_unique<model::Trunk>([this](const std::string& name) { return checkpoint.trunk.at(name); });
        if (checkpoint.config.text_stem == model::TextStem::Hybrid)
            text_trunk = std::make_unique<model::TextTrunk>(
                checkpoint.config, precision, [this](const std::string& name) { return checkpoint.text_trunk.at(name); });
        if (options.threads > 0)
            lanes.emplace(options.threads);
        space = model::space_of(file, checkpoint.config);
        bank = to_vectors(checkpoint.text_bank);
        background[0] = to_vectors(checkpoint.background_picture);
        background[1] = to_vectors(checkpoint.background_sound);
    }

    /// Runs `pass` once per item, side by side on all lanes. A product's last bits depend on its shape, on the row an item
    /// stands in (measured: a row's bits change with its place among 16) and on the threads that share it, so every pass holds
    /// one item alone on one thread: its shape is the item's own and its place the first.
    template <typename Pass>
    Vectors one_by_one(size_t count, const Pass& pass)
    {
        Vectors result;
        result.dim = checkpoint.config.joint_dim;
        result.values.resize(count * static_cast<size_t>(result.dim));
        const std::lock_guard lock(mutex);
        const auto one = [&](size_t i) {
            const c10::InferenceMode guard;
            const at::Tensor row = pass(i).to(at::kFloat).contiguous();
            IMPRINT_ASSERT(row.numel() == result.dim);
            std::memcpy(result.values.data() + i * static_cast<size_t>(result.dim), row.const_data_ptr<float>(), row.nbytes());
        };
        (count > 1 ? lanes_in_use() : alone).each(count, one);
        return result;
    }

    /// With the mutex held.
    const model::Lanes& lanes_in_use()
    {
        if (!lanes) {
            const int most = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
            lanes.emplace(model::fastest_lane_count(most, [this](int count) { return passes_per_second(count); }));
        }
        return *lanes;
    }

    /// Of silence that fills the window, the best of a few tries: others on the machine only ever take time away.
    double passes_per_second(int count) const
    {
        constexpr int kTries = 3;
        const auto& config = checkpoint.config;
        const model::Lanes some(count);
        const auto pass = [&](size_t) {
            const c10::InferenceMode guard;
            network.encode_spectrogram(at::zeros({1, int64_t{config.max_sound_patches} * config.sound_patch, config.mel_bands}));
        };
        const auto passes = static_cast<size_t>(count);
        some.each(passes, pass);
        double least = std::numeric_limits<double>::infinity();
        for (int i = 0; i < kTries; ++i) {
            const auto start = std::chrono::steady_clock::now();
            some.each(passes, pass);
            least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        return static_cast<double>(passes) / least;
    }

    /// uint8 [frames, height, width, 3]
    static at::Tensor pixels_of(std::span<const media::Picture> clip)
    {
        const media::Picture& first = clip.front();
        at::Tensor pixels = at::empty({static_cast<int64_t>(clip.size()), first.height, first.width, 3}, at::kByte);
        auto* out = pixels.mutable_data_ptr<uint8_t>();
        for (const auto& picture : clip)
            out = std::copy(picture.rgb.begin(), picture.rgb.end(), out);
        return pixels;
    }

    struct Stem {
        at::Tensor map, concept_vector;
    };
    Stem stem_of(std::span<const media::Picture> clip) const
    {
        const auto output = trunk->forward(pixels_of(clip));
        return {output.map.unsqueeze(0), network.concept_of(output.logits.unsqueeze(0))};
    }

    at::Tensor encode(std::span<const media::Picture> clip) const
    {
        if (!trunk)
            return network.encode_pixels(pixels_of(clip).unsqueeze(0)).vectors;
        const Stem stem = stem_of(clip);
        return network.encode_map(stem.map, stem.concept_vector).vectors;
    }

    at::Tensor encode(const std::string& text) const
    {
        const at::Tensor ids = at::tensor(tokenizer.ids(text)).unsqueeze(0);
        if (!text_trunk)
            return network.encode_text(ids).vectors;
        const auto read = text_trunk->forward(ids);
        return network.encode_text_states(read.states, network.meaning_of(read.sentence)).vectors;
    }

    void check_clip(std::span<const media::Picture> clip) const
    {
        IMPRINT_ASSERT(!clip.empty() && clip.size() <= static_cast<size_t>(checkpoint.config.max_frames));
        for (const auto& picture : clip) {
            const media::Size size{picture.width, picture.height};
            const auto& sizes = checkpoint.config.picture_sizes;
            IMPRINT_ASSERT(std::find(sizes.begin(), sizes.end(), size) != sizes.end());
            IMPRINT_ASSERT(picture.width == clip.front().width && picture.height == clip.front().height);
            IMPRINT_ASSERT(picture.rgb.size() == static_cast<size_t>(picture.width) * picture.height * 3);
        }
    }

    model::Precision precision;
    model::SafetensorsFile file;
    model::Checkpoint checkpoint;
    tokens::LogMel log_mel;
    tokens::TextTokenizer tokenizer;
    model::Network network;
    std::unique_ptr<model::Trunk> trunk;
    std::unique_ptr<model::TextTrunk> text_trunk;
    std::string space;
    Vectors bank, background[2];
    std::mutex mutex;
    const model::Lanes alone{1};
    std::optional<model::Lanes> lanes;
};

Encoder::Encoder(const std::filesystem::path& checkpoint, const EncoderOptions& options)
    : impl_(std::make_unique<Impl>(checkpoint, options))
{
}
Encoder::~Encoder() = default;

int Encoder::dim() const { return impl_->checkpoint.config.joint_dim; }
const std::string& Encoder::space() const { return impl_->space; }
const std::string& Encoder::model_name() const { return impl_->checkpoint.config.name; }
int Encoder::threads()
{
    const std::lock_guard lock(impl_->mutex);
    return impl_->lanes_in_use().count();
}
std::string Encoder::precision() const { return impl_->precision.products == at::kFloat ? "fp32" : "bf16"; }
const std::vector<media::Size>& Encoder::picture_sizes() const { return impl_->checkpoint.config.picture_sizes; }
double Encoder::sound_window() const { return double(impl_->checkpoint.config.max_sound_samples()) / media::kSampleRate; }
int Encoder::max_frames() const { return impl_->checkpoint.config.max_frames; }
const Vectors& Encoder::text_bank() const { return impl_->bank; }
const Vectors& Encoder::background(Modality modality) const { return impl_->background[static_cast<int>(modality)]; }

Vectors Encoder::encode_pictures(std::span<const media::Picture> pictures)
{
    for (const auto& picture : pictures)
        impl_->check_clip({&picture, 1});
    return impl_->one_by_one(pictures.size(), [&](size_t i) { return impl_->encode(pictures.subspan(i, 1)); });
}

Vectors Encoder::encode_clips(std::span<const std::vector<media::Picture>> clips)
{
    for (const auto& clip : clips)
        impl_->check_clip(clip);
    return impl_->one_by_one(clips.size(), [&](size_t i) { return impl_->encode(clips[i]); });
}

Vectors Encoder::concept_vectors(std::span<const media::Picture> pictures)
{
    if (!impl_->trunk)
        throw Error(ErrorKind::Unsupported, impl_->file.path().string(), "has no trunk, so it has no concept vectors");
    for (const auto& picture : pictures)
        impl_->check_clip({&picture, 1});
    return impl_->one_by_one(pictures.size(), [&](size_t i) { return impl_->stem_of(pictures.subspan(i, 1)).concept_vector; });
}

Vectors Encoder::encode_sounds(std::span<const media::Sound> sounds)
{
    const auto most = static_cast<size_t>(impl_->checkpoint.config.max_sound_samples());
    for (const auto& sound : sounds)
        if (sound.samples.empty() || sound.samples.size() > most)
            throw Error(ErrorKind::Usage, "sound", "has " + std::to_string(sound.samples.size())
                                                       + " samples; one vector covers 1 … " + std::to_string(most));
    return impl_->one_by_one(sounds.size(), [&](size_t i) {
        const auto& source = sounds[i].samples;
        at::Tensor samples = at::zeros({1, impl_->log_mel.padded_length(static_cast<int64_t>(source.size()))});
        std::copy(source.begin(), source.end(), samples.mutable_data_ptr<float>());
        return impl_->network.encode_spectrogram(impl_->log_mel(samples)).vectors;
    });
}

Vectors Encoder::encode_texts(std::span<const std::string> texts)
{
    return impl_->one_by_one(texts.size(), [&](size_t i) { return impl_->encode(texts[i]); });
}

}  // namespace imprint
