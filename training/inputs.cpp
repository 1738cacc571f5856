// SPDX-License-Identifier: Apache-2.0
#include "training/inputs.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr uint64_t kDropPurpose = 0xd409, kHidePurpose = 0x41de, kConceptPurpose = 0xc04c;
constexpr double kHiddenConcepts = 0.3;  // as over a corpus (batches.cpp)

at::Tensor long_tensor(const std::vector<int64_t>& values, at::IntArrayRef shape, at::Device device)
{
    return at::tensor(values, at::kLong).view(shape).to(device);
}

std::span<const Example> read_here(const Batch& batch)
{
    return std::span(batch.examples).subspan(static_cast<size_t>(batch.own().first), static_cast<size_t>(batch.own().count()));
}

}  // namespace

InputMaker::InputMaker(const model::ModelConfig& config, const tokens::TextTokenizer* tokenizer, const tokens::LogMel& log_mel,
                       at::Device device)
    : config_(config), tokenizer_(tokenizer), log_mel_(log_mel), device_(device)
{
}

Inputs InputMaker::inputs(const Batch& batch, const BatchReader* reader, const Wanted& wanted, const How& how) const
{
    Inputs inputs;
    const Example& first = batch.examples[static_cast<size_t>(batch.own().first)];
    const auto each = static_cast<int64_t>(std::max(first.clips.size(), first.sounds.size()));
    inputs.before = batch.own().first * each;
    inputs.all = static_cast<int64_t>(batch.examples.size()) * each;
    const auto has = [&](const char* modality) { return !wanted.columns(modality).empty(); };
    if (has("vision")) {
        inputs.pixels = pixels(batch).to(device_);
        if (how.training && batch.resolution.drop > 0)
            inputs.kept = kept(batch, *reader).to(device_);
        if (how.training && config_.vision_stem == model::VisionStem::Hybrid)
            inputs.concept_seen = concept_seen(batch, *reader).to(device_);
    }
    const auto window = static_cast<int64_t>(std::lround(how.sound_seconds * media::kSampleRate));
    if (has("sound"))
        inputs.spectrogram = log_mel_(samples(batch, log_mel_.padded_length(window))).to(device_);
    if (has("waveform")) {
        const int64_t patch = config_.waveform_patch;
        inputs.waveform = samples(batch, (window + patch - 1) / patch * patch).to(device_);
    }
    if (!has("text") && !has("masked_text"))
        return inputs;
    std::vector<std::string> texts;
    for (const Example& example : batch.examples)
        texts.insert(texts.end(), example.texts.begin(), example.texts.end());
    if (has("text"))
        inputs.texts = text_batches(texts, how.text_tokens);
    if (has("masked_text")) {
        inputs.masked_texts = text_batches(texts, how.text_tokens);
        hide(inputs.masked_texts, batch, *reader, how.masked);
    }
    return inputs;
}

at::Tensor InputMaker::pixels(const Batch& batch) const
{
    const std::span<const Example> own = read_here(batch);
    const auto clips = static_cast<int64_t>(own.size() * own.front().clips.size());
    const Resolution& r = batch.resolution;
    at::Tensor pixels = at::empty({clips, r.frames, r.height, r.width, 3}, at::kByte);
    auto* out = pixels.mutable_data_ptr<uint8_t>();
    for (const Example& example : own)
        for (const auto& clip : example.clips)
            for (const auto& frame : clip) {
                IMPRINT_ASSERT(frame.width == r.width && frame.height == r.height);
                out = std::copy(frame.rgb.begin(), frame.rgb.end(), out);
            }
    IMPRINT_ASSERT(out == pixels.const_data_ptr<uint8_t>() + pixels.numel());
    return pixels;
}

// All clips of an example keep the same tokens (imp_method.md section 3).
at::Tensor InputMaker::kept(const Batch& batch, const BatchReader& reader) const
{
    const TokenGrid grid = vision_grid(config_, batch.resolution);
    std::vector<int64_t> all;
    int64_t rows = 0;
    for (int64_t i = batch.own().first; i < batch.own().end; ++i) {
        Draws draws = item_draws(reader.place(batch.draw, i), kDropPurpose);
        const std::vector<int64_t> indices = kept_indices(grid, batch.resolution.drop, draws);
        for (size_t clip = 0; clip < batch.examples[static_cast<size_t>(i)].clips.size(); ++clip, ++rows)
            all.insert(all.end(), indices.begin(), indices.end());
    }
    return at::tensor(all, at::kLong).view({rows, -1});
}

