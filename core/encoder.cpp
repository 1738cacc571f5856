// SPDX-License-Identifier: Apache-2.0
// Every item is a pass of its own: the rule that gives the same item the same bits.
#include "core/encoder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>

#include "core/base/error.h"
#include "core/item_passes.h"
#include "core/model/checkpoint.h"
#include "core/model/device.h"
#include "core/model/lanes.h"

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

/// Calls `work`; false where it found no memory. The processor's allocator has no error type of its own.
template <typename Work>
bool found_memory(const Work& work)
{
    try {
        work();
        return true;
    } catch (const std::bad_alloc&) {
    } catch (const c10::OutOfMemoryError&) {
    } catch (const c10::Error& error) {
        if (std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator") == std::string_view::npos)
            throw;
    }
    return false;
}

}  // namespace

const char* modality_name(Modality modality) { return modality == Modality::Picture ? "picture" : "sound"; }

class Encoder::Impl {
public:
    Impl(const std::filesystem::path& path, const EncoderOptions& options)
        : device(model::choose_device(options.device, "--device")), precision{model::choose_precision(options.precision, device,
                                                                                                      "--precision")},
          file(path), checkpoint(model::load_checkpoint(file))
    {
        const c10::InferenceMode guard;
        if (checkpoint.config.common_space != model::CommonSpace::Joint)
            throw Error(ErrorKind::Unsupported, path.string(),
                        "has one space per pair of modalities, and a library needs one for all",
                        "Use a checkpoint whose common_space is joint");
        passes.emplace(checkpoint, path.string(), precision, device);
        if (!device.is_cpu())
            lanes.emplace(1);
        else if (options.threads > 0)
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
            const at::Tensor row = pass(i).to(at::kCPU, at::kFloat).contiguous();
            IMPRINT_ASSERT(row.numel() == result.dim);
            std::memcpy(result.values.data() + i * static_cast<size_t>(result.dim), row.const_data_ptr<float>(), row.nbytes());
        };
        std::vector<char> done(count);
        std::chrono::milliseconds pause = kFirstPause;
        for (int tries = kTriesAlone; tries > 0;) {
            std::atomic<bool> starved = false;
            const model::Lanes& some = count > 1 ? lanes_in_use() : alone;
            some.each(count, [&](size_t i) {
                if (done[i] || starved)
                    return;
                if (found_memory([&] { one(i); }))
                    done[i] = 1;
                else
                    starved = true;
            });
            if (!starved)
                return result;
            if (some.count() > 1) {
                lanes.emplace(some.count() / 2);
            } else if (--tries > 0) {  // others may be done with theirs soon
                std::this_thread::sleep_for(pause);
                pause *= 2;
            }
        }
        throw Error(ErrorKind::LimitExceeded, file.path().string(), "found no memory to encode a single item on " + device.str(),
                    "Close other programs, or choose another --device");
    }

    /// With the mutex held.
    const model::Lanes& lanes_in_use()
    {
        if (!lanes) {
            const int most = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
            lanes.emplace(model::fastest_lane_count(most, [this](int count) {
                double rate = 0;
                return found_memory([&] { rate = passes_per_second(count); }) ? rate : 0;
            }));
        }
        return *lanes;
    }

    /// Of silence that fills the window, the best of a few tries: others on the machine only ever take time away.
    double passes_per_second(int count) const
    {
        constexpr int kTries = 3;
        const std::vector<float> silence(static_cast<size_t>(checkpoint.config.max_sound_samples()));
        const model::Lanes some(count);
        const auto pass = [&](size_t) {
            const c10::InferenceMode guard;
            passes->sound(silence);
        };
        const auto each = static_cast<size_t>(count);
        some.each(each, pass);
        double least = std::numeric_limits<double>::infinity();
        for (int i = 0; i < kTries; ++i) {
            const auto start = std::chrono::steady_clock::now();
            some.each(each, pass);
            least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        return static_cast<double>(each) / least;
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

    static constexpr int kTriesAlone = 5;
    static constexpr std::chrono::milliseconds kFirstPause{100};  // each is twice the one before: 1.5 s in all

    at::Device device;
    model::Precision precision;
    model::SafetensorsFile file;
    model::Checkpoint checkpoint;
    std::optional<ItemPasses> passes;
    std::string space;
    Vectors bank, background[2];
    std::mutex mutex;
    const model::Lanes alone{1};
    std::optional<model::Lanes> lanes;
};

Encoder::Encoder(const std::filesystem::path& checkpoint, const EncoderOptions& options)
{
    if (!found_memory([&] { impl_ = std::make_unique<Impl>(checkpoint, options); }))
        throw Error(ErrorKind::LimitExceeded, checkpoint.string(), "found no memory to load the model",
                    "Close other programs, or raise the limit (ulimit -v) that this one was started under");
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
std::string Encoder::device() const { return impl_->device.str(); }
bool Encoder::threads_chosen() const
{
    const std::lock_guard lock(impl_->mutex);
    return impl_->lanes.has_value();
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
    return impl_->one_by_one(pictures.size(), [&](size_t i) { return impl_->passes->pictures(pictures.subspan(i, 1)); });
}

Vectors Encoder::encode_clips(std::span<const std::vector<media::Picture>> clips)
{
    for (const auto& clip : clips)
        impl_->check_clip(clip);
    return impl_->one_by_one(clips.size(), [&](size_t i) { return impl_->passes->pictures(clips[i]); });
}

Vectors Encoder::concept_vectors(std::span<const media::Picture> pictures)
{
    if (!impl_->passes->has_concepts())
        throw Error(ErrorKind::Unsupported, impl_->file.path().string(), "has no trunk, so it has no concept vectors");
    for (const auto& picture : pictures)
        impl_->check_clip({&picture, 1});
    return impl_->one_by_one(pictures.size(), [&](size_t i) { return impl_->passes->concept_vector(pictures.subspan(i, 1)); });
}

Vectors Encoder::encode_sounds(std::span<const media::Sound> sounds)
{
    const auto most = static_cast<size_t>(impl_->checkpoint.config.max_sound_samples());
    for (const auto& sound : sounds)
        if (sound.samples.empty() || sound.samples.size() > most)
            throw Error(ErrorKind::Usage, "sound",
                        "has " + std::to_string(sound.samples.size()) + " samples; one vector covers 1 … "
                            + std::to_string(most));
    return impl_->one_by_one(sounds.size(), [&](size_t i) { return impl_->passes->sound(sounds[i].samples); });
}

Vectors Encoder::encode_texts(std::span<const std::string> texts)
{
    return impl_->one_by_one(texts.size(), [&](size_t i) { return impl_->passes->text(texts[i]); });
}

int Encoder::pieces(const std::string& word) const { return impl_->passes->pieces(word); }

}  // namespace imprint
