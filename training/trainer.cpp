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
#include "core/model/checkpoint.h"
#include "core/model/device.h"
#include "training/adamw.h"
#include "training/average.h"
#include "training/distributed/launch.h"
#include "training/log/line_of.h"
#include "training/log/run_events.h"
#include "training/log/step_progress.h"
#include "training/machine.h"
#include "training/mixture.h"
#include "training/run_folder.h"

namespace imprint::training {
namespace {

Recipe chosen_recipe(const TrainOptions& options)
{
    Recipe recipe = read_recipe(options.recipe);
    if (recipe.blend < 1 && recipe.initial.empty() && recipe.blend_with.empty())
        throw Error(ErrorKind::Usage, options.recipe.string(), "blends what is learned with nothing",
                    "Name the weights to go on from, as initial = \"FILE\"");
    if (recipe.gate_shift != 0 && recipe.model.vision_stem != model::VisionStem::Hybrid)
        throw Error(ErrorKind::Usage, options.recipe.string(), "moves a gate that a network without the picture trunk has not",
                    "Leave gate_shift out");
    return options.steps ? with_steps(std::move(recipe), *options.steps) : recipe;
}

/// A run in progress.
class Run {
public:
    Run(const TrainOptions& options, const Ranks& ranks, at::Device device)
        : options_(options), ranks_(ranks), recipe_(chosen_recipe(options)), device_(device),
          folder_(options.run.empty() ? std::filesystem::path("run-" + options.recipe.stem().string()) : options.run,
                  ranks.first() ? RunFolder::Access::Write : RunFolder::Access::Read),
          mixture_(open_data()),
          // A GPU takes one pass after the other: further lanes would only convert the weights once more each.
          lanes_(device.is_cuda() ? 1 : options.encoder.threads)
    {
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
        facts["ranks"] = ranks_.world();
        facts["precision"] = precision().products == at::kFloat ? "fp32" : "bf16";
        return facts;
    }
    model::Precision precision() const;
    /// The first rank goes first: what it leaves in a shared cache is there when the others look for it.
    std::unique_ptr<Mixture> open_data() const
    {
        if (!ranks_.first())
            ranks_.wait_for_all();
        auto mixture = open_mixture(recipe_, {device_, precision(), &ranks_, options_.log, options_.cancel});
        if (ranks_.first())
            ranks_.wait_for_all();
        return mixture;
    }
    /// Into metrics.jsonl and the event file.
    void metric(const nlohmann::json& line) const
    {
        if (!ranks_.first())
            return;
        folder_.metric(line);
        events_->add(line);
    }
    /// facts() and those of the machine, which a run may change: it is then no longer bit-equal, and is told so.
    nlohmann::json all_facts() const
    {
        nlohmann::json all = facts();
        all["machine"] = machine_;
        return all;
    }
    /// The state to go on from; nothing where the run begins.
    std::optional<RunState> resumed_state();
    /// Error(Usage) unless all ranks are about to do the same from the same step.
    void agree(int64_t step) const;
    model::Parameters initial_parameters();
    /// Those of a checkpoint or of a state, where the recipe's network may have gained parts. The provenance: null of a state.
    std::pair<model::Parameters, nlohmann::json> parameters_of(const std::filesystem::path& path) const;
    /// What is to be written of what was learned.
    model::Parameters finished(const model::Parameters& learned) const;
    /// Forward and backward of one task; what it says goes into the metrics once the step is done.
    struct Learned {
        nlohmann::json line;
        std::function<nlohmann::json()> items;
        double compute = 0;  // seconds in the network
    };
    Learned learn(const Task& task, int64_t step, Passes::Replicas& replicas, const model::Network& network, GradientSum* sum);
    /// Writes down the tasks that made a number that is not finite, and throws.
    [[noreturn]] void refuse_step(int64_t step, const std::string& what, const std::vector<Learned>& learned) const;
    struct Update {
        double norm, rate;
        double seconds, update_seconds;  // of the whole step, of the optimiser
    };
    void report_step(std::vector<Learned>& learned, const Update& update, StepProgress& progress) const;
    void evaluate(const model::Network& network, int64_t step) const;
    void save(const model::Parameters& parameters, const AdamW& optimizer, const Average& average, int64_t step) const
    {
        if (ranks_.first())
            folder_.save({step, parameters, optimizer.state(), average.state(), all_facts(), mixture_->state(), 0},
                         recipe_.keep_checkpoints);
    }
    std::filesystem::path export_model(const model::Network& network, int64_t step, double seconds) const;

