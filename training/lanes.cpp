// SPDX-License-Identifier: Apache-2.0
#include "training/lanes.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <thread>

#include "core/base/error.h"

namespace imprint::training {

struct Lanes::Arena {
    tbb::task_arena arena;
};

Lanes::Lanes(int count)
    : count_(count > 0 ? count : std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost)),
      arena_(std::make_unique<Arena>(tbb::task_arena(count_)))
{
    IMPRINT_ASSERT(count >= 0);
}

Lanes::~Lanes() = default;

void Lanes::each(size_t n, const std::function<void(size_t)>& body) const
{
    arena_->arena.execute([&] { tbb::parallel_for(size_t{0}, n, body, tbb::simple_partitioner()); });
}

}  // namespace imprint::training
