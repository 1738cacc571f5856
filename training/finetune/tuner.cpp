// SPDX-License-Identifier: Apache-2.0
// Media to items, weights to blends; the steps themselves are tune_steps.cpp's.
#include "training/finetune/tuner.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/device.h"
#include "training/evaluation/metrics.h"
#include "training/finetune/replay_pack.h"
#include "training/finetune/tune_steps.h"

namespace imprint::training {
namespace {

constexpr const char* kDependsOn = "imprint.learned.depends_on";
constexpr const char* kSteps = "imprint.learned.steps";

Vectors to_vectors(const at::Tensor& rows)
{
    const at::Tensor flat = rows.to(at::kFloat).contiguous();
    return {static_cast<int>(flat.size(1)), {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()}};
}

at::Tensor unit(const at::Tensor& rows) { return rows / rows.norm(2, {-1}, true).clamp_min(1e-6); }

/// Where `rows` went when `before` went to `after`: rows + rows · Δ, where Δ is the ridge regression of after − before on before.
/// Far from all of `before` nothing moves.
at::Tensor moved(const at::Tensor& rows, const at::Tensor& before, const at::Tensor& after)
{
    constexpr double kRidge = 1;
    if (before.size(0) == 0)
        return rows;
    const at::Tensor x = before.to(at::kDouble), kernel = at::matmul(x, x.t()) + kRidge * at::eye(x.size(0), at::kDouble);
    const at::Tensor weights = at::linalg_solve(kernel, after.to(at::kDouble) - x);
    return unit(rows + at::matmul(at::matmul(rows.to(at::kDouble), x.t()), weights).to(at::kFloat));
}

/// Per query: the mean of "first" and "among the first ten" in percent. Row i answers query i.
std::vector<double> found(const at::Tensor& queries, const at::Tensor& items)
{
    if (queries.size(0) == 0)
        return {};
    const at::Tensor table = at::matmul(queries, items.t()).contiguous();
    evaluation::Scores scores(static_cast<int>(table.size(0)), static_cast<int>(table.size(1)));
    std::copy(table.const_data_ptr<float>(), table.const_data_ptr<float>() + table.numel(), scores.values.begin());
    std::vector<std::vector<int>> relevant;
    for (int i = 0; i < scores.queries; ++i)
        relevant.push_back({i});
    const evaluation::Outcome outcome = evaluation::rank_all(scores, relevant);
    std::vector<double> points;
    for (size_t i = 0; i < outcome.queries(); ++i)
        points.push_back(50 * (outcome.hit1[i] + outcome.hit10[i]));
    return points;
}

}  // namespace

class Tuner::Impl {
public:
    Impl(const std::filesystem::path& path, const TuneOptions& given)
        : options(given), precision{model::choose_precision(given.encoder.precision, at::kCPU, "--precision")}, file(path),
          checkpoint(model::load_checkpoint(file)), reader(checkpoint, path.string(), precision), lanes(given.encoder.threads),
          now(checkpoint.parameters)
    {
        if (checkpoint.config.lora_rank > 0)
            throw Error(ErrorKind::Usage, path.string(), "has adapters of its own", "Merge them first (imprint model merge)");
    }

    model::Parameters blended(double blend) const
    {
        IMPRINT_ASSERT(blend >= 0 && blend <= 1);
        if (blend == 0)
            return checkpoint.parameters;
        if (blend == 1)
            return now;
        const at::NoGradGuard guard;
        model::Parameters between = checkpoint.parameters;
        for (auto& [name, tensor] : between)
            if (!tensor.is_same(now.at(name)))
                tensor = at::lerp(tensor, now.at(name), blend);
        return between;
    }

    at::Tensor rows(const std::vector<TuneItem>& items, const model::Parameters& parameters, const CancelToken& cancel = {}) const
    {
        std::vector<const TuneItem*> all;
        for (const TuneItem& item : items)
            all.push_back(&item);
        return rows(all, parameters, cancel);
    }
    at::Tensor rows(const std::vector<const TuneItem*>& items, const model::Parameters& parameters,
                    const CancelToken& cancel = {}) const
    {
        model::Network network(checkpoint.config, parameters);
        network.set_precision(precision);
        return rows_of(items, network, lanes, cancel);
    }

