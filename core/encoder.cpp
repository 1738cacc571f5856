// SPDX-License-Identifier: Apache-2.0
// Batches of any make-up become passes of fixed shapes: the rule that gives the same item the same bits.
#include "core/encoder.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <map>
#include <mutex>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/network.h"
#include "core/model/trunk.h"
#include "core/tokens/log_mel.h"
#include "core/tokens/text_tokenizer.h"

namespace imprint {
namespace {

// Items per pass. Small enough that a single query wastes little on copies, large enough to feed the products.
constexpr int64_t kPicturesPerPass = 4;
constexpr int64_t kClipsPerPass = 2;
constexpr int64_t kSoundsPerPass = 4;
constexpr int64_t kTextsPerPass = 16;

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
    if (options.precision == "auto" || options.precision == "fp32")
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
        network.set_precision(precision);
        network = network.with_converted_matrices();
        if (checkpoint.config.vision_stem == model::VisionStem::Hybrid)
            trunk = std::make_unique<model::Trunk>([this](const std::string& name) { return checkpoint.trunk.at(name); });
        if (options.threads > 0)
            at::set_num_threads(options.threads);
        space = model::space_of(file, checkpoint.config);
        bank = to_vectors(checkpoint.text_bank);
        background[0] = to_vectors(checkpoint.background_picture);
        background[1] = to_vectors(checkpoint.background_sound);
    }

    /// Runs `pass` over all items: equal keys share passes of exactly `per_pass` items, short ones filled with copies of
    /// their last item. Each pass runs on one thread, so bits do not depend on the number of threads either.
    template <typename Key, typename Pass>
    Vectors in_fixed_shapes(size_t count, int64_t per_pass, const Key& key, const Pass& pass)
    {
        using KeyType = decltype(key(size_t{}));
        std::map<KeyType, std::vector<size_t>> groups;
        for (size_t i = 0; i < count; ++i)
            groups[key(i)].push_back(i);
        std::vector<std::vector<size_t>> passes;
        for (const auto& [k, members] : groups)
            for (size_t begin = 0; begin < members.size(); begin += static_cast<size_t>(per_pass)) {
                auto& items = passes.emplace_back();
                for (size_t i = begin; i < begin + static_cast<size_t>(per_pass); ++i)
                    items.push_back(members[std::min(i, members.size() - 1)]);
            }
        Vectors result;
        result.dim = checkpoint.config.joint_dim;
        result.values.resize(count * static_cast<size_t>(result.dim));
        const std::lock_guard lock(mutex);
        at::parallel_for(0, static_cast<int64_t>(passes.size()), 1, [&](int64_t begin, int64_t end) {
            const c10::InferenceMode guard;
            for (int64_t p = begin; p < end; ++p) {
                const auto& items = passes[static_cast<size_t>(p)];
                const Vectors rows = to_vectors(pass(items));
                for (size_t i = 0; i < items.size(); ++i)
                    std::memcpy(result.values.data() + items[i] * static_cast<size_t>(result.dim), rows.row(static_cast<int>(i)).data(),
                                sizeof(float) * static_cast<size_t>(result.dim));
            }
        });
        return result;
    }

    /// uint8 [items × frames, height, width, 3]
    at::Tensor pixels_of(const std::vector<std::span<const media::Picture>>& clips) const
    {
        const media::Picture& first = clips.front().front();
        const auto frames = static_cast<int64_t>(clips.front().size());
        at::Tensor pixels = at::empty({static_cast<int64_t>(clips.size()) * frames, first.height, first.width, 3}, at::kByte);
        auto* out = pixels.mutable_data_ptr<uint8_t>();
        for (const auto& clip : clips)
            for (const auto& picture : clip) {
                std::memcpy(out, picture.rgb.data(), picture.rgb.size());
                out += picture.rgb.size();
            }
        return pixels;
    }

    struct Stem {
        at::Tensor map, concept_vector;
    };
    Stem stem_of(const std::vector<std::span<const media::Picture>>& clips) const
    {
        const at::Tensor pixels = pixels_of(clips);
        const auto items = static_cast<int64_t>(clips.size());
        const int64_t frames = pixels.size(0) / items;
        const auto output = trunk->forward(pixels);
        const auto& map = output.map;
        return {map.view({items, frames, map.size(1), map.size(2), map.size(3)}),
                network.concept_of(output.logits.view({items, frames, output.logits.size(1)}))};
    }

