// SPDX-License-Identifier: Apache-2.0
// Puts a run together and walks through its steps.
#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/model/checkpoint.h"
#include "training/adamw.h"
#include "training/batches.h"
#include "training/log/run_events.h"
#include "training/log/step_progress.h"
#include "training/photo_dev.h"
#include "training/run_folder.h"

namespace imprint::training {
namespace {

constexpr double kMaxSoundSeconds = 12;
constexpr uint64_t kScorePurpose = 3;

model::Parameters load_trunk(const Corpus& corpus)
{
    const model::SafetensorsFile file(corpus.root() / "trunk.safetensors");
    model::Parameters trunk;
    for (const auto& name : model::Trunk::parameter_names())
        // Trained on the values that the checkpoint will hold, which stores the trunk in half precision.
        trunk[name] = model::to_tensor(file.at(name), name).to(at::kHalf).to(at::kFloat);
    return trunk;
}

// The sentence encoder of the hybrid text stem, likewise as the checkpoint will hold it; empty without that stem.
model::Parameters load_text_trunk(const Corpus& corpus, const Recipe& recipe)
{
    model::Parameters trunk;
    if (recipe.model.text_stem != model::TextStem::Hybrid)
        return trunk;
    const model::SafetensorsFile file(corpus.root() / "text_trunk.safetensors");
    for (const auto& name : model::TextTrunk::parameter_names(recipe.model)) {
        at::Tensor& tensor = trunk[name] = model::to_tensor(file.at(name), name).to(at::kHalf).to(at::kFloat);
        if (recipe.eight_bit && tensor.dim() >= 2) {
            const auto rows = model::eight_bit_rows(tensor);
            tensor = rows.values.to(at::kFloat) * rows.scales.unsqueeze(-1);
        }
    }
    return trunk;
}

// What the sentence encoder makes of each piece alone, turned onto its principal axes: a text then starts as the sum of
// what its pieces mean. Rows keep the mean length that the method's initialisation gives them (imp_method.md 1.5).
void start_from_pieces(at::Tensor& table, const at::Tensor& pieces)
{
    if (pieces.size(0) != table.size(0))
        throw Error(ErrorKind::Malformed, "pieces.safetensors", "holds " + std::to_string(pieces.size(0)) + " pieces, the vocabulary has " + std::to_string(table.size(0)),
                    "Build the corpus again");
    const at::Tensor axes = std::get<1>(at::linalg_eigh(at::matmul(pieces.t(), pieces).to(at::kDouble))).flip(1).to(at::kFloat);
    const int64_t used = std::min(table.size(1), pieces.size(1));
    const at::Tensor turned = at::matmul(pieces, axes.narrow(1, 0, used));
    table.narrow(1, 0, used).copy_(turned / turned.norm(2, {-1}).mean() * std::sqrt(double(used) / double(table.size(1))));
}

std::string line_of(const char* format, auto... values)
{
    char text[512];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

/// A run in progress.
class Run {
public:
    explicit Run(const TrainOptions& options)
        : options_(options),
          recipe_(read_recipe(options.recipe)),
          folder_(options.run.empty() ? std::filesystem::path("run-" + options.recipe.stem().string()) : options.run),
          corpus_(recipe_.corpus.empty() ? default_corpus() : recipe_.corpus),
          trunk_weights_(load_trunk(corpus_)),
          trunk_([this](const std::string& name) { return trunk_weights_.at(name); }),
          text_trunk_weights_(load_text_trunk(corpus_, recipe_)),
          tokenizer_(corpus_.tokenizer(recipe_.model.text_stem), recipe_.model.vocabulary, recipe_.model.max_text_tokens, "tokenizer.model"),
          log_mel_(recipe_.model),
          sounds_(corpus_, kMaxSoundSeconds, decoder_, options.log, options.cancel),
          pictures_(corpus_, recipe_.model.picture_sizes, recipe_.views_per_picture, recipe_.seed, trunk_, decoder_,
                    feature_folder(), options.log, options.cancel),
          dev_(corpus_, trunk_, recipe_.model.picture_sizes, decoder_),
          lanes_(options.encoder.threads)
    {
        if (options.steps)
            recipe_.steps = *options.steps;
        if (!text_trunk_weights_.empty())
            text_trunk_ = std::make_unique<model::TextTrunk>(
                recipe_.model, precision(), [this](const std::string& name) { return text_trunk_weights_.at(name); });
        // Features are in place: from here on the lanes are what runs at once, each on a thread of its own.
        at::set_num_threads(1);
    }

    TrainReport train();

private:
    std::filesystem::path feature_folder() const
    {
        return corpus_.root() / ("features-" + corpus_.hash() + "-" + std::to_string(recipe_.seed) + "-" + std::to_string(recipe_.views_per_picture));
    }
    nlohmann::json facts() const
    {
        return {{"recipe", to_json(recipe_)},
                {"corpus", corpus_.hash()},
                {"lanes", lanes_.count()},
                {"precision", precision().products == at::kFloat ? "fp32" : "bf16"}};
    }
    model::Precision precision() const;
    /// Into metrics.jsonl and the event file.
    void metric(const nlohmann::json& line) const
    {
        folder_.metric(line);
        events_->add(line);
    }
    void fill_given_parts(model::Parameters& parameters) const;
    void evaluate(const model::Network& network, const Objectives& objectives, int64_t step) const;
    void save(const model::Parameters& parameters, const AdamW& optimizer, int64_t step) const
    {
        folder_.save({step, parameters, optimizer.state(), facts()}, recipe_.keep_checkpoints);
    }
    std::filesystem::path export_model(const model::Network& network, const Objectives& objectives, int64_t step,
                                       double seconds) const;

    TrainOptions options_;
    Recipe recipe_;
    RunFolder folder_;
    media::Decoder decoder_;
    Corpus corpus_;
    model::Parameters trunk_weights_;
    model::Trunk trunk_;
    model::Parameters text_trunk_weights_;
    std::unique_ptr<model::TextTrunk> text_trunk_;
    tokens::TextTokenizer tokenizer_;
    tokens::LogMel log_mel_;
    SoundClips sounds_;
    PictureFeatures pictures_;
    PhotoDev dev_;
    Lanes lanes_;
    nlohmann::json initial_provenance_;  // of the checkpoint that the run goes on from; null without one
    std::unique_ptr<RunEvents> events_;  // from the first step of this start on
};

model::Precision Run::precision() const
{
    const bool bf16 = recipe_.precision == "bf16" || (recipe_.precision == "auto" && multiplies_bf16());
    return {bf16 ? at::kBFloat16 : at::kFloat};
}

void Run::fill_given_parts(model::Parameters& parameters) const
{
    const auto [mean, deviation] = pictures_.channel_statistics();
    parameters["vision.map_mean"] = mean;
    parameters["vision.map_deviation"] = deviation;
    if (recipe_.model.text_stem == model::TextStem::Hybrid)
        parameters["text.concept.mean"] = corpus_.lemma_mean().clone();
    else if (const at::Tensor pieces = corpus_.piece_vectors(); pieces.defined())
        start_from_pieces(parameters.at("text.table"), pieces);
    parameters["concept.class_text"] = corpus_.class_text().to(at::kHalf).to(at::kFloat);
    std::vector<at::Tensor> frames;
    for (size_t i = 0; i < corpus_.items().size() && frames.size() < 400; ++i)
        if (corpus_.items()[i].sound && sounds_.has(i)) {
            const auto head = sounds_.head(i, static_cast<size_t>(recipe_.model.max_sound_samples()));
            at::Tensor samples = at::zeros({1, log_mel_.padded_length(static_cast<int64_t>(head.size()))});
            samples[0].narrow(0, 0, static_cast<int64_t>(head.size())).copy_(at::tensor(head));
            frames.push_back(log_mel_(samples)[0]);
        }
    if (!frames.empty()) {
        const at::Tensor all = at::cat(frames);
        parameters["sound.mel_mean"] = all.mean(0);
        parameters["sound.mel_deviation"] = all.std(0).clamp_min(0.1);
    }
}

void Run::evaluate(const model::Network& network, const Objectives& objectives, int64_t step) const
{
    if (dev_.empty())
        return;
    const auto figures = dev_.figures(network, [&](const std::vector<int64_t>& texts) {
        const at::NoGradGuard guard;
        return objectives.texts(texts).run(network);
    });
    const auto taught = dev_.figures(network, [&](const std::vector<int64_t>& texts) { return corpus_.teacher(texts); });
    options_.log(line_of("dev photos at step %lld: R@1 %.1f R@10 %.1f MRR %.3f (teacher's words: %.1f %.1f %.3f)", static_cast<long long>(step),
                         figures.r1, figures.r10, figures.mrr, taught.r1, taught.r10, taught.mrr));
    metric({{"step", step}, {"dev", {{"r1", figures.r1}, {"r10", figures.r10}, {"mrr", figures.mrr}}},
            {"dev_teacher", {{"r1", taught.r1}, {"r10", taught.r10}, {"mrr", taught.mrr}}}});
}

TrainReport Run::train()
{
    const auto begun = std::chrono::steady_clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); };
    model::Parameters parameters;
    int64_t step = 0;
    std::optional<RunState> resumed;
    if (options_.resume) {
        resumed = folder_.load();
        if (resumed->facts != facts())
            throw Error(ErrorKind::Usage, folder_.path().string(), "was begun with another recipe, corpus, number of threads or precision",
                        "Resume with what state.json names, or start a new run");
        parameters = resumed->parameters;
        step = resumed->step;
        folder_.truncate_metrics(step);
    } else {
        if (folder_.has_state())
            throw Error(ErrorKind::Usage, folder_.path().string(), "holds a run already", "Add --resume, or name another folder");
        if (recipe_.initial.empty()) {
            parameters = model::initial_parameters(recipe_.model, recipe_.seed);
            fill_given_parts(parameters);
        } else {
            const model::SafetensorsFile file(recipe_.initial);
            // A state of a run holds weights alone; its shapes are checked as they are read.
            if (file.metadata().count(model::kConfigKey)) {
                model::ModelConfig had = model::read_config(file);
                had.concept_gate_floor = recipe_.model.concept_gate_floor;  // chosen after training
                if (had != recipe_.model)
                    throw Error(ErrorKind::Usage, recipe_.initial.string(), "has another model configuration than the recipe",
                                "Copy its configuration (imprint model info) into the recipe");
                initial_provenance_ = model::read_provenance(file);
            }
            parameters = model::load_parameters(recipe_.model, file);
        }
        std::ofstream(folder_.path() / "recipe.json") << to_json(recipe_).dump(1) << "\n";
    }
    for (const auto& spec : model::parameter_specs(recipe_.model))
        if (!spec.frozen)
            parameters.at(spec.name).requires_grad_(true);
    events_ = std::make_unique<RunEvents>(folder_.path() / "events", step);
    events_->recipe(to_json(recipe_));
    AdamW optimizer(recipe_.model, parameters);
    if (resumed)
        optimizer.restore(resumed->optimizer);
    resumed.reset();