    void remind_of(const ReplayPack& pack)
    {
        const auto sort = [&](const std::vector<PackItem>& items, bool picture) {
            for (const PackItem& item : items) {
                TuneItem made = picture ? reader.map(item.values, item.concept_vector) : reader.spectrogram(item.values);
                if (!item.text.empty())
                    (item.held ? held_texts[picture] : reminder_texts).push_back(reader.text(item.text));
                (item.held ? held[picture] : reminders).push_back(std::move(made));
            }
        };
        sort(pack.pictures, true);
        sort(pack.sounds, false);
        for (const std::string& text : pack.texts)
            reminder_texts.push_back(reader.text(text));
    }

    /// The reminders of one kind, under the old weights and others.
    std::pair<at::Tensor, at::Tensor> movement(const std::function<bool(const TuneItem&)>& of_kind,
                                               const model::Parameters& parameters) const
    {
        std::vector<const TuneItem*> some;
        for (const auto* list : {&reminders, &reminder_texts})
            for (const TuneItem& item : *list)
                if (of_kind(item))
                    some.push_back(&item);
        return {rows(some, checkpoint.parameters), rows(some, parameters)};
    }
    static bool shows(const TuneItem& item) { return item.map.defined() || item.pixels.defined(); }
    static bool sounds(const TuneItem& item) { return item.spectrogram.defined(); }
    static bool says(const TuneItem& item) { return item.is_text(); }

    at::Tensor background(Modality modality, const model::Parameters& parameters) const
    {
        const bool picture = modality == Modality::Picture;
        const auto [before, after] = movement(picture ? shows : sounds, parameters);
        return moved(picture ? checkpoint.background_picture : checkpoint.background_sound, before, after);
    }

    TuneOptions options;
    model::Precision precision;
    model::SafetensorsFile file;
    model::Checkpoint checkpoint;
    ItemReader reader;
    model::Lanes lanes;
    model::Parameters now;  // the new weights; the old ones share what is not trained
    std::vector<TuneItem> examples, reminders, reminder_texts;
    std::array<std::vector<TuneItem>, 2> held, held_texts;  // sounds, pictures; each with its text
};

Tuner::Tuner(const std::filesystem::path& checkpoint, const TuneOptions& options)
    : impl_(std::make_unique<Impl>(checkpoint, options))
{
}
Tuner::~Tuner() = default;

void Tuner::add_pictures(std::span<const media::Picture> clip) { impl_->examples.push_back(impl_->reader.pictures(clip)); }
void Tuner::add_sound(std::span<const float> samples) { impl_->examples.push_back(impl_->reader.sound(samples)); }
void Tuner::remind_of_pictures(std::span<const media::Picture> clip) { impl_->reminders.push_back(impl_->reader.pictures(clip)); }
void Tuner::remind_of_sound(std::span<const float> samples) { impl_->reminders.push_back(impl_->reader.sound(samples)); }
void Tuner::remind_of_pack(const std::filesystem::path& pack) { impl_->remind_of(read_replay_pack(pack, impl_->checkpoint)); }
size_t Tuner::reminders() const { return impl_->reminders.size() + impl_->reminder_texts.size(); }

int64_t Tuner::learn(const Lesson& lesson, const std::function<void(const TuneProgress&)>& progress, const CancelToken& cancel)
{
    const model::Weights old{impl_->checkpoint.config, impl_->checkpoint.parameters};
    TuneSteps steps(old, {impl_->options.scope, impl_->options.seed, impl_->precision, impl_->options.steps}, impl_->lanes);
    steps.set_lesson(lesson, impl_->examples, impl_->reader, cancel);
    steps.set_reminders(impl_->reminders, impl_->reminder_texts, cancel);
    const int64_t kept = steps.run(progress, cancel);
    impl_->now = steps.result();
    return kept;
}

void Tuner::keep_learned(const std::filesystem::path& file, const std::string& depends_on, int64_t steps) const
{
    std::vector<std::pair<std::string, at::Tensor>> moved;
    for (const auto& [name, tensor] : impl_->now)
        if (!tensor.is_same(impl_->checkpoint.parameters.at(name)))
            moved.emplace_back(name, tensor.to(at::kFloat).contiguous());
    std::vector<std::pair<std::string, model::TensorView>> views;
    for (const auto& [name, tensor] : moved) {
        const std::span<const float> values(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel()));
        views.emplace_back(name, model::TensorView{model::DType::F32, tensor.sizes().vec(), std::as_bytes(values)});
    }
    model::write_safetensors(file, {{kDependsOn, depends_on}, {kSteps, std::to_string(steps)}}, views);
}