at::Tensor InputMaker::concept_seen(const Batch& batch, const BatchReader& reader) const
{
    std::vector<float> seen;
    for (int64_t i = batch.own().first; i < batch.own().end; ++i)
        for (size_t clip = 0; clip < batch.examples[static_cast<size_t>(i)].clips.size(); ++clip) {
            Draws draws = item_draws(reader.place(batch.draw, i), kConceptPurpose + clip);
            seen.push_back(draws.uniform() >= kHiddenConcepts ? 1.0f : 0.0f);
        }
    return at::tensor(seen).unsqueeze(1);
}

at::Tensor InputMaker::samples(const Batch& batch, int64_t length) const
{
    std::vector<const std::vector<float>*> sounds;
    for (const Example& example : read_here(batch))
        for (const auto& sound : example.sounds)
            sounds.push_back(&sound);
    at::Tensor samples = at::zeros({static_cast<int64_t>(sounds.size()), length});
    for (size_t row = 0; row < sounds.size(); ++row)
        std::memcpy(samples.mutable_data_ptr<float>() + static_cast<int64_t>(row) * length, sounds[row]->data(),
                    std::min<size_t>(sounds[row]->size(), static_cast<size_t>(length)) * sizeof(float));
    return samples;
}

std::vector<TextBatch> InputMaker::text_batches(const std::vector<std::string>& texts, int text_tokens) const
{
    IMPRINT_ASSERT(tokenizer_);
    std::map<int64_t, std::vector<int64_t>> members;  // by length
    std::vector<std::vector<int64_t>> ids;
    for (const auto& text : texts) {
        auto& own = ids.emplace_back(tokenizer_->ids(text));
        if (text_tokens > 0)
            own.resize(static_cast<size_t>(text_tokens), 0);
        members[static_cast<int64_t>(own.size())].push_back(static_cast<int64_t>(ids.size()) - 1);
    }
    std::vector<TextBatch> batches;
    for (auto& [length, part] : members) {
        std::vector<int64_t> all;
        for (const int64_t member : part)
            all.insert(all.end(), ids[static_cast<size_t>(member)].begin(), ids[static_cast<size_t>(member)].end());
        TextBatch text;
        text.ids = long_tensor(all, {static_cast<int64_t>(part.size()), length}, device_);
        if (text_tokens > 0)
            text.mask = text.ids != 0;
        text.members = std::move(part);
        batches.push_back(std::move(text));
    }
    return batches;
}

// imp_method.md section 4: a hidden piece becomes a random one or a sentinel, half and half; at least one of a text is hidden.
// The sentinel is the vocabulary's last id.
void InputMaker::hide(std::vector<TextBatch>& texts, const Batch& batch, const BatchReader& reader, double share) const
{
    const auto captions = static_cast<int64_t>(batch.examples.front().texts.size());
    const int64_t sentinel = config_.vocabulary - 1;
    for (TextBatch& text : texts) {
        text.original = text.ids.to(at::kCPU).clone();
        at::Tensor ids = text.original.clone(), hidden = at::zeros(ids.sizes(), at::kFloat);
        auto* id = ids.mutable_data_ptr<int64_t>();
        auto* mark = hidden.mutable_data_ptr<float>();
        const int64_t length = ids.size(1);
        for (size_t row = 0; row < text.members.size(); ++row) {
            const int64_t member = text.members[row];
            Draws draws =
                item_draws(reader.place(batch.draw, member / captions), kHidePurpose + static_cast<uint64_t>(member % captions));
            const auto own = id + static_cast<int64_t>(row) * length;
            const auto marks = mark + static_cast<int64_t>(row) * length;
            const int64_t real = std::max<int64_t>(1, std::count_if(own, own + length, [](int64_t piece) { return piece != 0; }));
            const int64_t certain = draws.below(real);
            for (int64_t t = 0; t < real; ++t) {
                const bool chosen = draws.uniform() < share || t == certain;
                const bool random = draws.uniform() < 0.5;
                const int64_t other = draws.below(config_.vocabulary);
                if (!chosen)
                    continue;
                own[t] = random ? other : sentinel;
                marks[t] = 1;
            }
        }
        text.ids = ids.to(device_);
        text.original = text.original.to(device_);
        text.hidden = hidden.to(device_);
    }
}

Targets InputMaker::targets(const Batch& batch, int clips, int captions) const
{
    Targets targets;
    targets.batch = static_cast<int64_t>(batch.examples.size());
    targets.clips = clips;
    targets.captions = captions;
    std::vector<int64_t> labels;
    std::vector<float> teacher;
    for (const Example& example : batch.examples) {
        labels.push_back(example.label);
        teacher.insert(teacher.end(), example.teacher.begin(), example.teacher.end());
    }
    targets.labels = at::tensor(labels, at::kLong).to(device_);
    if (!teacher.empty())
        targets.teacher = at::tensor(teacher).view({targets.batch, -1}).to(device_);
    return targets;
}

}  // namespace imprint::training