    TrainOptions options_;
    const Ranks& ranks_;
    Recipe recipe_;
    at::Device device_;
    RunFolder folder_;
    std::unique_ptr<Mixture> mixture_;
    model::Lanes lanes_;
    nlohmann::json machine_ = machine_facts();
    nlohmann::json initial_provenance_;  // of the checkpoint that the run goes on from; null without one
    std::unique_ptr<RunEvents> events_;  // from the first step of this start on
};

model::Precision Run::precision() const { return {model::choose_precision(recipe_.precision, device_, "precision")}; }

model::Parameters Run::initial_parameters()
{
    if (recipe_.initial.empty()) {
        model::Parameters parameters = model::initial_parameters(recipe_.model, recipe_.seed);
        mixture_->fill_given_parts(parameters);
        return parameters;
    }
    auto [parameters, provenance] = parameters_of(recipe_.initial);
    initial_provenance_ = std::move(provenance);
    return parameters;
}

/// What is written of what was learned: see Recipe::blend and Recipe::gate_shift.
model::Parameters Run::finished(const model::Parameters& learned) const
{
    model::Parameters result = learned;
    if (recipe_.blend < 1) {
        const auto [old, provenance] = parameters_of(recipe_.blend_with.empty() ? recipe_.initial : recipe_.blend_with);
        for (const auto& spec : model::parameter_specs(recipe_.model))
            if (!spec.frozen)
                result[spec.name] = old.at(spec.name).to(device_).lerp(learned.at(spec.name), recipe_.blend);
    }
    if (recipe_.gate_shift != 0) {
        at::Tensor& bias = result.at("concept.gate.bias");
        bias = bias + recipe_.gate_shift;
    }
    return result;
}

std::pair<model::Parameters, nlohmann::json> Run::parameters_of(const std::filesystem::path& path) const
{
    const model::SafetensorsFile file(path);
    nlohmann::json provenance;
    bool grown = false;
    // A state of a run holds weights alone; its shapes are checked as they are read.
    if (file.metadata().count(model::kConfigKey)) {
        model::ModelConfig had = model::read_config(file);
        had.concept_gate_floor = recipe_.model.concept_gate_floor;  // chosen after training
        had.clip_gate_ceiling = recipe_.model.clip_gate_ceiling;
        had.text_gate_floor = recipe_.model.text_gate_floor;
        had.sound_blocks_share = recipe_.model.sound_blocks_share;
        // A network may gain parts that its first steps then learn to use.
        grown = (had.vision_shortcut == 0 && recipe_.model.vision_shortcut > 0)
            || (!had.vision_change && recipe_.model.vision_change) || (!had.own_tail() && recipe_.model.own_tail())
            || (had.sound_shortcut == 0 && recipe_.model.sound_shortcut > 0)
            || (had.sound_stem_widths.empty() && !recipe_.model.sound_stem_widths.empty());
        if (grown) {
            had.vision_tail_rank = recipe_.model.vision_tail_rank;
            had.vision_tail_widths = recipe_.model.vision_tail_widths;
            had.vision_tail_expansion = recipe_.model.vision_tail_expansion;
            had.vision_shortcut = recipe_.model.vision_shortcut;
            had.vision_change = recipe_.model.vision_change;
            had.sound_shortcut = recipe_.model.sound_shortcut;
            had.sound_stem_widths = recipe_.model.sound_stem_widths;
            had.sound_stem_floor = recipe_.model.sound_stem_floor;
        }
        if (had != recipe_.model)
            throw Error(ErrorKind::Usage, path.string(), "has another model configuration than the recipe",
                        "Copy its configuration (imprint model info) into the recipe");
        provenance = model::read_provenance(file);
    }
    return {grown ? model::load_grown_parameters(recipe_.model, file, recipe_.seed) : model::load_parameters(recipe_.model, file),
            std::move(provenance)};
}

std::optional<RunState> Run::resumed_state()
{
    if (!options_.resume) {
        if (ranks_.first() && folder_.has_state())
            throw Error(ErrorKind::Usage, folder_.path().string(), "holds a run already", "Add --resume, or name another folder");
        return std::nullopt;
    }
    RunState state = folder_.load(options_.log);
    nlohmann::json now = all_facts();
    for (const std::string& name : differing_facts(state.facts.value("machine", nlohmann::json::object()), now.at("machine")))
        options_.log("the machine's " + name
                     + " is another than when the run was stopped: its weights will differ in their last bits");
    now["machine"] = state.facts.value("machine", nlohmann::json());
    std::string differing;
    for (const std::string& name : differing_facts(state.facts, now))
        differing += (differing.empty() ? "" : ", ") + name;
    if (!differing.empty())
        throw Error(ErrorKind::Usage, folder_.path().string(), "was begun with another " + differing,
                    "Resume with what the state's state.json names, or start a new run with its model.safetensors as the "
                    "recipe's initial");
    return state;
}

void Run::agree(int64_t step) const
{
    nlohmann::json mine = facts();
    mine["step"] = step;
    const auto all = ranks_.tell(mine.dump());
    for (size_t rank = 0; rank < all.size(); ++rank)
        for (const std::string& name : differing_facts(nlohmann::json::parse(all[rank]), nlohmann::json::parse(all[0])))
            throw Error(ErrorKind::Usage, "rank " + std::to_string(rank), "has another " + name + " than rank 0",
                        "All ranks need the same program, recipe, data and run folder");
}

Run::Learned Run::learn(const Task& task, int64_t step, Passes::Replicas& replicas, const model::Network& network,
                        GradientSum* sum)
{
    Passes passes(replicas);
    const StepLoss loss = mixture_->loss(passes, network, task);
    const double value = loss.total.item<double>() + recipe_.z_loss * passes.z_loss();
    const std::string name = mixture_->name(task.objective);
    Learned learned{
        {{"step", step}, {"objective", name}, {"loss", value}, {"samples", loss.samples}, {"tokens", passes.tokens()}},
        loss.items};
    for (const auto& [figure, tensor] : loss.figures)
        learned.line[figure] = tensor.item<double>();
    if (!loss.expert_use.empty())
        learned.line["expert_use"] = loss.expert_use;
    if (!std::isfinite(value))
        refuse_step(step, "the loss of " + name, {learned});
    if (sum)
        sum->begin(options_.cancel.cancelled());
    passes.backward(task.weight == 1 ? loss.total : loss.total * task.weight, recipe_.z_loss * task.weight, sum);
    learned.compute = passes.seconds();
    return learned;
}

void Run::refuse_step(int64_t step, const std::string& what, const std::vector<Learned>& learned) const
{
    const auto path = folder_.path() / ("bad-step-" + std::to_string(step) + ".json");
    if (ranks_.first()) {
        nlohmann::json tasks = nlohmann::json::array();
        for (const Learned& task : learned) {
            tasks.push_back(task.line);
            tasks.back()["items"] = task.items ? task.items() : nlohmann::json();
        }
        write_file_synced(path,
                          nlohmann::json{{"step", step}, {"what", what + " is not finite"}, {"tasks", tasks}}.dump(
                              1, ' ', false, nlohmann::json::error_handler_t::replace)
                              + "\n");
    }
    throw Error(ErrorKind::Malformed, "step " + std::to_string(step),
                what + " is not finite; its batch is listed in " + path.string(),
                "Lower the rate, or resume from the last state with another seed");
}

void Run::evaluate(const model::Network& network, int64_t step) const
{
    if (!ranks_.first())
        return;
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
    std::optional<RunState> resumed = resumed_state();
    int64_t step = resumed ? resumed->step : 0;
    agree(step);
    model::Parameters parameters = resumed ? resumed->parameters : initial_parameters();
    if (ranks_.first()) {
        // What was done after the state, or before there was one, is done again and told again.
        folder_.truncate_metrics(resumed ? resumed->metrics_bytes : 0);
        if (!resumed)
            write_file_synced(folder_.path() / "recipe.toml", to_toml(recipe_));
        events_ = std::make_unique<RunEvents>(folder_.path() / "events", step);
        events_->recipe(to_json(recipe_));
    }
    for (const auto& spec : model::parameter_specs(recipe_.model)) {
        at::Tensor& parameter = parameters.at(spec.name);
        parameter = parameter.to(device_);
        if (!spec.frozen && recipe_.learns(spec.name))
            parameter.requires_grad_(true);
    }
    AdamW optimizer(recipe_.model, parameters);
    Average average(parameters, recipe_.average);
    if (resumed) {
        optimizer.restore(resumed->optimizer);
        average.restore(resumed->average);
        mixture_->restore(resumed->data);
    }
    const bool ended_before = resumed && step == recipe_.steps;
    resumed.reset();

    model::Network network(recipe_.model, parameters);
    network.set_precision(precision());
    // What is evaluated and kept: the averaged weights where there are any.
    model::Network kept(recipe_.model, average.parameters());
    kept.set_precision(precision());
    Passes::Replicas replicas(recipe_.model, parameters, {precision(), recipe_.recompute, recipe_.recompute_blocks, &ranks_},
                              lanes_);
    GradientSum sum(ranks_, replicas.parameters());
    mixture_->begin(kept);

    StepProgress progress(step, recipe_.steps);
    for (; step < recipe_.steps; ++step) {
        const auto step_begun = std::chrono::steady_clock::now();
        std::vector<Learned> learned;
        bool stop = false;
        try {
            const std::vector<Task> tasks = mixture_->tasks(step);
            for (size_t i = 0; i < tasks.size(); ++i)
                learned.push_back(learn(tasks[i], step, replicas, network, i + 1 == tasks.size() ? &sum : nullptr));
            stop = sum.finish();
        } catch (const Error& error) {
            // A rank is gone. Nothing of this step has been done to the weights yet.
            if (error.kind() == ErrorKind::Crashed && ranks_.world() > 1)
                save(parameters, optimizer, average, step);
            throw;
        }
        const auto update_begun = std::chrono::steady_clock::now();
        const double rate = learning_rate(recipe_, step);
        const double norm = optimizer.step(recipe_, rate, lanes_);
        if (!std::isfinite(norm))
            refuse_step(step, "the gradient", learned);
        average.update(step, lanes_);
        report_step(learned, {norm, rate, since(step_begun), since(update_begun)}, progress);
        if (ranks_.world() == 1)
            stop = options_.cancel.cancelled();  // nobody to agree with: at once
        const int64_t done = step + 1;
        if (done % recipe_.evaluate_every == 0 || done == recipe_.steps)
            evaluate(kept, done);
        if (done % recipe_.checkpoint_every == 0 || done == recipe_.steps || stop)
            save(parameters, optimizer, average, done);
        if (stop && done < recipe_.steps)
            return {done, since(begun), false, {}};
    }
    if (recipe_.steps == 0 && !ended_before) {
        evaluate(kept, step);
        save(parameters, optimizer, average, step);
    }
    return {step, since(begun), true, export_model(kept, step, since(begun))};
}

void Run::report_step(std::vector<Learned>& learned, const Update& update, StepProgress& progress) const
{
    int64_t samples = 0, tokens = 0;
    double compute = update.update_seconds;
    for (const Learned& task : learned) {
        samples += task.line.at("samples").get<int64_t>();
        tokens += task.line.at("tokens").get<int64_t>();
        compute += task.compute;
    }
    progress.add(samples, tokens, update.seconds);
    for (Learned& task : learned) {
        nlohmann::json& line = task.line;
        line["gradient_norm"] = update.norm;
        line["rate"] = update.rate;
        line["seconds"] = update.seconds / static_cast<double>(learned.size());
        line["overhead"] = 1 - compute / update.seconds;  // data, loss and bookkeeping: the part that is not the network's
        metric(line);
        if (line.at("step").get<int64_t>() % recipe_.log_every != 0)
            continue;
        std::string text = progress.line() + ": " + line.at("objective").get<std::string>();
        for (const auto& [name, value] : line.items())
            if (value.is_number_float() && name != "rate" && name != "seconds" && name != "overhead")
                text += line_of(" %s %.3f", name.c_str(), value.get<double>());
        options_.log(text);
    }
}

std::filesystem::path Run::export_model(const model::Network& network, int64_t step, double seconds) const
{
    const auto path = folder_.path() / (recipe_.model.name + ".safetensors");
    if (!ranks_.first())
        return path;
    const at::NoGradGuard guard;
    model::Checkpoint checkpoint;
    checkpoint.config = recipe_.model;
    checkpoint.eight_bit = recipe_.eight_bit;
    checkpoint.parameters = finished(network.parameters());
    mixture_->settle(checkpoint.parameters);
    checkpoint.provenance = {
        {"recipe", without_folders(to_json(recipe_))}, {"steps", step}, {"training_seconds", std::round(seconds)}};
    if (!initial_provenance_.is_null())
        checkpoint.provenance["initial"] = initial_provenance_;
    model::Network written(recipe_.model, checkpoint.parameters);
    written.set_precision(precision());
    if (recipe_.blend < 1 || recipe_.gate_shift != 0) {
        options_.log(
            line_of("what is written is %.2f of what was learned, the gate moved by %.2f:", recipe_.blend, recipe_.gate_shift));
        evaluate(written, step);
    }
    mixture_->complete(checkpoint, written);
    model::save_checkpoint(path, checkpoint);
    options_.log("wrote " + path.string());
    return path;
}

/// The device that the options name, else the recipe; a rank's own GPU where it is not numbered.
at::Device device_of(const TrainOptions& options, const Launch& launch)
{
    const bool by_recipe = options.encoder.device == "auto";
    const std::string name = by_recipe ? read_recipe(options.recipe).device : options.encoder.device;
    const at::Device device = model::choose_device(name, by_recipe ? options.recipe.string() + ": device" : "--device");
    if (launch.world == 1 || !device.is_cuda() || name.starts_with("cuda:"))
        return device;
    return model::choose_device("cuda:" + std::to_string(launch.local_rank), "LOCAL_RANK");
}

}  // namespace

TrainReport run(const TrainOptions& options)
{
    // What is wrong with the recipe is told before the ranks wait for each other.
    const Launch launch = read_launch();
    RanksOptions meeting;
    meeting.device = device_of(options, launch);
    const Ranks ranks(launch, meeting);
    TrainOptions complete = options;
    if (!complete.log || !ranks.first())
        complete.log = [](const std::string&) {};
    try {
        return Run(complete, ranks, meeting.device).train();
    } catch (const std::exception& error) {
        ranks.leave(error.what());
        throw;
    }
}

}  // namespace imprint::training
