// SPDX-License-Identifier: Apache-2.0
// Random weights of the real structure, and a tokenizer trained on a few sentences.
#include "tests/support/tiny_checkpoint.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <sentencepiece_trainer.h>

#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/trunk.h"

namespace imprint::tests {
namespace {

constexpr int64_t kClasses = 12, kMapChannels = 24;

std::string train_tokenizer(const std::filesystem::path& dir, const std::string& normalizer)
{
    const auto text = dir / "tokenizer.txt", prefix = dir / "tokenizer";
    std::ofstream out(text);
    for (const char* subject : {"a dog", "a red car", "the old ship", "two birds", "a person", "green apples", "a violin"})
        for (const char* action :
             {"in the park", "on a table", "near the water", "at night", "making a loud sound", "in a photo"})
            out << subject << " " << action << "\n";
    out.close();
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        "--input=" + text.string() + " --model_prefix=" + prefix.string()
        + " --vocab_size=80 --hard_vocab_limit=false --model_type=unigram --normalization_rule_name=" + normalizer
        + " --bos_id=-1 --eos_id=-1 --pad_id=0 --unk_id=1 --minloglevel=3 --num_threads=1");
    IMPRINT_ASSERT(status.ok());
    std::ifstream in(prefix.string() + ".model", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Widths of the trunk's blocks, narrowed; expansion, kernels and repeats are the network's own.
model::Parameters make_trunk(at::Generator& generator)
{
    struct Stage {
        int64_t kernel, expand, out;
        int repeats;
    };
    constexpr Stage stages[] = {{3, 1, 8, 1},  {3, 2, 8, 2},  {5, 2, 8, 2}, {3, 2, 16, 3},
                                {5, 2, 16, 3}, {5, 2, 16, 4}, {3, 2, 24, 1}};
    model::Parameters trunk;
    const auto add = [&](const std::string& name, std::vector<int64_t> shape, int64_t channels, double fan_in) {
        trunk[name + ".weight"] = at::empty(shape).normal_(0, std::sqrt(2.0 / fan_in), generator);
        trunk[name + ".bias"] = at::empty({channels}).normal_(0, 0.1, generator);
    };
    int64_t in = 8;
    add("stem", {in, 3, 3, 3}, in, 27);
    int block = 0;
    for (const Stage& stage : stages)
        for (int repeat = 0; repeat < stage.repeats; ++repeat, ++block) {
            const std::string name = "blocks." + std::to_string(block) + ".";
            const int64_t wide = in * stage.expand;
            if (block > 0)
                add(name + "expand", {wide, in}, wide, double(in));
            add(name + "depthwise", {stage.kernel, stage.kernel, wide}, wide, double(stage.kernel * stage.kernel));
            add(name + "project", {stage.out, wide}, stage.out, double(wide));
            in = stage.out;
        }
    add("head", {kMapChannels, in}, kMapChannels, double(in));
    add("classifier", {kClasses, kMapChannels}, kClasses, double(kMapChannels));
    return trunk;
}

}  // namespace

std::filesystem::path make_tiny_checkpoint(const std::filesystem::path& dir, uint64_t seed, const std::string& normalizer,
                                           bool sparse)
{
    auto generator = at::detail::createCPUGenerator(seed);
    model::Checkpoint checkpoint;
    auto& config = checkpoint.config;
    config.name = "imprint-tiny";
    config.width = 64;
    config.layers = 2;
    config.heads = 1;
    config.ffn_width = 128;
    config.sparse_layers = sparse ? 1 : 0;
    config.experts = 3;
    config.head_width = 64;
    config.joint_dim = 32;
    config.trunk_channels = kMapChannels;
    config.trunk_classes = kClasses;
    config.vocabulary = 80;
    checkpoint.tokenizer = train_tokenizer(dir, normalizer);
    checkpoint.parameters = model::initial_parameters(config, seed);
    checkpoint.parameters["concept.class_text"].normal_(0, 1, generator);
    checkpoint.trunk = make_trunk(generator);
    const auto unit = [&](int64_t rows) {
        const at::Tensor values = at::empty({rows, config.joint_dim}).normal_(0, 1, generator);
        return values / values.norm(2, {-1}, true);
    };
    checkpoint.text_bank = unit(64);
    checkpoint.background_picture = unit(32);
    checkpoint.background_sound = unit(32);
    checkpoint.provenance = {{"made", "random weights for tests"}, {"seed", seed}};
    const auto path = dir / (sparse ? "tiny.safetensors" : "tiny-dense.safetensors");
    model::save_checkpoint(path, checkpoint);
    return path;
}

}  // namespace imprint::tests
