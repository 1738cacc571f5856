// SPDX-License-Identifier: Apache-2.0
// Initialisation, loading and conversion of named tensors.
#include "core/model/parameters.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.h"

namespace imprint::model {
namespace {

// FNV-1a: any fixed mixing of name and seed serves, it only has to differ by name.
uint64_t name_seed(const std::string& name, uint64_t seed)
{
    uint64_t hash = 14695981039346656037ull ^ (seed * 0x9e3779b97f4a7c15ull);
    for (const unsigned char c : name)
        hash = (hash ^ c) * 1099511628211ull;
    return hash;
}

at::Tensor initial(const ParameterSpec& spec, uint64_t seed)
{
    at::Tensor tensor = at::zeros(spec.shape, at::kFloat);
    auto generator = at::detail::createCPUGenerator(name_seed(spec.name, seed));
    switch (spec.init) {
    case ParameterSpec::Init::Zeros: break;
    case ParameterSpec::Init::Ones: tensor.fill_(1); break;
    case ParameterSpec::Init::Constant: tensor.fill_(spec.scale); break;
    case ParameterSpec::Init::Normal: tensor.normal_(0, spec.scale, generator); break;
    case ParameterSpec::Init::TruncatedNormal:
        // JAX cuts at two deviations and then widens so that the deviation is the one asked for.
        tensor.normal_(0, 1, generator);
        while (true) {
            const auto outside = tensor.abs() > 2;
            if (!outside.any().item<bool>())
                break;
            tensor.copy_(at::where(outside, at::empty_like(tensor).normal_(0, 1, generator), tensor));
        }
        tensor.mul_(spec.scale / 0.87962566103423978);
        break;
    }
    return tensor;
}

at::ScalarType scalar_type(DType dtype)
{
    switch (dtype) {
    case DType::Bool: return at::kBool;
    case DType::U8: return at::kByte;
    case DType::I8: return at::kChar;
    case DType::I16: return at::kShort;
    case DType::I32: return at::kInt;
    case DType::I64: return at::kLong;
    case DType::F16: return at::kHalf;
    case DType::BF16: return at::kBFloat16;
    case DType::F32: return at::kFloat;
    case DType::F64: return at::kDouble;
    }
    return at::kFloat;
}

/// What the network divides by.
bool is_deviation(const std::string& name) { return name.ends_with("_deviation"); }

void check_positive(const at::Tensor& numbers, const SafetensorsFile& file, const std::string& name)
{
    if (!((numbers > 0) & at::isfinite(numbers)).all().item<bool>())
        throw Error(ErrorKind::Malformed, file.path().string(), "tensor \"" + name + "\" holds what is no positive number",
                    "The file is damaged; get it again");
}

std::string shape_text(at::IntArrayRef shape)
{
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

}  // namespace

Parameters initial_parameters(const ModelConfig& config, uint64_t seed)
{
    Parameters parameters;
    for (const auto& spec : parameter_specs(config))
        parameters[spec.name] = initial_parameter(spec, seed);
    return parameters;
}

at::Tensor initial_parameter(const ParameterSpec& spec, uint64_t seed)
{
    return is_deviation(spec.name) ? at::ones(spec.shape) : initial(spec, seed);
}

Parameters meta_parameters(const ModelConfig& config)
{
    Parameters parameters;
    for (const auto& spec : parameter_specs(config))
        parameters[spec.name] = at::empty(spec.shape, at::TensorOptions(at::kFloat).device(at::kMeta));
    return parameters;
}

at::Tensor to_tensor(const TensorView& view, const std::string& subject)
{
    const auto dtype = scalar_type(view.dtype);
    if (!at::isFloatingType(dtype))
        throw Error(ErrorKind::Malformed, subject, std::string("holds ") + dtype_name(view.dtype) + " where weights are wanted");
    at::Tensor raw = at::empty(view.shape, dtype);
    if (!view.data.empty())
        std::memcpy(raw.data_ptr(), view.data.data(), view.data.size());
    return raw.to(at::kFloat);
}

at::Tensor read_tensor(const SafetensorsFile& file, const std::string& name)
{
    const TensorView& view = file.at(name);
    const std::string subject = file.path().string() + ": " + name;
    if (view.dtype != DType::I8)
        return to_tensor(view, subject);
    const std::string scale_name = name + kRowScale;
    const TensorView& scales = file.at(scale_name);
    if (view.shape.empty() || !std::equal(scales.shape.begin(), scales.shape.end(), view.shape.begin(), view.shape.end() - 1))
        throw Error(ErrorKind::Malformed, file.path().string(), "tensor \"" + scale_name + "\" does not hold one number for each row",
                    "The file is damaged; get it again");
    const at::Tensor factors = to_tensor(scales, file.path().string() + ": " + scale_name);
    check_positive(factors, file, scale_name);
    at::Tensor values = at::empty(view.shape, at::kChar);
    if (!view.data.empty())
        std::memcpy(values.data_ptr(), view.data.data(), view.data.size());
    return values.to(at::kFloat) * factors.unsqueeze(-1);
}

EightBitRows eight_bit_rows(const at::Tensor& matrix)
{
    constexpr double most = 127;
    const at::Tensor wide = matrix.detach().to(at::kCPU, at::kFloat);
    const at::Tensor largest = wide.abs().amax(-1);
    const at::Tensor scales = at::where(largest > 0, largest / most, at::ones_like(largest)).contiguous();
    return {(wide / scales.unsqueeze(-1)).round().clamp(-most, most).to(at::kChar).contiguous(), scales};
}

Parameters load_parameters(const ModelConfig& config, const SafetensorsFile& file)
{
    Parameters parameters;
    for (const auto& spec : parameter_specs(config)) {
        const TensorView& view = file.at(spec.name);
        if (view.shape != spec.shape)
            throw Error(ErrorKind::Malformed, file.path().string(),
                        "tensor \"" + spec.name + "\" has the shape " + shape_text(view.shape) + " where the configuration wants "
                            + shape_text(spec.shape),
                        "The file is damaged or was made by another version; get it again");
        parameters[spec.name] = read_tensor(file, spec.name);
        if (is_deviation(spec.name))
            check_positive(parameters[spec.name], file, spec.name);
    }
    return parameters;
}

Parameters load_grown_parameters(const ModelConfig& config, const SafetensorsFile& file, uint64_t seed)
{
    Parameters parameters;
    for (const auto& spec : parameter_specs(config)) {
        const bool kept = file.contains(spec.name) && file.at(spec.name).shape == spec.shape;
        parameters[spec.name] = kept ? read_tensor(file, spec.name) : initial_parameter(spec, seed);
    }
    return parameters;
}

void take_trunk(Parameters& parameters, const ModelConfig& config, const Parameters& trunk)
{
    for (const auto& spec : parameter_specs(config))
        if (spec.name.starts_with(kTrunkPrefix))
            parameters[spec.name] = trunk.at(spec.name.substr(std::string_view(kTrunkPrefix).size()));
}

StoredTensor to_stored(const at::Tensor& tensor, DType dtype)
{
    StoredTensor stored;
    stored.tensor = tensor.detach().to(at::kCPU).to(scalar_type(dtype)).contiguous();
    stored.view.dtype = dtype;
    stored.view.shape = stored.tensor.sizes().vec();
    stored.view.data = {static_cast<const std::byte*>(stored.tensor.data_ptr()), stored.tensor.nbytes()};
    return stored;
}

}  // namespace imprint::model
