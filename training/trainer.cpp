// SPDX-License-Identifier: Apache-2.0
// Puts a run together and walks through its steps.
#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/model/checkpoint.h"
#include "training/adamw.h"
#include "training/device.h"
#include "training/log/line_of.h"
#include "training/log/run_events.h"
#include "training/log/step_progress.h"
#include "training/mixture.h"
#include "training/run_folder.h"

namespace imprint::training {
namespace {

/// A run in progress.
class Run {
public:
    explicit Run(const TrainOptions& options)
        : options_(options), recipe_(read_recipe(options.recipe)),
          device_(choose_device(options.encoder.device == "auto" ? recipe_.device : options.encoder.device,
                                options.encoder.device == "auto" ? options.recipe.string() + ": device" : "--device")),
          folder_(options.run.empty() ? std::filesystem::path("run-" + options.recipe.stem().string()) : options.run),
          mixture_(open_mixture(recipe_, {device_, precision(), options.log, options.cancel})), lanes_(options.encoder.threads)
    {
        if (options.steps)
            recipe_.steps = *options.steps;
        // The data is in place: from here on the lanes are what runs at once, each on a thread of its own.
        at::set_num_threads(1);
    }

    TrainReport train();

private:
    nlohmann::json facts() const
    {
        nlohmann::json facts = mixture_->facts();
        facts["recipe"] = to_json(recipe_);
        facts["lanes"] = lanes_.count();
        facts["precision"] = precision().products == at::kFloat ? "fp32" : "bf16";
        return facts;
    }
    model::Precision precision() const;
    /// Into metrics.jsonl and the event file.
    void metric(const nlohmann::json& line) const
    {
        folder_.metric(line);
        events_->add(line);
    }
    model::Parameters initial_parameters();
    /// Forward and backward of one task; what it says goes into the metrics once the step is done.
    nlohmann::json learn(const Task& task, int64_t step, Passes::Replicas& replicas, const model::Network& network);
    void report_step(std::vector<nlohmann::json>& lines, double norm, double rate, double seconds, StepProgress& progress) const;
    void evaluate(const model::Network& network, int64_t step) const;
    void save(const model::Parameters& parameters, const AdamW& optimizer, int64_t step) const
    {
        folder_.save({step, parameters, optimizer.state(), facts()}, recipe_.keep_checkpoints);
    }
    std::filesystem::path export_model(const model::Network& network, int64_t step, double seconds) const;