    model::Network network(recipe_.model, parameters);
    network.set_precision(precision());
    Passes::Replicas replicas(recipe_.model, parameters, precision(), lanes_);
    const TrainingData data{corpus_, pictures_, sounds_, tokenizer_, log_mel_, text_trunk_.get()};
    const Objectives objectives(recipe_, data);
    if (!dev_.empty()) {
        const auto untrained = dev_.concept_figures(network, corpus_);
        options_.log(line_of("dev photos, untrained concepts: R@1 %.1f R@10 %.1f MRR %.3f over %zu queries", untrained.r1, untrained.r10,
                             untrained.mrr, dev_.queries()));
    }

    TrainReport report;
    StepProgress progress(step, recipe_.steps);
    for (; step < recipe_.steps; ++step) {
        if (options_.cancel.cancelled()) {
            save(parameters, optimizer, step);
            report.step = step;
            report.seconds = seconds();
            return report;
        }
        const auto step_begun = std::chrono::steady_clock::now();
        const size_t chosen = objectives.choose(step);
        Passes passes(replicas);
        const StepLoss loss = objectives.loss(passes, network, chosen, step);
        const double value = loss.total.item<double>() + recipe_.z_loss * passes.z_loss();
        const char* name = objective_name(recipe_.objectives[chosen].kind);
        if (!std::isfinite(value))
            throw Error(ErrorKind::Malformed, "step " + std::to_string(step), std::string("the loss of ") + name + " is not finite",
                        "Lower the rate, or resume from the last state with another seed");
        passes.backward(loss.total, recipe_.z_loss);
        const double rate = learning_rate(recipe_, step);
        const double norm = optimizer.step(recipe_, rate, lanes_);
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - step_begun).count();
        const int64_t samples = recipe_.objectives[chosen].batch;
        progress.add(samples, passes.tokens(), took);
        metric({{"step", step}, {"objective", name}, {"loss", value}, {"nce", loss.nce}, {"cosine", loss.cosine},
                {"accuracy", loss.accuracy}, {"gate", loss.gate}, {"gradient_norm", norm}, {"rate", rate}, {"seconds", took},
                {"samples", samples}, {"tokens", passes.tokens()}});
        if (step % recipe_.log_every == 0)
            options_.log(progress.line()
                         + line_of(": %s loss %.3f nce %.3f cosine %.3f accuracy %.2f gate %.2f norm %.2f", name, value, loss.nce,
                                   loss.cosine, loss.accuracy, loss.gate, norm));
        if ((step + 1) % recipe_.evaluate_every == 0)
            evaluate(network, objectives, step + 1);
        if ((step + 1) % recipe_.checkpoint_every == 0 && step + 1 < recipe_.steps)
            save(parameters, optimizer, step + 1);
    }
    save(parameters, optimizer, step);
    evaluate(network, objectives, step);
    report.step = step;
    report.seconds = seconds();
    report.finished = true;
    report.checkpoint = export_model(network, objectives, step, report.seconds);
    return report;
}

