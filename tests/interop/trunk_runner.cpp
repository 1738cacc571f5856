// SPDX-License-Identifier: Apache-2.0
// The trunk of a checkpoint over stored pictures, for trunk_onnx.py: writes what it sees, or says how fast it is.
//
//   trunk_runner CHECKPOINT PICTURES.safetensors OUT.safetensors       "pixels" U8 [n, height, width, 3] → "map", "logits"
//   trunk_runner CHECKPOINT PICTURES.safetensors SECONDS BATCH THREADS → images a second of the clock, and of
//                                                                        processor time, on standard output
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/trunk.h"

using namespace imprint;
using namespace imprint::model;

namespace {

at::Tensor read_pixels(const SafetensorsFile& file)
{
    const TensorView& view = file.at("pixels");
    if (view.dtype != DType::U8 || view.shape.size() != 4)
        throw Error(ErrorKind::Malformed, file.path().string(), "\"pixels\" must be U8 [n, height, width, 3]");
    at::Tensor pixels = at::empty(view.shape, at::kByte);
    std::memcpy(pixels.mutable_data_ptr(), view.data.data(), view.data.size());
    return pixels;
}

std::pair<double, double> images_per_second(const Trunk& trunk, const at::Tensor& pixels, double seconds, int64_t batch)
{
    using Clock = std::chrono::steady_clock;
    const int64_t steps = pixels.size(0) / batch;
    IMPRINT_ASSERT(steps > 0);
    trunk.forward(pixels.narrow(0, 0, batch));
    int64_t images = 0;
    const auto start = Clock::now();
    const std::clock_t worked = std::clock();
    double passed = 0;
    for (int64_t step = 0; passed < seconds; step = (step + 1) % steps) {
        trunk.forward(pixels.narrow(0, step * batch, batch));
        images += batch;
        passed = std::chrono::duration<double>(Clock::now() - start).count();
    }
    const double processor = static_cast<double>(std::clock() - worked) / CLOCKS_PER_SEC;
    return {static_cast<double>(images) / passed, static_cast<double>(images) / processor};
}

int run(int argc, char** argv)
{
    const SafetensorsFile checkpoint_file(argv[1]), pictures(argv[2]);
    const Checkpoint checkpoint = load_checkpoint(checkpoint_file);
    const Trunk trunk([&](const std::string& name) { return checkpoint.trunk.at(name); });
    const at::Tensor pixels = read_pixels(pictures);
    if (argc == 6) {
        at::set_num_threads(std::stoi(argv[5]));
        const auto [clock, processor] = images_per_second(trunk, pixels, std::stod(argv[3]), std::stoll(argv[4]));
        std::printf("%.3f %.3f\n", clock, processor);
        return 0;
    }
    const auto output = trunk.forward(pixels);
    const StoredTensor map = to_stored(output.map, DType::F32), logits = to_stored(output.logits, DType::F32);
    write_safetensors(argv[3], {}, {{"map", map.view}, {"logits", logits.view}});
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 4 && argc != 6) {
        std::fprintf(stderr, "usage: trunk_runner CHECKPOINT PICTURES OUT | SECONDS BATCH THREADS\n");
        return 2;
    }
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "trunk_runner: %s\n", error.what());
        return 3;
    }
}