std::optional<int64_t> Tuner::recall_learned(const std::filesystem::path& path, const std::string& depends_on)
{
    std::error_code none;
    if (!std::filesystem::is_regular_file(path, none))
        return {};
    try {
        const model::SafetensorsFile file(path);
        const auto stated = [&](const char* key) {
            const auto found = file.metadata().find(key);
            return found == file.metadata().end() ? std::string() : found->second;
        };
        if (stated(kDependsOn) != depends_on)
            return {};
        const std::string steps = stated(kSteps);
        int64_t kept = 0;
        if (std::from_chars(steps.data(), steps.data() + steps.size(), kept).ec != std::errc())
            return {};
        model::Parameters moved = impl_->checkpoint.parameters;
        for (const auto& [name, view] : file.tensors()) {
            const auto old = moved.find(name);
            if (old == moved.end() || old->second.sizes() != at::IntArrayRef(view.shape))
                return {};
            const std::vector<float> values = view.to_floats(path.string());
            const at::Tensor tensor = at::empty(view.shape, at::kFloat);
            std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
            if (!at::isfinite(tensor).all().item<bool>())
                return {};
            old->second = tensor;
        }
        impl_->now = std::move(moved);
        return kept;
    } catch (const Error&) {
        return {};  // then it is learned again
    }
}

Vectors Tuner::vectors(double blend, const CancelToken& cancel) const
{
    return to_vectors(impl_->rows(impl_->examples, impl_->blended(blend), cancel));
}

std::vector<double> Tuner::retention(double blend) const
{
    const model::Parameters parameters = impl_->blended(blend);
    std::vector<double> points;
    for (size_t kind = 0; kind < impl_->held.size(); ++kind) {
        const std::vector<double> some =
            found(impl_->rows(impl_->held_texts[kind], parameters), impl_->rows(impl_->held[kind], parameters));
        points.insert(points.end(), some.begin(), some.end());
    }
    return points;
}

std::array<Vectors, 2> Tuner::background(double blend) const
{
    if (blend == 0)
        return {to_vectors(impl_->checkpoint.background_picture), to_vectors(impl_->checkpoint.background_sound)};
    const model::Parameters parameters = impl_->blended(blend);
    return {to_vectors(impl_->background(Modality::Picture, parameters)),
            to_vectors(impl_->background(Modality::Sound, parameters))};
}

void Tuner::save(const std::filesystem::path& out, double blend, const std::string& made) const
{
    const at::NoGradGuard guard;
    model::Checkpoint result = impl_->checkpoint;
    result.parameters = impl_->blended(blend);
    if (blend > 0) {
        result.background_picture = impl_->background(Modality::Picture, result.parameters);
        result.background_sound = impl_->background(Modality::Sound, result.parameters);
        const auto [before, after] = impl_->movement(Impl::says, result.parameters);
        result.text_bank = moved(impl_->checkpoint.text_bank, before, after);
    }
    result.provenance = {
        {"finetuned_from", {{"file", impl_->file.path().filename().string()}, {"hash", model::hash_hex(impl_->file.bytes())}}},
        {"finetuning", nlohmann::json::parse(made)},
        {"before", impl_->checkpoint.provenance}};
    model::save_checkpoint(out, result);
}

}  // namespace imprint::training
