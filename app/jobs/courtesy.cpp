// SPDX-License-Identifier: Apache-2.0
// nice, ioprio_set and MemAvailable.
#include "app/jobs/courtesy.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace imprint::jobs {
namespace {

// Of linux/ioprio.h, which newer kernels' headers write in words that C++ does not allow.
constexpr int kIoPriorityOfProcess = 1, kIdleIoClass = 3, kIoClassShift = 13;

}  // namespace

void lower_priority()
{
    // Linux counts both by thread. Where they are refused, the thread is in the way, and not wrong.
    const auto self = static_cast<id_t>(::gettid());
    static_cast<void>(::setpriority(PRIO_PROCESS, self, 10));
    static_cast<void>(::syscall(SYS_ioprio_set, kIoPriorityOfProcess, self, kIdleIoClass << kIoClassShift));
}

bool memory_is_short(const std::filesystem::path& meminfo)
{
    std::ifstream in(meminfo);
    int64_t total = 0, available = -1, kilobytes = 0;
    for (std::string name, rest; in >> name >> kilobytes && std::getline(in, rest);) {
        if (name == "MemTotal:")
            total = kilobytes;
        else if (name == "MemAvailable:")
            available = kilobytes;
    }
    return available >= 0 && available < std::min<int64_t>(total / 16, 1 << 20);
}

void wait_for_memory(double seconds, const CancelToken& cancel)
{
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (memory_is_short() && !cancel.cancelled() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(200ms);
}

}  // namespace imprint::jobs
