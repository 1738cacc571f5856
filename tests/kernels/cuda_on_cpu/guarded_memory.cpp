// SPDX-License-Identifier: Apache-2.0
// Guarded allocations and the order of accesses.
#include "tests/kernels/cuda_on_cpu/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace imprint::cuda_on_cpu {
namespace {

constexpr uint16_t kThreads = 0xffff;  // more than one thread of a block has read
constexpr uint16_t kBlocks = 0xfffe;   // more than one block has

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

/// Whole pages of an allocation, its guards not included.
size_t pages_of(size_t bytes) { return (bytes + 63 + page_size() - 1) / page_size() * page_size(); }

bool ordered(const Moment& before, const Moment& now, uint32_t launch)
{
    if (before.block < launch || (before.block == now.block && before.thread == now.thread))
        return true;
    if (before.block != now.block || before.thread == kBlocks)
        return false;
    if (before.barriers != now.barriers)
        return true;
    return before.thread != kThreads && before.thread / 32 == now.thread / 32 && before.exchanges != now.exchanges;
}

std::string who(const Moment& moment, const Moment& now)
{
    if (moment.block != now.block || moment.thread == kBlocks)
        return "another block has";
    return moment.thread == kThreads ? "other threads have" : "thread " + std::to_string(moment.thread) + " has";
}

}  // namespace

bool Byte::touch(const Moment& now, uint32_t launch, bool writes)
{
    if (!ordered(write_, now, launch))
        return false;
    if (writes) {
        if (!ordered(read_, now, launch))
            return false;
        write_ = now;
        return true;
    }
    if (ordered(read_, now, launch)) {
        read_ = now;
        return true;
    }
    const bool across = read_.block != now.block || read_.thread == kBlocks;
    read_ = now;
    read_.thread = across ? kBlocks : kThreads;
    return true;
}

std::string Byte::collision(const Moment& now, uint32_t launch) const
{
    const bool written = !ordered(write_, now, launch);
    return who(written ? write_ : read_, now) + (written ? " written it" : " read it") + ", with no barrier between";
}

c10::DataPtr GuardedMemory::allocate(size_t bytes)
{
    if (bytes == 0)
        return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    const size_t page = page_size(), inner = pages_of(bytes);
    char* memory = static_cast<char*>(mmap(nullptr, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    TORCH_CHECK(memory != MAP_FAILED && mprotect(memory + page, inner, PROT_READ | PROT_WRITE) == 0,
                "no memory for the CPU device");
    // Flush with the guard behind it, as far as libtorch's alignment allows.
    char* start = memory + page + inner - (bytes + 63) / 64 * 64;
    std::memset(memory + page, 0xff, inner);
    const std::lock_guard lock(mutex_);
    blocks_[reinterpret_cast<uintptr_t>(start)] = {bytes, nullptr};
    return {start, start, &release, c10::Device(c10::kCPU)};
}

void GuardedMemory::copy_data(void* to, const void* from, std::size_t count) const { default_copy_data(to, from, count); }

void GuardedMemory::release(void* start)
{
    if (!start)
        return;
    GuardedMemory& self = guarded_memory();
    const std::lock_guard lock(self.mutex_);
    const auto found = self.blocks_.find(reinterpret_cast<uintptr_t>(start));
    const size_t bytes = found->second.bytes, page = page_size(), inner = pages_of(bytes);
    if (self.last_ == found)
        self.last_ = self.blocks_.end();
    self.blocks_.erase(found);
    munmap(static_cast<char*>(start) + (bytes + 63) / 64 * 64 - inner - page, inner + 2 * page);
}

Byte* GuardedMemory::find(uintptr_t address, size_t& left)
{
    const auto holds = [address](const auto& block) {
        return address >= block->first && address < block->first + block->second.bytes;
    };
    if (last_ == blocks_.end() || !holds(last_)) {
        auto found = blocks_.upper_bound(address);
        if (found == blocks_.begin() || !holds(--found))
            return nullptr;
        last_ = found;
    }
    if (!last_->second.touched)
        last_->second.touched = std::make_unique<std::vector<Byte>>(last_->second.bytes);
    left = last_->second.bytes - (address - last_->first);
    return last_->second.touched->data() + (address - last_->first);
}

GuardedMemory& guarded_memory()
{
    static GuardedMemory memory;
    return memory;
}

}  // namespace imprint::cuda_on_cpu