    TrainOptions options_;
    Recipe recipe_;
    at::Device device_;
    RunFolder folder_;
    std::unique_ptr<Mixture> mixture_;
    model::Lanes lanes_;
    nlohmann::json initial_provenance_;  // of the checkpoint that the run goes on from; null without one
    std::unique_ptr<RunEvents> events_;  // from the first step of this start on
};

model::Precision Run::precision() const
{
    const bool bf16 = recipe_.precision == "bf16" || (recipe_.precision == "auto" && (device_.is_cuda() || multiplies_bf16()));
    return {bf16 ? at::kBFloat16 : at::kFloat};
}

model::Parameters Run::initial_parameters()
{
    if (recipe_.initial.empty()) {
        model::Parameters parameters = model::initial_parameters(recipe_.model, recipe_.seed);
        mixture_->fill_given_parts(parameters);
        return parameters;
    }
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
    return model::load_parameters(recipe_.model, file);
}

nlohmann::json Run::learn(const Task& task, int64_t step, Passes::Replicas& replicas, const model::Network& network)
{
    Passes passes(replicas);
    const StepLoss loss = mixture_->loss(passes, network, task);
    const double value = loss.total.item<double>() + recipe_.z_loss * passes.z_loss();
    const std::string name = mixture_->name(task.objective);
    if (!std::isfinite(value))
        throw Error(ErrorKind::Malformed, "step " + std::to_string(step), "the loss of " + name + " is not finite",
                    "Lower the rate, or resume from the last state with another seed");
    passes.backward(task.weight == 1 ? loss.total : loss.total * task.weight, recipe_.z_loss * task.weight);
    nlohmann::json line = {
        {"step", step}, {"objective", name}, {"loss", value}, {"samples", loss.samples}, {"tokens", passes.tokens()}};
    for (const auto& [figure, tensor] : loss.figures)
        line[figure] = tensor.item<double>();
    if (!loss.expert_use.empty())
        line["expert_use"] = loss.expert_use;
    return line;
}

void Run::evaluate(const model::Network& network, int64_t step) const
{
    nlohmann::json groups = mixture_->evaluate(network);
    if (groups.is_null())
        return;
    for (const auto& [group, figures] : groups.items()) {
        std::string text = "at step " + std::to_string(step) + ", " + group + ":";
        for (const auto& [name, value] : figures.items())
            if (value.is_number())
                text += line_of(" %s %.3f", name.c_str(), value.get<double>());
        options_.log(text);
    }
    groups["step"] = step;
    metric(groups);
}

/// Where things lay on this machine is nobody's business.
nlohmann::json without_folders(nlohmann::json value)
{
    if (value.is_string() && value.get_ref<const std::string&>().starts_with('/'))
        return std::filesystem::path(value.get<std::string>()).filename().string();
    if (value.is_structured())
        for (auto& inner : value)
            inner = without_folders(inner);
    return value;
}

TrainReport Run::train()
{
    const auto begun = std::chrono::steady_clock::now();
    const auto since = [](auto start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    model::Parameters parameters;
    int64_t step = 0;
    std::optional<RunState> resumed;
    if (options_.resume) {
        resumed = folder_.load();
        if (resumed->facts != facts())
            throw Error(ErrorKind::Usage, folder_.path().string(),
                        "was begun with another recipe, data, number of threads or precision",
                        "Resume with what state.json names, or start a new run");
        parameters = resumed->parameters;
        step = resumed->step;
        folder_.truncate_metrics(step);
    } else {
        if (folder_.has_state())
            throw Error(ErrorKind::Usage, folder_.path().string(), "holds a run already", "Add --resume, or name another folder");
        parameters = initial_parameters();
        std::ofstream(folder_.path() / "recipe.toml") << to_toml(recipe_);
    }
    for (const auto& spec : model::parameter_specs(recipe_.model)) {
        at::Tensor& parameter = parameters.at(spec.name);
        parameter = parameter.to(device_);
        if (!spec.frozen)
            parameter.requires_grad_(true);
    }
    events_ = std::make_unique<RunEvents>(folder_.path() / "events", step);
    events_->recipe(to_json(recipe_));
    AdamW optimizer(recipe_.model, parameters);
    if (resumed)
        optimizer.restore(resumed->optimizer);
    resumed.reset();

    model::Network network(recipe_.model, parameters);
    network.set_precision(precision());
    Passes::Replicas replicas(recipe_.model, parameters, precision(), lanes_);
    mixture_->begin(network);

    StepProgress progress(step, recipe_.steps);
    for (; step < recipe_.steps; ++step) {
        if (options_.cancel.cancelled()) {
            save(parameters, optimizer, step);
            return {step, since(begun), false, {}};
        }
        const auto step_begun = std::chrono::steady_clock::now();
        std::vector<nlohmann::json> lines;
        for (const Task& task : mixture_->tasks(step))
            lines.push_back(learn(task, step, replicas, network));
        const double rate = learning_rate(recipe_, step);
        const double norm = optimizer.step(recipe_, rate, lanes_);
        report_step(lines, norm, rate, since(step_begun), progress);
        if ((step + 1) % recipe_.evaluate_every == 0)
            evaluate(network, step + 1);
        if ((step + 1) % recipe_.checkpoint_every == 0 && step + 1 < recipe_.steps)
            save(parameters, optimizer, step + 1);
    }
    save(parameters, optimizer, step);
    evaluate(network, step);
    return {step, since(begun), true, export_model(network, step, since(begun))};
}

void Run::report_step(std::vector<nlohmann::json>& lines, double norm, double rate, double seconds, StepProgress& progress) const
{
    int64_t samples = 0, tokens = 0;
    for (const auto& line : lines) {
        samples += line.at("samples").get<int64_t>();
        tokens += line.at("tokens").get<int64_t>();
    }
    progress.add(samples, tokens, seconds);
    for (auto& line : lines) {
        line["gradient_norm"] = norm;
        line["rate"] = rate;
        line["seconds"] = seconds / static_cast<double>(lines.size());
        metric(line);
        if (line.at("step").get<int64_t>() % recipe_.log_every != 0)
            continue;
        std::string text = progress.line() + ": " + line.at("objective").get<std::string>();
        for (const auto& [name, value] : line.items())
            if (value.is_number_float() && name != "rate" && name != "seconds")
                text += line_of(" %s %.3f", name.c_str(), value.get<double>());
        options_.log(text);
    }
}

std::filesystem::path Run::export_model(const model::Network& network, int64_t step, double seconds) const
{
    const at::NoGradGuard guard;
    model::Checkpoint checkpoint;
    checkpoint.config = recipe_.model;
    checkpoint.eight_bit = recipe_.eight_bit;
    checkpoint.parameters = network.parameters();
    checkpoint.provenance = {
        {"recipe", without_folders(to_json(recipe_))}, {"steps", step}, {"training_seconds", std::round(seconds)}};
    if (!initial_provenance_.is_null())
        checkpoint.provenance["initial"] = initial_provenance_;
    mixture_->complete(checkpoint, network);
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
