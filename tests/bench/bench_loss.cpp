// SPDX-License-Identifier: Apache-2.0
// Tensor memory at the peak of the contrastive loss, forward and backward, against the batch: a loss that holds the
// batch-by-batch matrix grows with its square, one that works in row chunks with the batch.
//
//   Kernels      kernels/contrastive.h, in row chunks
//   Training     what training/objectives.h runs
//   WholeMatrix  the usual form: all scores at once, a cross entropy of rows and one of columns
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "kernels/contrastive.h"
#include "tests/support/allocation_meter.h"
#include "training/objectives.h"

namespace {

using namespace imprint;

constexpr int64_t kDim = 384;

using Loss = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&);

at::Tensor whole_matrix(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature)
{
    const at::Tensor logits = at::matmul(a, b.t()) / temperature;
    const at::Tensor diagonal = at::arange(a.size(0), at::kLong);
    return (at::cross_entropy_loss(logits, diagonal) + at::cross_entropy_loss(logits.t(), diagonal)) / 2;
}

at::Tensor training_loss(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature)
{
    return training::nce(a, b, temperature);
}

at::Tensor row_chunks(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature)
{
    return kernels::contrastive_loss(a, b, temperature);
}

void peak(benchmark::State& state, Loss loss)
{
    const int64_t batch = state.range(0);
    const auto rows = [&] {
        const at::Tensor x = at::randn({batch, kDim});
        return (x / x.norm(2, {-1}, true)).requires_grad_(true);
    };
    const at::Tensor a = rows(), b = rows(), temperature = at::full({}, 0.07).requires_grad_(true);
    const auto step = [&] {
        loss(a, b, temperature).backward();
        for (const at::Tensor& input : {a, b, temperature})
            at::Tensor(input).mutable_grad().reset();
    };
    step();
    const auto bytes = static_cast<double>(tests::AllocationMeter::peak_of(step));
    for (auto _ : state)
        step();
    state.counters["peak_MiB"] = bytes / (1 << 20);
    state.counters["bytes_per_pair"] = bytes / static_cast<double>(batch);
}

void batches(benchmark::internal::Benchmark* benchmark)
{
    benchmark->ArgName("batch")->RangeMultiplier(2)->Range(1024, 4096)->Unit(benchmark::kMillisecond)->UseRealTime();
}

}  // namespace

BENCHMARK_CAPTURE(peak, Kernels, row_chunks)->Apply(batches);
BENCHMARK_CAPTURE(peak, Training, training_loss)->Apply(batches);
BENCHMARK_CAPTURE(peak, WholeMatrix, whole_matrix)->Apply(batches);
BENCHMARK_MAIN();
