// SPDX-License-Identifier: Apache-2.0
// One training step of each objective by our own code in float64, written down for step_torch.py: state, inputs, losses,
// gradients. Or many steps of a larger network in fp32 against the clock, for step_speed.py.
//
//   step_runner OUT.safetensors joint|disjoint item|batch
//   step_runner OUT.safetensors --time STEPS THREADS        prints the median seconds of a step
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "training/adamw.h"
#include "training/inputs.h"
#include "training/objective.h"

using namespace imprint;
using namespace imprint::training;

namespace {

constexpr double kZWeight = 0.01;
constexpr int64_t kBatch = 4, kClips = 2, kCaptions = 2;

model::ModelConfig config_of(const std::string& space, const std::string& routing)
{
    model::ModelConfig config;
    config.width = 64;
    config.layers = 3;
    config.heads = 2;
    config.ffn_width = 96;
    config.sparse_layers = 2;
    config.experts = 4;
    config.head_width = 40;
    config.joint_dim = 32;
    config.vision_stem = model::VisionStem::Patch;
    config.max_frames = 8;
    config.vocabulary = 50;
    config.max_text_tokens = 16;
    config.standardise_sound = false;
    config.common_space = space == "joint" ? model::CommonSpace::Joint : model::CommonSpace::Disjoint;
    config.routing_group = routing == "item" ? model::RoutingGroup::Item : model::RoutingGroup::Batch;
    config.temperature = 0.2;
    config.classifiers = {{"vision", "kinds", 7}, {"sound", "noises", 5}};
    return config;
}

Inputs make_inputs(bool masked)
{
    Inputs inputs;
    const int64_t clips = kBatch * kClips, captions = kBatch * kCaptions;
    inputs.pixels = at::randint(0, 256, {clips, 8, 64, 48, 3}, at::kByte);
    inputs.kept = std::get<0>(at::rand({clips, 24}).argsort(-1, false).narrow(1, 0, 8).sort(-1));
    inputs.spectrogram = at::randn({clips, 32, 128}, at::kDouble);
    std::vector<int64_t> first, second;
    for (int64_t i = 0; i < captions; ++i)
        (i % 3 ? first : second).push_back(i);
    if (!masked) {
        inputs.texts = {{first, at::randint(1, 50, {static_cast<int64_t>(first.size()), 4}, at::kLong), {}, {}, {}},
                        {second, at::randint(1, 50, {static_cast<int64_t>(second.size()), 7}, at::kLong), {}, {}, {}}};
        return inputs;
    }
    first.insert(first.end(), second.begin(), second.end());
    std::sort(first.begin(), first.end());
    // A mask, but no pads: −1e10 on the scores of a pad's row leaves float64 five digits of them, and both sides other ones.
    const at::Tensor ids = at::randint(1, 50, {captions, 8}, at::kLong);
    inputs.texts = {{first, ids, ids != 0, {}, {}}};
    return inputs;
}

/// Collects what is written; keeps the tensors alive.
class Out {
public:
    void add(const std::string& name, const at::Tensor& tensor, model::DType dtype = model::DType::F64)
    {
        stored_.emplace_back(name, model::to_stored(tensor, dtype));
    }
    void write(const std::string& path, const std::string& config) const
    {
        std::vector<std::pair<std::string, model::TensorView>> views;
        for (const auto& [name, tensor] : stored_)
            views.emplace_back(name, tensor.view);
        model::write_safetensors(path, {{"config", config}}, views);
    }

private:
    std::vector<std::pair<std::string, model::StoredTensor>> stored_;
};

std::vector<ObjectiveRecipe> objectives()
{
    std::vector<ObjectiveRecipe> all(3);
    all[0].kind = ObjectiveKind::Nce;
    all[0].name = "nce";
    all[0].modalities = {"vision", "sound", "text"};
    all[0].margin = 0.1;
    all[1].kind = all[2].kind = ObjectiveKind::Classify;
    all[1].name = "softmax";
    all[1].modalities = {"vision"};
    all[1].classifier = "kinds";
    all[1].smoothing = 0.1;
    all[2].name = "sigmoid";
    all[2].modalities = {"sound"};
    all[2].classifier = "noises";
    all[2].labels = LabelLoss::Sigmoid;
    return all;
}

/// Sends the inputs forwards for one objective, in passes of at most `pass_tokens`.
StepLoss loss_of(const Objective& objective, Passes& passes, const Inputs& inputs, const Targets& targets,
                 const model::Network& network, int64_t pass_tokens)
{
    Wanted wanted;
    objective.want(wanted);
    Rows rows(network.config(), wanted);
    std::map<std::string, size_t> numbers;
    for (auto& [modality, list] : pass_lists(inputs, wanted, network.config(), {}, pass_tokens))
        numbers.emplace(modality, passes.add(std::move(list)));
    passes.forward();
    for (const auto& [modality, number] : numbers)
        rows.set(modality, passes.rows(number));
    return objective.loss(rows, targets, network);
}

void run(const std::string& path, const std::string& space, const std::string& routing)
{
    at::manual_seed(17);
    at::set_num_threads(1);
    Recipe recipe;
    recipe.model = config_of(space, routing);
    model::Parameters parameters = model::initial_parameters(recipe.model, 5);
    Out out;
    for (auto& [name, parameter] : parameters) {
        parameter = parameter.to(at::kDouble).requires_grad_(true);
        out.add("parameter." + name, parameter);
    }
    const model::Precision precision{at::kDouble};
    model::Network network(recipe.model, parameters);
    network.set_precision(precision);
    const model::Lanes lanes(2);
    Passes::Replicas replicas(recipe.model, parameters, {precision}, lanes);

    const Inputs inputs = make_inputs(routing == "batch");
    out.add("pixels", inputs.pixels, model::DType::U8);
    out.add("kept", inputs.kept, model::DType::I64);
    out.add("spectrogram", inputs.spectrogram);
    for (size_t i = 0; i < inputs.texts.size(); ++i) {
        out.add("ids." + std::to_string(i), inputs.texts[i].ids, model::DType::I64);
        out.add("members." + std::to_string(i), at::tensor(inputs.texts[i].members, at::kLong), model::DType::I64);
    }
    Targets targets;
    targets.labels = at::randint(0, 5, {kBatch}, at::kLong);
    targets.batch = kBatch;
    targets.clips = kClips;
    targets.captions = kCaptions;
    out.add("labels", targets.labels, model::DType::I64);

    for (const ObjectiveRecipe& one : objectives()) {
        const auto objective = make_objective(one, recipe);
        // One pass a list where groups span items, since what shares a pass shares experts; else two or three.
        Passes passes(replicas);
        const StepLoss loss = loss_of(*objective, passes, inputs, targets, network, routing == "batch" ? 1 << 20 : 30);
        out.add(one.name + ".loss", (loss.total.detach() + kZWeight * passes.z_loss()).view({1}));
        passes.backward(loss.total, kZWeight);
        for (auto& [name, parameter] : parameters)
            if (parameter.grad().defined()) {
                out.add(one.name + ".gradient." + name, parameter.grad().clone());
                parameter.mutable_grad() = at::Tensor();
            }
    }
    out.write(path, model::to_json(recipe.model).dump());
}

/// As a run would do it: passes on several lanes, the optimiser's update.
double seconds_of_a_step(const std::string& path, int steps, int threads)
{
    constexpr int64_t kPictures = 16, kTokens = 36;
    at::manual_seed(17);
    at::set_num_threads(1);
    Recipe recipe;
    recipe.model = config_of("joint", "item");
    recipe.model.width = 256;
    recipe.model.layers = 6;
    recipe.model.heads = 4;
    recipe.model.ffn_width = 1024;
    recipe.model.sparse_layers = 3;
    recipe.model.experts = 8;
    recipe.model.head_width = recipe.model.joint_dim = 256;
    model::Parameters parameters = model::initial_parameters(recipe.model, 5);
    Out out;
    for (auto& [name, parameter] : parameters) {
        parameter.requires_grad_(true);
        out.add("parameter." + name, parameter, model::DType::F32);
    }
    Inputs inputs;
    inputs.pixels = at::randint(0, 256, {kPictures, 8, 96, 96, 3}, at::kByte);
    inputs.kept = std::get<0>(at::rand({kPictures, 2 * kTokens}).argsort(-1, false).narrow(1, 0, kTokens).sort(-1));
    inputs.spectrogram = at::randn({kPictures, 128, 128});
    std::vector<int64_t> all;
    for (int64_t i = 0; i < kPictures; ++i)
        all.push_back(i);
    inputs.texts = {{all, at::randint(1, 50, {kPictures, 8}, at::kLong), {}, {}, {}}};
    out.add("pixels", inputs.pixels, model::DType::U8);
    out.add("kept", inputs.kept, model::DType::I64);
    out.add("spectrogram", inputs.spectrogram, model::DType::F32);
    out.add("ids.0", inputs.texts[0].ids, model::DType::I64);
    out.add("members.0", at::tensor(all, at::kLong), model::DType::I64);
    out.write(path, model::to_json(recipe.model).dump());
    Targets targets;
    targets.batch = kPictures;

    const model::Network network(recipe.model, parameters);
    const model::Lanes lanes(threads);
    Passes::Replicas replicas(recipe.model, parameters, {}, lanes);
    AdamW optimizer(recipe.model, parameters);
    const std::vector<ObjectiveRecipe> all_objectives = objectives();
    const auto objective = make_objective(all_objectives.front(), recipe);
    std::vector<double> seconds;
    for (int step = 0; step < steps; ++step) {
        const auto begun = std::chrono::steady_clock::now();
        Passes passes(replicas);
        const StepLoss loss = loss_of(*objective, passes, inputs, targets, network, recipe.pass_tokens);
        passes.backward(loss.total, kZWeight);
        optimizer.step(recipe, 1e-4, lanes);
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    }
    std::nth_element(seconds.begin(), seconds.begin() + steps / 2, seconds.end());
    return seconds[static_cast<size_t>(steps / 2)];
}

}  // namespace

int main(int argc, char** argv)
{
    const bool timed = argc == 5 && std::string(argv[2]) == "--time";
    if (argc != 4 && !timed) {
        std::fprintf(stderr,
                     "usage: step_runner OUT.safetensors joint|disjoint item|batch\n"
                     "       step_runner OUT.safetensors --time STEPS THREADS\n");
        return 2;
    }
    try {
        if (timed)
            std::printf("%.6f\n", seconds_of_a_step(argv[1], std::stoi(argv[3]), std::stoi(argv[4])));
        else
            run(argv[1], argv[2], argv[3]);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "step_runner: %s\n", error.what());
        return 3;
    }
}
