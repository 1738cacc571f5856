// SPDX-License-Identifier: Apache-2.0
#include "training/stem.h"

#include <ATen/ATen.h>

#include <fstream>
#include <sstream>

#include "core/base/error.h"

namespace imprint::training {

std::string read_tokenizer(const std::filesystem::path& path)
{
    if (path.extension() == ".safetensors") {
        const model::SafetensorsFile file(path);
        const auto& bytes = file.at("tokenizer.model").data;
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in)
        throw Error(ErrorKind::NotFound, path.string(), "there is no tokenizer", "Name a SentencePiece model or a checkpoint");
    return text.str();
}

Stem::Stem(const std::filesystem::path& path, const model::ModelConfig& config, const model::Precision& precision,
           at::Device device)
    : checkpoint_(model::load_checkpoint(model::SafetensorsFile(path)))
{
    const auto& own = checkpoint_.config;
    const auto need = [&](bool there, const char* what) {
        if (!there)
            throw Error(ErrorKind::Usage, path.string(),
                        std::string("has no ") + what + " of the size that the recipe's model wants",
                        "Name another stem, or set the model's trunk fields to this one's (imprint model info)");
    };
    const bool picture = !checkpoint_.trunk.empty() && own.trunk_channels == config.trunk_channels;
    if (config.vision_stem == model::VisionStem::Hybrid)
        need(picture && own.trunk_classes == config.trunk_classes, "picture trunk");
    if (picture) {
        picture_ = std::make_unique<model::Trunk>([&](const std::string& name) { return checkpoint_.trunk.at(name).to(device); });
        mean_ = checkpoint_.parameters.at("vision.map_mean").to(device);
        deviation_ = checkpoint_.parameters.at("vision.map_deviation").to(device);
    }
    if (config.text_stem != model::TextStem::Hybrid)
        return;
    need(!checkpoint_.text_trunk.empty() && own.text_trunk_width == config.text_trunk_width
             && own.text_trunk_layers == config.text_trunk_layers && own.text_trunk_heads == config.text_trunk_heads,
         "text trunk");
    text_ = std::make_unique<model::TextTrunk>(
        config, precision, [&](const std::string& name) { return checkpoint_.text_trunk.at(name).to(device); });
}

void Stem::fill(model::Parameters& parameters, const model::ModelConfig& config) const
{
    if (config.own_tail())
        model::take_trunk(parameters, config, checkpoint_.trunk);
    for (const auto& spec : model::parameter_specs(config)) {
        const auto found = checkpoint_.parameters.find(spec.name);
        if (spec.frozen && found != checkpoint_.parameters.end() && found->second.sizes() == at::IntArrayRef(spec.shape))
            parameters[spec.name] = found->second.clone();
    }
}

at::Tensor Stem::activations(const at::Tensor& pixels) const
{
    IMPRINT_ASSERT(picture_);
    const at::Tensor map = picture_->forward(pixels.flatten(0, 1)).map;
    const at::Tensor mean = map.to(at::kFloat).view({pixels.size(0), -1, map.size(3)}).mean(1);
    return (mean - mean_) / deviation_;
}

}  // namespace imprint::training
