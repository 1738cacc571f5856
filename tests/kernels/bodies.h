// SPDX-License-Identifier: Apache-2.0
// Runs an operator's table of cases on every device there is: the CPU bodies, the CUDA sources on the CPU device under two
// schedules, and a GPU where IMPRINT_TEST_CUDA=1 says that there is one.
#pragma once

#include <ATen/ATen.h>
#include <QTest>
#include <torch/library.h>

#include <optional>

#include "tests/kernels/cuda_on_cpu/device.h"

namespace imprint::test {

using Register = void (*)(torch::Library&);

enum Target { kCpu, kSchedule1, kSchedule2, kGpu };

inline std::vector<std::pair<Target, const char*>> targets()
{
    std::vector<std::pair<Target, const char*>> all{
        {kCpu, "CPU"}, {kSchedule1, "CUDA on CPU, 1"}, {kSchedule2, "CUDA on CPU, 2"}};
    if (qEnvironmentVariableIntValue("IMPRINT_TEST_CUDA") == 1)
        all.emplace_back(kGpu, "GPU");
    return all;
}

/// Rows "<case>, <device>" with the columns "index" and "target" for a table of structures that have a name.
template <class Cases>
void add_rows(const Cases& cases)
{
    QTest::addColumn<int>("index");
    QTest::addColumn<int>("target");
    for (const auto& [target, name] : targets())
        for (int i = 0; i < static_cast<int>(std::size(cases)); ++i)
            QTest::addRow("%s, %s", cases[i].name, name) << i << static_cast<int>(target);
}

/// While it lives, the operators that `bodies` registers run on the target. Tensors go there by put() and back by get().
class On {
public:
    On(int target, Register bodies) : target_(static_cast<Target>(target))
    {
        if (target_ != kSchedule1 && target_ != kSchedule2)
            return;
        // The bodies for the CPU device stand in for those of the CPU, derivative and all.
        library_.emplace(torch::Library::IMPL, "imprint", std::make_optional(c10::DispatchKey::CPU), __FILE__, __LINE__);
        bodies(*library_);
        device_.emplace(target_ == kSchedule1 ? 1u : 2u);
    }

    bool is_cpu() const { return target_ == kCpu; }
    at::Tensor put(const at::Tensor& tensor) const
    {
        return target_ == kGpu ? tensor.to(at::kCUDA) : tensor.clone(at::MemoryFormat::Contiguous);
    }
    static at::Tensor get(const at::Tensor& tensor) { return tensor.cpu(); }

    /// Whether the CUDA sources have run, where they should have.
    bool has_run() const { return !device_ || device_->launches() > 0; }

private:
    Target target_;
    std::optional<torch::Library> library_;
    std::optional<cuda_on_cpu::Device> device_;
};

/// An empty tensor of the same kind on device meta.
inline at::Tensor shadow(const at::Tensor& real) { return at::empty_like(real, real.options().device(at::kMeta)); }

/// Whether a tensor on device meta says of a real one all that there is to say.
inline bool foretells(const at::Tensor& meta, const at::Tensor& real)
{
    return meta.is_meta() && meta.sizes() == real.sizes() && meta.strides() == real.strides()
        && meta.scalar_type() == real.scalar_type();
}

inline bool near(const at::Tensor& value, const at::Tensor& wanted, double tolerance)
{
    return value.sizes() == wanted.sizes()
        && at::allclose(value.cpu().to(at::kDouble), wanted.cpu().to(at::kDouble), tolerance, tolerance);
}

}  // namespace imprint::test
