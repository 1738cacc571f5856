// SPDX-License-Identifier: Apache-2.0
#include "training/data_mixture.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <thread>

#include "core/base/error.h"
#include "training/samplers.h"
#include "training/shared_batch.h"

namespace imprint::training {
namespace {

bool has(const std::vector<std::string>& list, const char* word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

int threads_of(const Recipe& recipe)
{
    return recipe.workers > 0 ? recipe.workers : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

DataMixture::DataMixture(const Recipe& recipe, const MixtureOptions& options)
    : recipe_(recipe), device_(options.device), ranks_(options.ranks ? *options.ranks : alone_),
      decoder_({.worker = {}, .workers = threads_of(recipe), .limits = {}}), cache_(int64_t{recipe_.cache_mib} << 20),
      log_mel_(recipe_.model)
{
    open_sources();
    if (!recipe_.tokenizer.empty()) {
        tokenizer_model_ = read_tokenizer(recipe_.tokenizer);
        tokenizer_.emplace(tokenizer_model_, recipe_.model.vocabulary, recipe_.model.max_text_tokens, recipe_.tokenizer.string());
    }
    if (!recipe_.stem.empty())
        stem_ = Stem(recipe_.stem, recipe_.model, options.precision, device_);
    maker_.emplace(recipe_.model, tokenizer_ ? &*tokenizer_ : nullptr, log_mel_, device_);
    for (const auto& objective : recipe_.objectives)
        objectives_.push_back(make_objective(objective, recipe_));
    group_objectives();
    for (Draw& draw : draws_) {
        open_reader(draw, options);
        check_classes(draw);
    }
    const std::shared_ptr<Sampler> chooser = sampler();
    plan_ = std::make_unique<Plan>(chooser, recipe_.policy == Policy::Accumulate);
    ahead_ = std::make_unique<Plan>(chooser, recipe_.policy == Policy::Accumulate);
    const auto orders = [this](int64_t step) {
        std::vector<Prefetcher::Order> all;
        for (const Task& task : ahead_->tasks(step))
            all.push_back({draws_[task.objective].reader.get(), task.draw, own_items(draws_[task.objective])});
        return all;
    };
    prefetcher_ = std::make_unique<Prefetcher>(orders, threads_of(recipe_), recipe_.prefetch);
}

void DataMixture::open_sources()
{
    for (const auto& dataset : recipe_.datasets)
        sources_.emplace(dataset.name, open_source(dataset));
}

const DatasetRecipe& DataMixture::dataset(const std::string& name) const
{
    return *std::find_if(recipe_.datasets.begin(), recipe_.datasets.end(),
                         [&](const auto& dataset) { return dataset.name == name; });
}

void DataMixture::group_objectives()
{
    for (size_t i = 0; i < recipe_.objectives.size(); ++i) {
        const auto& objective = recipe_.objectives[i];
        auto draw = draws_.end();
        if (recipe_.policy == Policy::Combine)
            draw = std::find_if(draws_.begin(), draws_.end(),
                                [&](const Draw& d) { return recipe_.objectives[d.members.front()].draws_like(objective); });
        if (draw == draws_.end())
            draw = draws_.insert(draw, Draw{});
        draw->name += (draw->name.empty() ? "" : "+") + objective.name;
        draw->members.push_back(i);
        objectives_[i]->want(draw->wanted);
        draw->trunk = draw->trunk || objectives_[i]->wants_trunk();
        if (objective.kind == ObjectiveKind::MaskedLanguage)
            draw->how.masked = objective.masked;
        draw->how.text_tokens = std::max(draw->how.text_tokens, objective.text_tokens);
        draw->how.sound_seconds = std::max(draw->how.sound_seconds, objective.sound_seconds);
        draw->clips = std::max(draw->clips, objective.clips);
        draw->captions = std::max(draw->captions, objective.captions);
    }
}

void DataMixture::open_reader(Draw& draw, const MixtureOptions& options)
{
    const auto& first = recipe_.objectives[draw.members.front()];
    BatchOptions batch;
    batch.seed = recipe_.seed;
    batch.objective = draw.name;
    batch.batch = first.batch;
    batch.weights = first.dataset_weights;
    batch.most_unreadable = recipe_.most_unreadable;
    batch.cache = cache();
    batch.log = options.log;
    ExampleOptions& example = batch.example;
    example.clips = draw.clips;
    example.captions = draw.captions;
    example.sound_seconds = draw.how.sound_seconds;
    std::string teacher;
    for (const size_t member : draw.members) {
        const auto& objective = recipe_.objectives[member];
        example.pictures = example.pictures || has(objective.modalities, "vision");
        example.sound = example.sound || has(objective.modalities, "sound") || has(objective.modalities, "waveform");
        example.text = example.text || has(objective.modalities, "text");
        example.label = example.label || objectives_[member]->wants_labels();
        if (has(objective.modalities, "vision")) {
            batch.resolutions = objective.resolutions;
            example.augment = objective.augment;
            example.frame_stride = objective.frame_stride;
        }
        if (objective.kind == ObjectiveKind::Distill && objective.teacher != "trunk")
            teacher = objective.teacher;
    }
    std::vector<BatchReader::Input> inputs;
    for (const auto& name : first.datasets) {
        BatchReader::Input& input = inputs.emplace_back();
        input.dataset = name;
        input.source = sources_.at(name).get();
        if (const auto& templates = dataset(name).templates; !templates.empty())
            input.templates.emplace(templates);
        if (!teacher.empty())
            input.teacher = sources_.at(teacher).get();
    }
    draw.reader = std::make_unique<BatchReader>(std::move(inputs), std::move(batch), decoder_);
}

void DataMixture::check_classes(const Draw& draw) const
{
    for (const size_t member : draw.members) {
        const auto& objective = recipe_.objectives[member];
        if (objective.kind != ObjectiveKind::Classify)
            continue;
        for (const auto& head : recipe_.model.classifiers)
            if (head.name == objective.classifier && head.modality == objective.modalities.front()
                && head.classes != static_cast<int>(draw.reader->classes().size()))
                throw Error(ErrorKind::Usage, "the objective \"" + objective.name + "\"",
                            "classifies " + std::to_string(head.classes) + " classes, and the data set \""
                                + objective.datasets.front() + "\" has " + std::to_string(draw.reader->classes().size()),
                            "Set classes in model.classifiers to that number");
    }
}

std::shared_ptr<Sampler> DataMixture::sampler() const
{
    std::vector<double> weights;
    std::vector<int64_t> intervals;
    for (const Draw& draw : draws_) {
        double weight = 0;
        int64_t interval = INT64_MAX;
        for (const size_t member : draw.members) {
            weight += recipe_.objectives[member].weight;
            interval = std::min(interval, recipe_.objectives[member].interval);
        }
        weights.push_back(weight);
        intervals.push_back(interval);
    }
    if (recipe_.sampling == Sampling::Interval)
        return std::make_shared<IntervalSampler>(intervals);
    return std::make_shared<WeightedSampler>(weights, recipe_.seed);
}

ItemRange DataMixture::own_items(const Draw& draw) const { return items_of(share(), draw.reader->batch(), draw.clips); }

// Of every rank's clips: each computes its own.
at::Tensor DataMixture::trunk_activations(const Inputs& inputs) const
{
    std::vector<int64_t> counts;
    for (int rank = 0; rank < ranks_.world(); ++rank)
        counts.push_back(share().begin(inputs.all, rank + 1) - share().begin(inputs.all, rank));
    const int64_t count = counts[static_cast<size_t>(ranks_.rank())];
    const int64_t first = count > 0 ? share().begin(inputs.all, ranks_.rank()) - inputs.before : 0;
    return ranks_.gather_rows(stem_.activations(inputs.pixels).narrow(0, first, count), counts);
}

StepLoss DataMixture::loss(Passes& passes, const model::Network& network, const Task& task)
{
    if (task.step != step_) {
        std::vector<Batch> taken = prefetcher_->take(task.step);
        const std::vector<Task> tasks = plan_->tasks(task.step);
        batches_.clear();
        for (size_t i = 0; i < tasks.size(); ++i) {
            complete_batch(taken[i], *draws_[tasks[i].objective].reader, ranks_);
            batches_.emplace(tasks[i].objective, std::move(taken[i]));
        }
        step_ = task.step;
    }
    const Draw& draw = draws_[task.objective];
    const auto node = batches_.extract(task.objective);
    IMPRINT_ASSERT(!node.empty() && node.mapped().draw == task.draw);
    const Batch& batch = node.mapped();

    const Inputs inputs = maker_->inputs(batch, draw.reader.get(), draw.wanted, draw.how);
    Targets targets = maker_->targets(batch, draw.clips, draw.captions);
    if (draw.trunk)
        targets.trunk = trunk_activations(inputs);
    RouterUse use;
    if (task.step % recipe_.log_every == 0)
        passes.watch(&use);
    std::map<std::string, size_t> numbers;
    for (auto& [modality, list] :
         pass_lists(inputs, draw.wanted, recipe_.model, stem_.trunks(), recipe_.pass_tokens, passes.share()))
        numbers.emplace(modality, passes.add(std::move(list)));
    passes.forward();
    Rows rows(recipe_.model, draw.wanted);
    for (const auto& [modality, number] : numbers)
        rows.set(modality, passes.rows(number));

    StepLoss all;
    for (const size_t member : draw.members) {
        StepLoss one = objectives_[member]->loss(rows, targets, network);
        all.total = all.total.defined() ? all.total + one.total : one.total;
        const std::string prefix = draw.members.size() > 1 ? recipe_.objectives[member].name + "." : "";
        if (!prefix.empty())
            all.figures[prefix + "loss"] = one.total.detach();
        for (auto& [figure, value] : one.figures)
            all.figures[prefix + figure] = std::move(value);
    }
    all.samples = targets.batch;
    all.add_use(use);
    std::vector<std::pair<std::string, std::vector<std::string>>> seen;
    for (const Example& example : batch.examples)
        seen.emplace_back(example.name, example.texts);
    all.items = [seen = std::move(seen)] {
        nlohmann::json items = nlohmann::json::array();
        for (const auto& [name, texts] : seen)
            items.push_back({{"sample", name}, {"texts", texts}});
        return items;
    };
    return all;
}

void DataMixture::fill_given_parts(model::Parameters& parameters) const
{
    if (!recipe_.stem.empty())
        stem_.fill(parameters, recipe_.model);
}

nlohmann::json DataMixture::facts() const
{
    nlohmann::json sizes = nlohmann::json::object();
    for (const auto& [name, source] : sources_)
        sizes[name] = {{"samples", source->size()}, {"classes", source->classes()}};
    return {{"datasets", sizes}};
}

nlohmann::json DataMixture::state() const
{
    nlohmann::json unreadable = nlohmann::json::object();
    for (const Draw& draw : draws_)
        if (auto own = draw.reader->unreadable(); !own.empty())
            unreadable[draw.name] = std::move(own);
    return {{"unreadable", unreadable}};
}

void DataMixture::restore(const nlohmann::json& state)
{
    const auto unreadable = state.value("unreadable", nlohmann::json::object());
    for (Draw& draw : draws_)
        if (unreadable.contains(draw.name))
            draw.reader->restore(unreadable.at(draw.name));
}

nlohmann::json DataMixture::evaluate(const model::Network& network) const
{
    if (recipe_.evaluations.empty())
        return nullptr;
    return evaluate_datasets(looking(network), recipe_.model, recipe_.evaluations);
}

Looking DataMixture::looking(const model::Network& network) const
{
    return {network, sources_, *maker_, stem_.trunks(), decoder_, cache(), recipe_.pass_tokens};
}

// Vectors of a modality over the first samples of the data that trains it; one row of zeros where nothing does.
at::Tensor DataMixture::unit_rows(const model::Network& network, const std::string& modality, const std::string& against,
                                  int64_t most) const
{
    for (const auto& objective : recipe_.objectives) {
        if (!has(objective.modalities, modality.c_str()) || objective.kind == ObjectiveKind::Classify)
            continue;
        DatasetView view;
        view.dataset = objective.datasets.front();
        view.modality = modality;
        view.column = space_column(recipe_.model, against);
        view.resolution = objective.resolutions.empty() ? Resolution{} : objective.resolutions.front();
        view.sound_seconds = objective.sound_seconds;
        view.text_tokens = objective.text_tokens;
        view.most = most;
        const auto seen = look_at(looking(network), view);
        if (seen.samples.empty())
            continue;
        return seen.rows.select(1, 0) / seen.rows.select(1, 0).norm(2, {-1}, true).clamp_min(1e-6);
    }
    return at::zeros({1, recipe_.model.joint_dim});
}

void DataMixture::complete(model::Checkpoint& checkpoint, const model::Network& network) const
{
    constexpr int64_t kBank = 256, kBackground = 64;
    if (recipe_.model.vision_stem == model::VisionStem::Hybrid)
        checkpoint.trunk = stem_.checkpoint().trunk;
    if (recipe_.model.text_stem == model::TextStem::Hybrid)
        checkpoint.text_trunk = stem_.checkpoint().text_trunk;
    checkpoint.tokenizer = tokenizer_model_;
    checkpoint.text_bank = unit_rows(network, "text", "vision", kBank);
    checkpoint.background_picture = unit_rows(network, "vision", "text", kBackground);
    checkpoint.background_sound = unit_rows(network, "sound", "text", kBackground);
    std::vector<std::string> names;
    for (const auto& [name, source] : sources_)
        names.push_back(name);
    checkpoint.provenance["data"] = names;
}

}  // namespace imprint::training
