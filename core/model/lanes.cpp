// SPDX-License-Identifier: Apache-2.0
#include "core/model/lanes.h"

#include <ATen/Parallel.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "core/base/error.h"

namespace imprint::model {

struct Lanes::Arena {
    explicit Arena(int count) : arena(count)
    {
        if (count > tbb::info::default_concurrency())
            more.emplace(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(count));
    }
    std::optional<tbb::global_control> more;  // by itself TBB starts no more threads than there are cores, and complains
    tbb::task_arena arena;
};

Lanes::Lanes(int count)
    : count_(count > 0 ? count : std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost)),
      arena_(std::make_unique<Arena>(count_))
{
    IMPRINT_ASSERT(count >= 0);
}

Lanes::~Lanes() = default;

void Lanes::each(size_t n, const std::function<void(size_t)>& body) const
{
    const auto alone = [&body](size_t i) {
        if (at::get_num_threads() != 1)  // a thread keeps the number it first saw
            at::set_num_threads(1);
        body(i);
    };
    arena_->arena.execute([&] { tbb::parallel_for(size_t{0}, n, alone, tbb::simple_partitioner()); });
}

int fastest_lane_count(int most, const std::function<double(int lanes)>& rate)
{
    constexpr double kWorthALane = 1.1;
    int best = 1;
    double done = rate(1);
    for (int lanes = 2; best < most; lanes *= 2) {
        const int tried = std::min(lanes, most);
        const double more = rate(tried);
        if (more < done * kWorthALane)
            break;
        best = tried;
        done = more;
    }
    return best;
}

}  // namespace imprint::model
