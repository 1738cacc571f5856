// SPDX-License-Identifier: Apache-2.0
#include "core/model/surgery.h"

#include <ATen/ATen.h>

#include "core/base/error.h"
#include "core/model/checkpoint.h"

namespace imprint::model {
namespace {

ModelConfig upcycled_config(const ModelConfig& dense, const UpcycleOptions& options)
{
    const auto refuse = [&](const std::string& reason, const std::string& way_out) {
        throw Error(ErrorKind::Usage, dense.name, reason, way_out);
    };
    if (dense.sparse_layers > 0)
        refuse("is a mixture of experts already", "Upcycle a dense network");
    if (dense.lora_rank > 0)
        refuse("has adapters", "Merge them first (imprint model merge)");
    if (options.experts < 2 || options.experts > 1024)
        refuse("cannot have " + std::to_string(options.experts) + " experts", "Choose 2 … 1024");
    if (options.layers < 0 || options.layers > dense.layers)
        refuse("has " + std::to_string(dense.layers) + " blocks, not " + std::to_string(options.layers),
               "Choose fewer sparse ones");
    if (options.capacity_factor <= 0 || options.capacity_factor > options.experts)
        refuse("cannot have this capacity factor", "Choose one above 0 and at most the number of experts");
    ModelConfig config = dense;
    config.name += "-moe";
    config.sparse_layers = options.layers > 0 ? options.layers : (dense.layers + 1) / 2;
    config.sparse_placement = SparsePlacement::Last;
    config.experts = options.experts;
    config.capacity_factor = options.capacity_factor;
    config.router = Router::Experts;
    config.normalise_gates = options.normalise_gates;
    return config;
}

at::Tensor delta(const at::Tensor& down, const at::Tensor& up)
{
    // Experts' matrices are [expert, in, out], the others [out, in].
    return down.dim() == 3 ? at::bmm(down, up) : at::matmul(up, down);
}

template <typename Change>
void convert(const std::filesystem::path& in, const std::filesystem::path& out, const char* verb, const Change& change)
{
    const SafetensorsFile file(in);
    Checkpoint checkpoint = load_checkpoint(file);
    Weights weights = change(Weights{checkpoint.config, checkpoint.parameters});
    checkpoint.config = std::move(weights.config);
    checkpoint.parameters = std::move(weights.parameters);
    const nlohmann::json before = std::move(checkpoint.provenance);
    checkpoint.provenance = {{verb, {{"file", in.filename().string()}, {"hash", hash_hex(file.bytes())}}}, {"before", before}};
    save_checkpoint(out, checkpoint);
}

}  // namespace

Weights upcycle(const Weights& dense, const UpcycleOptions& options)
{
    Weights sparse{upcycled_config(dense.config, options), dense.parameters};
    const int64_t experts = options.experts;
    for (const auto& spec : parameter_specs(sparse.config)) {
        if (spec.name.ends_with("ffn.router.kernel")) {
            sparse.parameters[spec.name] = initial_parameter(spec, options.seed);
            continue;
        }
        at::Tensor& tensor = sparse.parameters.at(spec.name);
        if (spec.shape.size() == 3 && tensor.dim() == 2)  // a feed-forward matrix, [out, in]
            tensor = tensor.t().unsqueeze(0).repeat({experts, 1, 1});
        else if (spec.shape.size() == 3 && tensor.dim() == 1)  // its bias
            tensor = tensor.repeat({experts, 1, 1});
        IMPRINT_ASSERT(tensor.sizes() == at::IntArrayRef(spec.shape));
    }
    return sparse;
}

Weights with_adapters(const Weights& base, int rank, double alpha, const std::vector<std::string>& matrices, uint64_t seed)
{
    if (base.config.lora_rank > 0)
        throw Error(ErrorKind::Usage, base.config.name, "has adapters already", "Merge them first");
    Weights adapted = base;
    adapted.config.lora_rank = rank;
    adapted.config.lora_alpha = alpha;
    adapted.config.lora_matrices = matrices;
    adapted.config = config_from_json(to_json(adapted.config), "adapters");  // the same rules as for a file
    for (const auto& spec : parameter_specs(adapted.config))
        if (spec.adapter)
            adapted.parameters[spec.name] = initial_parameter(spec, seed);
    return adapted;
}

Weights merge_adapters(const Weights& adapted)
{
    const ModelConfig& config = adapted.config;
    if (config.lora_rank == 0)
        throw Error(ErrorKind::Usage, config.name, "has no adapters to merge");
    Weights merged = adapted;
    merged.config.lora_rank = 0;
    merged.config.lora_alpha = ModelConfig{}.lora_alpha;
    merged.config.lora_matrices = ModelConfig{}.lora_matrices;
    const std::string suffix = ".lora_down";
    for (const auto& spec : parameter_specs(config)) {
        if (!spec.adapter || !spec.name.ends_with(suffix))
            continue;
        const std::string matrix = spec.name.substr(0, spec.name.size() - suffix.size());
        at::Tensor& kernel = merged.parameters.at(matrix + ".kernel");
        const at::Tensor added = delta(adapted.parameters.at(spec.name), adapted.parameters.at(matrix + ".lora_up"));
        kernel = kernel.detach() + added.detach() * (config.lora_alpha / config.lora_rank);
        merged.parameters.erase(spec.name);
        merged.parameters.erase(matrix + ".lora_up");
    }
    return merged;
}

void upcycle_checkpoint(const std::filesystem::path& in, const std::filesystem::path& out, const UpcycleOptions& options)
{
    convert(in, out, "upcycled_from", [&](const Weights& weights) { return upcycle(weights, options); });
}

void merge_checkpoint(const std::filesystem::path& in, const std::filesystem::path& out)
{
    convert(in, out, "merged_from", [](const Weights& weights) { return merge_adapters(weights); });
}

}  // namespace imprint::model