std::filesystem::path Run::export_model(const model::Network& network, const Objectives& objectives, int64_t step,
                                        double seconds) const
{
    const at::NoGradGuard guard;
    model::Checkpoint checkpoint;
    checkpoint.config = recipe_.model;
    checkpoint.parameters = network.parameters();
    checkpoint.trunk = trunk_weights_;
    checkpoint.text_trunk = text_trunk_weights_;
    checkpoint.eight_bit = recipe_.eight_bit;
    checkpoint.tokenizer = corpus_.tokenizer(recipe_.model.text_stem);

    // Score statistics: a bank of everyday words and captions, and background moments that belong to nobody's library.
    Draws draws(recipe_.seed, 0, kScorePurpose);
    std::vector<int64_t> captions, lemmas, bank;
    for (size_t i = 0; i < corpus_.texts().size(); ++i) {
        if (corpus_.text_roles()[i] == TextRole::Caption || corpus_.text_roles()[i] == TextRole::Prompt)
            captions.push_back(static_cast<int64_t>(i));
        else if (corpus_.text_roles()[i] == TextRole::Lemma || corpus_.text_roles()[i] == TextRole::Word)
            lemmas.push_back(static_cast<int64_t>(i));
    }
    for (int i = 0; i < 512; ++i) {
        const auto& list = i % 2 ? lemmas : captions;
        bank.push_back(list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))]);
    }
    checkpoint.text_bank = objectives.texts(bank).run(network);

    std::vector<size_t> drawings, photos, sounding;
    for (size_t i = 0; i < corpus_.items().size(); ++i) {
        const Item& item = corpus_.items()[i];
        if (item.sound && sounds_.has(i))
            sounding.push_back(i);
        else if (!item.sound && !pictures_.views(i).empty() && item.role != Role::Composite)
            (item.role == Role::Pair ? drawings : photos).push_back(i);
    }
    std::vector<std::vector<ViewPlace>> views;
    for (int i = 0; i < 256; ++i) {
        const auto& list = (i % 2 || photos.empty()) ? drawings : photos;
        if (!list.empty())
            views.push_back({pictures_.views(list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))]).front()});
    }
    checkpoint.background_picture = objectives.views(views, 1.0, 0, draws).run(network).narrow(1, 0, recipe_.model.joint_dim).contiguous();
    std::vector<std::vector<float>> windows;
    for (int i = 0; i < 192; ++i)
        windows.push_back(sounds_.head(sounding[static_cast<size_t>(draws.below(static_cast<int64_t>(sounding.size())))],
                                       static_cast<size_t>(recipe_.model.max_sound_samples())));
    checkpoint.background_sound = objectives.sounds(windows).run(network);

    checkpoint.provenance = {{"recipe", to_json(recipe_)},
                             {"corpus", corpus_.hash()},
                             {"steps", step},
                             {"training_seconds", std::round(seconds)},
                             {"data", "see training/corpus and resources/ATTRIBUTION.md"}};
    if (!initial_provenance_.is_null())
        checkpoint.provenance["initial"] = initial_provenance_;
    const auto path = folder_.path() / (recipe_.model.name + ".safetensors");
    model::save_checkpoint(path, checkpoint);
    options_.log("wrote " + path.string());
    return path;
}

}  // namespace

TrainReport run(const TrainOptions& options)
{
    TrainOptions complete = options;
    if (!complete.log)
        complete.log = [](const std::string&) {};
    return Run(complete).train();
}

}  // namespace imprint::training
