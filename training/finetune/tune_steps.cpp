// SPDX-License-Identifier: Apache-2.0
#include "training/finetune/tune_steps.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "training/adamw.h"
#include "training/objectives.h"
#include "training/plan.h"

namespace imprint::training {
namespace {

constexpr int64_t kEvery = 16, kPatience = 4, kBatch = 32;
constexpr double kLoraRate = 5e-4, kFullRate = 1e-4;
constexpr int kRank = 8;
constexpr double kAlpha = 16;
constexpr double kKeep = 0.75;         // share of the tokens that training sees
constexpr double kTemperature = 0.05;  // of cosines to class means and names
constexpr double kSmoothing = 0.05;
constexpr double kSharpness = 20;             // of what the replayed say of each other, as in pretraining
constexpr double kStaying = 10;               // weight of 1 − cosine to the old vectors beside that
constexpr double kWeights[] = {1, 0.5, 1.5};  // of the objectives' shares of the steps
constexpr uint64_t kPurpose = 41;

at::Tensor unit(const at::Tensor& rows) { return rows / rows.norm(2, {-1}, true).clamp_min(1e-6); }

bool moves_in_lora(const model::ParameterSpec& spec)
{
    return spec.adapter || spec.name.find(".head.") != std::string::npos || spec.name.find(".shortcut.") != std::string::npos;
}

template <typename T>
const T& any(const std::vector<T>& list, Draws& draws)
{
    return list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
}

at::Tensor one_hot(const std::vector<int64_t>& labels, int64_t classes)
{
    return at::one_hot(at::tensor(labels), classes).to(at::kFloat);
}

}  // namespace

at::Tensor rows_of(const std::vector<const TuneItem*>& items, const model::Network& network, const model::Lanes& lanes,
                   const CancelToken& cancel)
{
    constexpr size_t kChunk = 32;
    if (items.empty())
        return at::zeros({0, network.config().joint_dim});
    std::vector<at::Tensor> parts((items.size() + kChunk - 1) / kChunk);
    const model::Network converted = [&] {
        const at::NoGradGuard guard;
        return network.with_converted_matrices();
    }();
    lanes.each(parts.size(), [&](size_t part) {
        const at::NoGradGuard guard;
        cancel.check();
        const auto first = items.begin() + static_cast<std::ptrdiff_t>(part * kChunk);
        const std::vector<const TuneItem*> some(
            first, first + static_cast<std::ptrdiff_t>(std::min(kChunk, items.size() - part * kChunk)));
        Draws nothing(0, 0, 0);
        parts[part] = item_passes(some, {}, nothing).run(converted).to(at::kFloat);
    });
    return at::cat(parts);
}

TuneSteps::TuneSteps(const model::Weights& old, const Options& options, const model::Lanes& lanes)
    : old_(old), options_(options), lanes_(lanes), weights_(old)
{
    recipe_.decay = 0.01;
    recipe_.rate = options.scope == TuneScope::Lora ? kLoraRate : kFullRate;
    if (options.scope == TuneScope::Lora)
        weights_ = model::with_adapters(old, kRank, kAlpha, {"q", "v", "in", "out"}, options.seed);
    for (const auto& spec : model::parameter_specs(weights_.config)) {
        if (spec.frozen || spec.name.starts_with("temperature.") || (options.scope == TuneScope::Lora && !moves_in_lora(spec)))
            continue;
        at::Tensor& tensor = weights_.parameters.at(spec.name);
        tensor = tensor.detach().clone().requires_grad_(true);
        moving_.push_back(spec.name);
    }
}

at::Tensor TuneSteps::rows(const std::vector<const TuneItem*>& items, const CancelToken& cancel) const
{
    model::Network network(weights_.config, weights_.parameters);
    network.set_precision(options_.precision);
    return rows_of(items, network, lanes_, cancel);
}

void TuneSteps::set_lesson(const Lesson& lesson, const std::vector<TuneItem>& examples, const ItemReader& reader,
                           const CancelToken& cancel)
{
    for (Labelled* part : {&learned_, &watched_})
        part->by_class.resize(lesson.names.size());
    for (const Lesson::Label& one : lesson.labels) {
        if (one.part == TunePart::HeldOut)
            continue;
        Labelled& part = one.part == TunePart::Watched ? watched_ : learned_;
        const TuneItem& item = examples.at(one.example);
        part.by_class[static_cast<size_t>(one.label)].push_back(part.items.size());
        part.items.push_back(&item);
        part.labels.push_back(one.label);
        part.kinds.push_back(item.spectrogram.defined() ? 1 : 0);
    }
    IMPRINT_ASSERT(!learned_.items.empty());
    see_means(cancel);
    std::vector<bool> heard(lesson.names.size(), false);
    for (size_t i = 0; i < learned_.items.size(); ++i)
        if (learned_.kinds[i] == 1)
            heard[static_cast<size_t>(learned_.labels[i])] = true;
    for (size_t i = 0; i < lesson.names.size(); ++i) {
        asked_[0].push_back(reader.text(lesson.names[i]));
        asked_[1].push_back(reader.text((heard[i] ? "the sound of " : "a photo of ") + lesson.names[i]));
    }
}

/// Of what is learned from, as the network sees it now.
void TuneSteps::see_means(const CancelToken& cancel)
{
    const at::NoGradGuard guard;
    const auto classes = static_cast<int64_t>(learned_.by_class.size());
    const at::Tensor seen = rows(learned_.items, cancel);
    const at::Tensor places = at::tensor(learned_.kinds) * classes + at::tensor(learned_.labels);
    const at::Tensor members = at::one_hot(places, 2 * classes).to(at::kFloat);
    means_ = unit(at::matmul(members.t(), seen)).view({2, classes, -1});
    absent_ = ((members.sum(0) == 0).to(at::kFloat) * -1e4).view({2, classes});
}

void TuneSteps::set_reminders(const std::vector<TuneItem>& media, const std::vector<TuneItem>& texts, const CancelToken& cancel)
{
    for (auto [to, from] : {std::pair{&media_, &media}, std::pair{&texts_, &texts}}) {
        for (const TuneItem& item : *from)
            to->items.push_back(&item);
        to->rows = rows(to->items, cancel);
    }
}

TuneSteps::Labelled TuneSteps::drawn(Draws& draws) const
{
    Labelled batch;
    std::vector<size_t> present;
    for (size_t label = 0; label < learned_.by_class.size(); ++label)
        if (!learned_.by_class[label].empty())
            present.push_back(label);
    const auto shift = draws.below(static_cast<int64_t>(present.size()));
    for (int64_t i = 0; i < kBatch; ++i) {
        // Each class as often as any other; of many classes, another part of them in each step.
        const size_t label = present.size() <= static_cast<size_t>(kBatch)
            ? present[static_cast<size_t>(i + shift) % present.size()]
            : any(present, draws);
        const size_t one = any(learned_.by_class[label], draws);
        batch.items.push_back(learned_.items[one]);
        batch.labels.push_back(learned_.labels[one]);
        batch.kinds.push_back(learned_.kinds[one]);
    }
    return batch;
}

at::Tensor TuneSteps::class_logits(const at::Tensor& rows, const Labelled& batch) const
{
    const at::Tensor kinds = at::tensor(batch.kinds);
    const at::Tensor cosines = at::bmm(means_.index_select(0, kinds), rows.unsqueeze(2)).squeeze(2);
    return cosines / kTemperature + absent_.index_select(0, kinds);
}

at::Tensor TuneSteps::classify(Passes& passes, Draws& draws) const
{
    const Labelled batch = drawn(draws);
    const size_t list = passes.add(item_passes(batch.items, {kKeep, true}, draws));
    passes.forward();
    return softmax_cross_entropy(class_logits(passes.rows(list), batch), one_hot(batch.labels, means_.size(1)), kSmoothing);
}

at::Tensor TuneSteps::names(Passes& passes, Draws& draws) const
{
    const Labelled batch = drawn(draws);
    const auto& asked = asked_[static_cast<size_t>(draws.below(2))];
    std::map<int64_t, int64_t> column_of;  // by class
    std::vector<const TuneItem*> texts;
    std::vector<int64_t> columns;
    for (const int64_t label : batch.labels) {
        const auto [place, fresh] = column_of.emplace(label, static_cast<int64_t>(texts.size()));
        if (fresh)
            texts.push_back(&asked[static_cast<size_t>(label)]);
        columns.push_back(place->second);
    }
    const size_t media = passes.add(item_passes(batch.items, {kKeep, true}, draws));
    const size_t words = passes.add(item_passes(texts, {}, draws));
    passes.forward();
    const at::Tensor logits = at::matmul(passes.rows(media), passes.rows(words).t()) / kTemperature;
    return softmax_cross_entropy(logits, one_hot(columns, static_cast<int64_t>(texts.size())), kSmoothing);
}

at::Tensor TuneSteps::replay(Passes& passes, Draws& draws) const
{
    struct Drawn {
        size_t list = 0;
        at::Tensor before;
    };
    const auto draw = [&](const Reminders& from) {
        std::vector<const TuneItem*> items;
        std::vector<int64_t> places;
        for (int64_t i = 0; i < kBatch; ++i) {
            places.push_back(draws.below(static_cast<int64_t>(from.items.size())));
            items.push_back(from.items[static_cast<size_t>(places.back())]);
        }
        return Drawn{passes.add(item_passes(items, {}, draws)), from.rows.index_select(0, at::tensor(places))};
    };
    std::vector<Drawn> all;
    for (const Reminders* from : {&media_, &texts_})
        if (!from->items.empty())
            all.push_back(draw(*from));
    passes.forward();
    at::Tensor loss;
    for (const Drawn& one : all) {
        const at::Tensor distance = cosine_distance(passes.rows(one.list), one.before) * kStaying;
        loss = loss.defined() ? loss + distance : distance;
    }
    if (all.size() < 2)
        return loss;
    const at::Tensor said = at::softmax(at::matmul(all[0].before, all[1].before.t()) * kSharpness, 1);
    return loss + nce(passes.rows(all[0].list), passes.rows(all[1].list), at::full({1}, 1 / kSharpness), said);
}

TuneSteps::Watched TuneSteps::watch(const CancelToken& cancel) const
{
    const at::NoGradGuard guard;
    const at::Tensor logits = class_logits(rows(watched_.items, cancel), watched_);
    const at::Tensor truth = at::tensor(watched_.labels);
    const at::Tensor own = -at::log_softmax(logits, 1).gather(1, truth.unsqueeze(1)).squeeze(1);
    // Each class counts alike.
    std::vector<float> weight;
    for (const int64_t label : watched_.labels)
        weight.push_back(1 / static_cast<float>(watched_.by_class[static_cast<size_t>(label)].size()));
    const at::Tensor weights = at::tensor(weight);
    return {(own * weights).sum().item<double>() / weights.sum().item<double>(),
            (logits.argmax(1) == truth).to(at::kDouble).mean().item<double>()};
}

model::Parameters TuneSteps::trained() const
{
    const at::NoGradGuard guard;
    model::Parameters copies;
    for (const std::string& name : moving_)
        copies[name] = weights_.parameters.at(name).detach().clone();
    return copies;
}

int64_t TuneSteps::run(const std::function<void(const TuneProgress&)>& progress, const CancelToken& cancel)
{
    const bool reminds = !media_.items.empty() || !texts_.items.empty(), watches = !watched_.items.empty();
    const std::vector<double> shares = {kWeights[kClassify], kWeights[kNames], reminds ? kWeights[kReplay] : 0};
    Plan plan(std::make_shared<WeightedSampler>(shares, options_.seed), false);
    Schedule schedule;
    schedule.steps = options_.steps;
    schedule.warmup = options_.steps / 10;
    schedule.peak = recipe_.rate;
    schedule.last = recipe_.rate / 100;
    AdamW optimizer(weights_.config, weights_.parameters);
    Passes::Replicas replicas(weights_.config, weights_.parameters, {options_.precision}, lanes_);

    struct Best {
        int64_t step = 0;
        double loss = 0;
        model::Parameters copies;
    };
    TuneProgress told{0, options_.steps, 0, {}};
    Best best{0, 0, trained()};
    if (watches) {
        const Watched before = watch(cancel);
        best.loss = before.loss;
        told.watched = before.right;
    }
    for (int64_t step = 0; step < options_.steps; ++step) {
        cancel.check();
        const Task task = plan.tasks(step).front();
        Draws draws(options_.seed, static_cast<uint64_t>(step), kPurpose);
        Passes passes(replicas);
        const at::Tensor loss = task.objective == kClassify ? classify(passes, draws)
            : task.objective == kNames                      ? names(passes, draws)
                                                            : replay(passes, draws);
        const double value = loss.item<double>();
        passes.backward(loss, recipe_.z_loss);
        const double norm = optimizer.step(recipe_, schedule.rate(step), lanes_);
        if (!std::isfinite(value) || !std::isfinite(norm))
            throw Error(ErrorKind::Malformed, "step " + std::to_string(step), "its loss is not finite",
                        "Look for damaged files among the examples");
        if (task.objective == kClassify)
            told.loss = value;
        told.step = step + 1;
        const bool looks = told.step % kEvery == 0 || told.step == options_.steps;
        if (looks)
            see_means(cancel);
        if (watches && looks) {
            const Watched now = watch(cancel);
            told.watched = now.right;
            if (now.loss < best.loss)
                best = {told.step, now.loss, trained()};
        }
        if (progress)
            progress(told);
        if (watches && told.step - best.step >= kPatience * kEvery)
            break;
    }
    if (!watches)
        return options_.steps;
    const at::NoGradGuard guard;
    for (const auto& [name, tensor] : best.copies)
        weights_.parameters.at(name).copy_(tensor);
    return best.step;
}

model::Parameters TuneSteps::result() const
{
    model::Weights plain = weights_;
    for (auto& [name, tensor] : plain.parameters)
        tensor = tensor.detach();
    if (options_.scope == TuneScope::Lora)
        plain = model::merge_adapters(plain);
    // A detached tensor is another object over the same memory: what was not trained is to be the old one itself.
    for (auto& [name, tensor] : plain.parameters)
        if (const auto old = old_.parameters.find(name);
            old != old_.parameters.end() && tensor.data_ptr() == old->second.data_ptr())
            tensor = old->second;
    return plain.parameters;
}

}  // namespace imprint::training
