// SPDX-License-Identifier: Apache-2.0
// Writes the golden checkpoints of this program's format: hybrid.safetensors (trunk, concept token, experts),
// patch.safetensors (the paper's patches, dense) and text.safetensors (text trunk, 8-bit rows), random weights of the real structure, each with what it gives beside it.
//
//   make_golden_checkpoints FOLDER        FOLDER is tests/data/models/v<N>; files of an older version stay as they are
#include <ATen/ATen.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "core/model/checkpoint.h"
#include "core/model/checkpoint_info.h"
#include "tests/core/model/golden_checkpoint.h"
#include "tests/support/random_text_trunk.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::model;

namespace {

constexpr int kSeed = 4;

ModelConfig small(ModelConfig config)
{
    config.width = 32;
    config.ffn_width = 48;
    config.head_width = 32;
    config.joint_dim = 16;
    config.picture_sizes = {{64, 64}, {64, 96}};
    config.row_buckets = config.column_buckets = 8;
    config.max_sound_patches = 4;
    config.sound_time_buckets = 8;
    return config;
}

void fill(Checkpoint& checkpoint)
{
    at::manual_seed(kSeed);
    const auto& config = checkpoint.config;
    checkpoint.parameters = initial_parameters(config, kSeed);
    // Zero biases and unit scales would leave a swap of two of them unseen.
    for (const auto& spec : parameter_specs(config))
        if (spec.shape.size() == 1 && spec.shape[0] > 1)
            checkpoint.parameters.at(spec.name).add_(at::rand(spec.shape), 0.2);
    const auto rows = [&](int64_t count) { return at::randn({count, config.joint_dim}); };
    checkpoint.text_bank = rows(8);
    checkpoint.background_picture = rows(6);
    checkpoint.background_sound = rows(4);
    checkpoint.provenance = {{"made", "random weights, tests/core/model/make_golden_checkpoints.cpp"}, {"seed", kSeed}};
    if (config.vision_stem == VisionStem::Hybrid)
        checkpoint.parameters.at("concept.class_text").normal_();
}

void write(const std::filesystem::path& file, const Checkpoint& checkpoint)
{
    save_checkpoint(file, checkpoint);
    Encoder encoder(file, {"cpu", "fp32", 1});
    nlohmann::json expected = checkpoint_info(file);
    expected["vectors"] = tests::golden_vectors(encoder);
    std::ofstream out(std::filesystem::path(file).replace_extension("json"));
    out << expected.dump(1) << "\n";
    std::printf("%s: %ju bytes\n", file.c_str(), static_cast<uintmax_t>(std::filesystem::file_size(file)));
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: make_golden_checkpoints FOLDER\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const auto scratch = std::filesystem::temp_directory_path() / "imprint-golden";
    std::filesystem::create_directories(scratch);
    const std::string identity = "identity";  // the usual normaliser's table would be two thirds of the file
    const Checkpoint tiny = load_checkpoint(SafetensorsFile(tests::make_tiny_checkpoint(scratch, kSeed, identity)));
    std::filesystem::remove_all(scratch);

    Checkpoint hybrid = tiny;
    hybrid.config = small(tiny.config);
    hybrid.config.name = "golden-hybrid";
    fill(hybrid);
    write(folder / "hybrid.safetensors", hybrid);

    Checkpoint patch = tiny;
    patch.config = small(tiny.config);
    patch.config.name = "golden-patch";
    patch.config.vision_stem = VisionStem::Patch;
    patch.config.patch_size = 8;
    patch.config.patch_frames = 2;
    patch.config.sparse_layers = 0;
    patch.config.qk_norm = false;
    patch.config.scale_text = false;
    patch.trunk.clear();
    fill(patch);
    write(folder / "patch.safetensors", patch);

    Checkpoint text = tiny;
    text.config = small(tiny.config);
    text.config.name = "golden-text";
    text.config.text_stem = TextStem::Hybrid;
    text.config.text_trunk_width = text.config.joint_dim;
    text.config.text_trunk_layers = 2;
    text.config.text_trunk_heads = 2;
    text.text_trunk = tests::random_text_trunk(text.config, kSeed);
    text.eight_bit = true;
    fill(text);
    write(folder / "text.safetensors", text);
}
