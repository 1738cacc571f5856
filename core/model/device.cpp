// SPDX-License-Identifier: Apache-2.0
#include "core/model/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <charconv>

#include "core/base/error.h"
#include "core/base/processor.h"

namespace imprint::model {

c10::Device choose_device(const std::string& name, const std::string& subject)
{
    const bool built = at::CUDAHooksRegistry()->Has("CUDAHooks");  // hasCUDA() is false without a GPU, too
    const int devices = at::globalContext().hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
    if (name == "cpu" || (name == "auto" && devices == 0))
        return at::kCPU;
    int index = 0;
    const std::string number = name.starts_with("cuda:") ? name.substr(5) : "";
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), index);
    const bool numbered =
        !number.empty() && failure == std::errc() && end == number.data() + number.size() && index >= 0 && index < 64;
    if (name != "auto" && name != "cuda" && !numbered)
        throw Error(ErrorKind::Usage, subject, "\"" + name + "\" is not a device", "Use auto, cpu or cuda[:N]");
    if (index >= devices)
        throw Error(
            ErrorKind::Unsupported, subject,
            "wants the GPU " + name + ", and "
                + (built ? "this machine has " + std::to_string(devices) : std::string("this program was built without CUDA")),
            built ? "Take the device cpu, or run it where the GPU is"
                  : "Take the device cpu, or build with packaging/setup.sh cuda");
    return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

c10::ScalarType choose_precision(const std::string& name, c10::Device device, const std::string& subject)
{
    if (name == "auto")
        return device.is_cuda() || multiplies_bf16() ? at::kBFloat16 : at::kFloat;
    if (name == "fp32")
        return at::kFloat;
    if (name == "bf16")
        return at::kBFloat16;
    throw Error(ErrorKind::Usage, subject + " " + name, "is not a precision", "Use auto, fp32 or bf16");
}

}  // namespace imprint::model