    at::Tensor encode(const std::vector<std::span<const media::Picture>>& clips) const
    {
        if (!trunk) {
            const at::Tensor pixels = pixels_of(clips);
            const auto items = static_cast<int64_t>(clips.size());
            return network.encode_pixels(pixels.view({items, pixels.size(0) / items, pixels.size(1), pixels.size(2), 3})).vectors;
        }
        const Stem stem = stem_of(clips);
        return network.encode_map(stem.map, stem.concept_vector).vectors;
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
    std::string space;
    Vectors bank, background[2];
    std::mutex mutex;
};

Encoder::Encoder(const std::filesystem::path& checkpoint, const EncoderOptions& options)
    : impl_(std::make_unique<Impl>(checkpoint, options))
{
}
Encoder::~Encoder() = default;

int Encoder::dim() const { return impl_->checkpoint.config.joint_dim; }
const std::string& Encoder::space() const { return impl_->space; }
const std::string& Encoder::model_name() const { return impl_->checkpoint.config.name; }
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
    return impl_->in_fixed_shapes(
        pictures.size(), kPicturesPerPass, [&](size_t i) { return std::pair(pictures[i].width, pictures[i].height); },
        [&](const std::vector<size_t>& items) {
            std::vector<std::span<const media::Picture>> clips;
            for (const size_t i : items)
                clips.push_back(pictures.subspan(i, 1));
            return impl_->encode(clips);
        });
}

Vectors Encoder::encode_clips(std::span<const std::vector<media::Picture>> clips)
{
    for (const auto& clip : clips)
        impl_->check_clip(clip);
    return impl_->in_fixed_shapes(
        clips.size(), kClipsPerPass,
        [&](size_t i) { return std::tuple(clips[i].size(), clips[i].front().width, clips[i].front().height); },
        [&](const std::vector<size_t>& items) {
            std::vector<std::span<const media::Picture>> spans;
            for (const size_t i : items)
                spans.emplace_back(clips[i]);
            return impl_->encode(spans);
        });
}

Vectors Encoder::concept_vectors(std::span<const media::Picture> pictures)
{
    if (!impl_->trunk)
        throw Error(ErrorKind::Unsupported, impl_->file.path().string(), "has no trunk, so it has no concept vectors");
    for (const auto& picture : pictures)
        impl_->check_clip({&picture, 1});
    return impl_->in_fixed_shapes(
        pictures.size(), kPicturesPerPass, [&](size_t i) { return std::pair(pictures[i].width, pictures[i].height); },
        [&](const std::vector<size_t>& items) {
            std::vector<std::span<const media::Picture>> clips;
            for (const size_t i : items)
                clips.push_back(pictures.subspan(i, 1));
            return impl_->stem_of(clips).concept_vector;
        });
}

Vectors Encoder::encode_sounds(std::span<const media::Sound> sounds)
{
    const auto most = static_cast<size_t>(impl_->checkpoint.config.max_sound_samples());
    for (const auto& sound : sounds)
        if (sound.samples.empty() || sound.samples.size() > most)
            throw Error(ErrorKind::Usage, "sound", "has " + std::to_string(sound.samples.size()) + " samples; one vector covers 1 … "
                                                       + std::to_string(most));
    return impl_->in_fixed_shapes(
        sounds.size(), kSoundsPerPass,
        [&](size_t i) { return impl_->log_mel.padded_length(static_cast<int64_t>(sounds[i].samples.size())); },
        [&](const std::vector<size_t>& items) {
            const int64_t length = impl_->log_mel.padded_length(static_cast<int64_t>(sounds[items.front()].samples.size()));
            at::Tensor samples = at::zeros({static_cast<int64_t>(items.size()), length});
            for (size_t row = 0; row < items.size(); ++row) {
                const auto& source = sounds[items[row]].samples;
                std::memcpy(samples.mutable_data_ptr<float>() + static_cast<int64_t>(row) * length, source.data(), source.size() * sizeof(float));
            }
            return impl_->network.encode_spectrogram(impl_->log_mel(samples)).vectors;
        });
}

Vectors Encoder::encode_texts(std::span<const std::string> texts)
{
    std::vector<std::vector<int64_t>> ids;
    for (const auto& text : texts)
        ids.push_back(impl_->tokenizer.ids(text));
    return impl_->in_fixed_shapes(
        texts.size(), kTextsPerPass, [&](size_t i) { return ids[i].size(); },
        [&](const std::vector<size_t>& items) {
            const auto length = static_cast<int64_t>(ids[items.front()].size());
            at::Tensor batch = at::empty({static_cast<int64_t>(items.size()), length}, at::kLong);
            for (size_t row = 0; row < items.size(); ++row)
                std::memcpy(batch.mutable_data_ptr<int64_t>() + static_cast<int64_t>(row) * length, ids[items[row]].data(),
                            sizeof(int64_t) * static_cast<size_t>(length));
            return impl_->network.encode_text(batch).vectors;
        });
}

}  // namespace imprint
