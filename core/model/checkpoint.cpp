// SPDX-License-Identifier: Apache-2.0
// Layout of a checkpoint: parameters under their own names, the trunks under "trunk." and "text_trunk.", the rest under fixed
// names.
#include "core/model/checkpoint.h"

#include <ATen/ATen.h>

#include "core/base/error.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"

namespace imprint::model {
namespace {

constexpr const char* kTokenizer = "tokenizer.model";
const std::string kTextTrunk = "text_trunk.";
constexpr const char* kTextBank = "score.text_bank";
constexpr const char* kBackgroundPicture = "score.background_picture";
constexpr const char* kBackgroundSound = "score.background_sound";

at::Tensor unit_rows(const SafetensorsFile& file, const char* name, int64_t dim)
{
    const TensorView& view = file.at(name);
    if (view.shape.size() != 2 || view.shape[1] != dim || view.shape[0] < 1)
        throw Error(ErrorKind::Malformed, file.path().string(), std::string("tensor \"") + name + "\" must hold rows of "
                                                                    + std::to_string(dim));
    const at::Tensor rows = read_tensor(file, name);
    return rows / rows.norm(2, {-1}, true).clamp_min(1e-6);
}

// The trunk checks how its own tensors fit each other; here, that its two ends fit the network.
Parameters load_trunk(const SafetensorsFile& file, const ModelConfig& config)
{
    const std::string subject = file.path().string();
    Parameters trunk;
    for (const auto& name : Trunk::parameter_names())
        trunk[name] = read_tensor(file, kTrunkPrefix + name);
    const auto check = [&](const char* name, int wanted) {
        if (trunk.at(name).sizes() != at::IntArrayRef({int64_t{wanted}}))
            throw Error(ErrorKind::Malformed, subject, std::string("tensor \"trunk.") + name + "\" must hold "
                                                           + std::to_string(wanted) + " numbers by the configuration",
                        "The file is damaged; get it again");
    };
    check("head.bias", config.trunk_channels);
    check("classifier.bias", config.trunk_classes);
    return trunk;
}

Parameters load_text_trunk(const SafetensorsFile& file, const ModelConfig& config)
{
    Parameters trunk;
    for (const auto& name : TextTrunk::parameter_names(config))
        trunk[name] = read_tensor(file, kTextTrunk + name);
    return trunk;
}

/// Tensors under their names in the file, kept alive until it is written.
class Stored {
public:
    explicit Stored(bool eight_bit) : eight_bit_(eight_bit) { }

    void add(const std::string& name, const at::Tensor& tensor, DType dtype) { tensors_.emplace_back(name, to_stored(tensor, dtype)); }
    void add_matrix(const std::string& name, const at::Tensor& matrix, DType dtype)
    {
        if (!eight_bit_ || matrix.dim() < 2)
            return add(name, matrix, dtype);
        const EightBitRows rows = eight_bit_rows(matrix);
        add(name, rows.values, DType::I8);
        add(name + kRowScale, rows.scales, DType::F32);
    }
    const std::vector<std::pair<std::string, StoredTensor>>& tensors() const { return tensors_; }

private:
    bool eight_bit_;
    std::vector<std::pair<std::string, StoredTensor>> tensors_;
};

}  // namespace

Checkpoint load_checkpoint(const SafetensorsFile& file)
{
    Checkpoint checkpoint;
    checkpoint.config = read_config(file);
    checkpoint.parameters = load_parameters(checkpoint.config, file);
    if (checkpoint.config.vision_stem == VisionStem::Hybrid)
        checkpoint.trunk = load_trunk(file, checkpoint.config);
    if (checkpoint.config.text_stem == TextStem::Hybrid)
        checkpoint.text_trunk = load_text_trunk(file, checkpoint.config);
    for (const auto& [name, view] : file.tensors())
        checkpoint.eight_bit = checkpoint.eight_bit || view.dtype == DType::I8;
    const TensorView& tokenizer = file.at(kTokenizer);
    if (tokenizer.dtype != DType::U8)
        throw Error(ErrorKind::Malformed, file.path().string(), std::string("tensor \"") + kTokenizer + "\" holds "
                                                                    + dtype_name(tokenizer.dtype) + " where bytes (U8) are wanted");
    checkpoint.tokenizer.assign(reinterpret_cast<const char*>(tokenizer.data.data()), tokenizer.data.size());
    const auto stated = file.metadata().find(kTokenizerKey);
    if (stated == file.metadata().end() || stated->second != hash_hex(tokenizer.data))
        throw Error(ErrorKind::Malformed, file.path().string(), "the tokenizer does not match its stated hash",
                    "The file is damaged; get it again");
    checkpoint.text_bank = unit_rows(file, kTextBank, checkpoint.config.joint_dim);
    checkpoint.background_picture = unit_rows(file, kBackgroundPicture, checkpoint.config.joint_dim);
    checkpoint.background_sound = unit_rows(file, kBackgroundSound, checkpoint.config.joint_dim);
    checkpoint.provenance = read_provenance(file);
    return checkpoint;
}

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint)
{
    Stored stored(checkpoint.eight_bit);
    for (const auto& spec : parameter_specs(checkpoint.config)) {
        if (spec.name.starts_with(kTrunkPrefix))
            continue;  // with the trunk
        const at::Tensor& tensor = checkpoint.parameters.at(spec.name);
        IMPRINT_ASSERT(tensor.sizes() == at::IntArrayRef(spec.shape));
        if (spec.full_precision)
            stored.add(spec.name, tensor, DType::F32);
        else
            stored.add_matrix(spec.name, tensor, spec.frozen ? DType::F16 : DType::BF16);
    }
    for (const auto& [name, tensor] : checkpoint.trunk) {
        if (tensor.dim() == 2)
            stored.add_matrix(kTrunkPrefix + name, tensor, DType::F16);
        else  // filters: few numbers, whose last axis is no row of one output
            stored.add(kTrunkPrefix + name, tensor, DType::F16);
    }
    for (const auto& [name, tensor] : checkpoint.text_trunk)
        stored.add_matrix(kTextTrunk + name, tensor, DType::F16);
    stored.add_matrix(kTextBank, checkpoint.text_bank, DType::F16);
    stored.add_matrix(kBackgroundPicture, checkpoint.background_picture, DType::F16);
    stored.add_matrix(kBackgroundSound, checkpoint.background_sound, DType::F16);

    std::vector<std::pair<std::string, TensorView>> tensors;
    for (const auto& [name, tensor] : stored.tensors())
        tensors.emplace_back(name, tensor.view);
    const std::span<const std::byte> tokenizer(reinterpret_cast<const std::byte*>(checkpoint.tokenizer.data()),
                                               checkpoint.tokenizer.size());
    tensors.emplace_back(kTokenizer, TensorView{DType::U8, {static_cast<int64_t>(tokenizer.size())}, tokenizer});
    write_safetensors(path,
                      {{kFormatKey, std::to_string(kCheckpointFormat)},
                       {kConfigKey, to_json(checkpoint.config).dump()},
                       {kTokenizerKey, hash_hex(tokenizer)},
                       {kProvenanceKey, checkpoint.provenance.dump()}},
                      tensors);
}

}  // namespace imprint::model
