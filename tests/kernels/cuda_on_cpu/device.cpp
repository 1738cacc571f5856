// SPDX-License-Identifier: Apache-2.0
// The scheduler of the CPU device: fibers, barriers and exchanges of a warp, and the answers to the compiler's hooks.
#include "tests/kernels/cuda_on_cpu/device.h"

#include <c10/core/CPUAllocator.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "tests/kernels/cuda_on_cpu/guarded_memory.h"
#include "tests/kernels/cuda_on_cpu/include/cuda_runtime.h"

extern "C" char __bss_start, _end;

namespace imprint::cuda_on_cpu {
namespace {

constexpr size_t kStack = 128 * 1024, kGuard = 4096;
constexpr unsigned kMost = 1024;  // threads of a block

enum class State { Ready, AtBarrier, AtExchange, Done };

struct Fiber {
    ucontext_t context{};
    char* stack = nullptr;
    State state = State::Done;
    int site = 0;
    unsigned mask = 0;
    uint64_t brought = 0, warp[32] = {};
};

struct Machine {
    std::mt19937_64 order;
    std::vector<Fiber> fibers = std::vector<Fiber>(kMost);
    std::vector<Byte> shared = std::vector<Byte>(static_cast<size_t>(&_end - &__bss_start));
    uint16_t exchanges[kMost / 32] = {};
    ucontext_t scheduler{};
    Fiber* running = nullptr;
    cudaLaunchConfig_t config{};
    void (*thread)(const void*) = nullptr;
    const void* closure = nullptr;
    unsigned block = 0;
    Moment now;
    uint32_t next_block = 1, launch = 1;
    std::string fault;
    int64_t launches = 0, threads = 0;
    c10::Allocator* before = nullptr;
    uintptr_t stack_low = 0, stack_high = 0;
};

Machine* machine = nullptr;

unsigned thread_of(const Fiber* fiber) { return static_cast<unsigned>(fiber - machine->fibers.data()); }

void suspend(State state)
{
    Fiber* fiber = machine->running;
    fiber->state = state;
    swapcontext(&fiber->context, &machine->scheduler);
}

/// Ends the launch: the running fiber is never entered again.
void fail(const std::string& what)
{
    if (!machine)
        return;
    Machine& m = *machine;
    if (m.fault.empty())
        m.fault = "block " + std::to_string(m.block)
            + (m.running ? ", thread " + std::to_string(thread_of(m.running)) : std::string()) + ": " + what;
    if (m.running)
        suspend(State::Done);
}

void enter()
{
    machine->thread(machine->closure);
    suspend(State::Done);
}

void prepare(Fiber& fiber)
{
    if (!fiber.stack) {
        fiber.stack = static_cast<char*>(mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        TORCH_CHECK(fiber.stack != MAP_FAILED && mprotect(fiber.stack, kGuard, PROT_NONE) == 0, "no memory for a fiber");
    }
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, enter, 0);
    fiber.state = State::Ready;
}

/// Lets go the warps all of whose named lanes have come; false where none has.
bool release_warps(unsigned threads)
{
    bool any = false;
    for (unsigned first = 0; first < threads; first += 32)
        for (unsigned lane = 0; lane < 32 && first + lane < threads; ++lane) {
            const Fiber& asking = machine->fibers[first + lane];
            if (asking.state != State::AtExchange)
                continue;
            const unsigned mask = asking.mask;
            bool all = true;
            for (unsigned other = 0; other < 32; ++other) {
                if (!(mask >> other & 1))
                    continue;
                const bool there = first + other < threads;
                const Fiber& fiber = machine->fibers[there ? first + other : first];
                all = all && there && fiber.state == State::AtExchange && fiber.mask == mask;
            }
            if (!all)
                continue;
            uint64_t brought[32];
            for (unsigned other = 0; other < 32; ++other)
                brought[other] = machine->fibers[first + other].brought;
            for (unsigned other = 0; other < 32; ++other)
                if (mask >> other & 1) {
                    std::copy(brought, brought + 32, machine->fibers[first + other].warp);
                    machine->fibers[first + other].state = State::Ready;
                }
            ++machine->exchanges[first / 32];
            any = true;
        }
    return any;
}

/// Lets the block go on when all of it waits at one barrier.
void release_block(unsigned threads)
{
    const auto first = machine->fibers.begin(), last = first + threads;
    const int site = first->site;
    if (std::all_of(first, last, [site](const Fiber& f) { return f.state == State::AtBarrier && f.site == site; })) {
        for (auto fiber = first; fiber != last; ++fiber)
            fiber->state = State::Ready;
        ++machine->now.barriers;
        return;
    }
    machine->running = nullptr;
    const bool left = std::any_of(first, last, [](const Fiber& f) { return f.state == State::Done; });
    const bool warps = std::any_of(first, last, [](const Fiber& f) { return f.state == State::AtExchange; });
    fail(warps      ? "lanes wait for an exchange that others do not come to"
             : left ? "threads wait at a barrier that others have left without"
                    : "threads wait at different barriers");
}

void run_block(unsigned block, unsigned threads)
{
    Machine& m = *machine;
    m.block = block;
    m.now = {m.next_block++, 0, 0, 0};
    std::fill(std::begin(m.exchanges), std::end(m.exchanges), uint16_t(0));
    for (unsigned i = 0; i < threads; ++i)
        prepare(m.fibers[i]);
    std::vector<unsigned> order(threads);
    for (unsigned i = 0; i < threads; ++i)
        order[i] = i;
    while (m.fault.empty()) {
        std::shuffle(order.begin(), order.end(), m.order);
        bool ran = false;
        for (const unsigned i : order) {
            if (m.fibers[i].state != State::Ready)
                continue;
            ran = true;
            m.running = &m.fibers[i];
            swapcontext(&m.scheduler, &m.fibers[i].context);
            m.running = nullptr;
            if (!m.fault.empty())
                return;
        }
        if (ran || release_warps(threads))
            continue;
        if (std::all_of(m.fibers.begin(), m.fibers.begin() + threads, [](const Fiber& f) { return f.state == State::Done; }))
            return;
        release_block(threads);
    }
}

/// Where the hooks bring every access that a kernel makes.
void access(const void* pointer, size_t bytes, bool writes)
{
    Machine* m = machine;
    if (!m || !m->running)
        return;
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    if (address >= m->stack_low && address < m->stack_high)
        return;
    const auto stack = reinterpret_cast<uintptr_t>(m->running->stack);
    if (address >= stack && address < stack + kStack)
        return;
    const auto verb = [&] { return (writes ? "writes " : "reads ") + std::to_string(bytes) + " bytes "; };
    const auto shared = reinterpret_cast<uintptr_t>(&__bss_start);
    const bool is_shared = address >= shared && address + bytes <= reinterpret_cast<uintptr_t>(&_end);
    size_t left = m->shared.size();
    Byte* byte = is_shared ? m->shared.data() + (address - shared) : guarded_memory().find(address, left);
    if (!byte || left < bytes)
        return fail(verb() + "outside of every tensor");
    m->now.thread = static_cast<uint16_t>(thread_of(m->running));
    m->now.exchanges = m->exchanges[m->now.thread / 32];
    for (size_t i = 0; i < bytes; ++i) {
        if (is_shared && !writes && !byte[i].written_by(m->now.block))
            return fail(verb() + "of shared memory that its block has not written");
        // Blocks share no shared memory: there only the own block's accesses count.
        const uint32_t since = is_shared ? m->now.block : m->launch;
        if (!byte[i].touch(m->now, since, writes))
            return fail(verb() + "of " + (is_shared ? "shared" : "global") + " memory; " + byte[i].collision(m->now, since));
    }
}

}  // namespace

Device::Device(uint64_t seed)
{
    static Machine the_machine;
    TORCH_CHECK(!machine, "one CPU device at a time");
    machine = &the_machine;
    machine->order.seed(seed);
    machine->fault.clear();
    machine->launches = machine->threads = 0;
    pthread_attr_t attributes;
    void* low = nullptr;
    size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    machine->stack_low = reinterpret_cast<uintptr_t>(low);
    machine->stack_high = machine->stack_low + size;
    machine->before = c10::GetCPUAllocator();
    c10::SetCPUAllocator(&guarded_memory());
}

Device::~Device()
{
    c10::SetCPUAllocator(machine->before);
    machine = nullptr;
}

const std::string& Device::fault() const { return machine->fault; }
int64_t Device::launches() const { return machine->launches; }
int64_t Device::threads() const { return machine->threads; }

unsigned thread_index() { return thread_of(machine->running); }
unsigned block_index() { return machine->block; }
unsigned block_size() { return machine->config.blockDim.x; }
unsigned grid_size() { return machine->config.gridDim.x; }

void barrier(int site)
{
    machine->running->site = site;
    suspend(State::AtBarrier);
}

uint64_t exchange(unsigned mask, uint64_t value, unsigned source)
{
    Fiber* fiber = machine->running;
    const unsigned lane = thread_of(fiber) % 32;
    if (!(mask >> lane & 1) || !(mask >> source & 1))
        fail("a lane takes part in an exchange whose mask does not name it");
    fiber->mask = mask;
    fiber->brought = value;
    suspend(State::AtExchange);
    return fiber->warp[source];
}

unsigned ballot(unsigned mask, bool value)
{
    exchange(mask, value, thread_of(machine->running) % 32);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
        votes |= (mask >> lane & 1 ? static_cast<unsigned>(machine->running->warp[lane] & 1) : 0u) << lane;
    return votes;
}

cudaError_t run_grid(const cudaLaunchConfig_t& config, void (*thread)(const void*), const void* closure)
{
    Machine& m = *machine;
    const unsigned threads = config.blockDim.x;
    if (config.blockDim.y * config.blockDim.z * config.gridDim.y * config.gridDim.z != 1 || threads == 0 || threads > kMost
        || config.gridDim.x == 0 || config.gridDim.x > 0x7fffffffu || config.dynamicSmemBytes != 0) {
        m.fault = "a launch that this device does not know: only grids and blocks of one dimension, without dynamic memory";
        return cudaErrorInvalidConfiguration;
    }
    m.config = config;
    m.thread = thread;
    m.closure = closure;
    m.fault.clear();
    m.launch = m.next_block;
    ++m.launches;
    m.threads += static_cast<int64_t>(threads) * config.gridDim.x;
    std::vector<unsigned> order(config.gridDim.x);
    for (unsigned i = 0; i < order.size(); ++i)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), m.order);
    for (const unsigned block : order)
        if (run_block(block, threads); !m.fault.empty())
            return cudaErrorLaunchFailure;
    return cudaSuccess;
}

}  // namespace imprint::cuda_on_cpu

using imprint::cuda_on_cpu::machine;

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t)
{
    size_t left = 0;
    if (bytes && (!imprint::cuda_on_cpu::guarded_memory().find(reinterpret_cast<uintptr_t>(memory), left) || left < bytes)) {
        machine->fault = "a memset of " + std::to_string(bytes) + " bytes leaves its tensor";
        return cudaErrorLaunchFailure;
    }
    std::memset(memory, value, bytes);
    return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) { return error == cudaSuccess ? "no error" : machine->fault.c_str(); }

// What the compiler calls in sources compiled with -fsanitize=thread,alignment,bounds; no sanitizer's library is linked.
extern "C" {
#define IMPRINT_HOOKS(bytes)                                                                                                     \
    void __tsan_read##bytes(void* at) { imprint::cuda_on_cpu::access(at, bytes, false); }                                        \
    void __tsan_write##bytes(void* at) { imprint::cuda_on_cpu::access(at, bytes, true); }                                        \
    void __tsan_unaligned_read##bytes(void* at) { imprint::cuda_on_cpu::access(at, bytes, false); }                              \
    void __tsan_unaligned_write##bytes(void* at) { imprint::cuda_on_cpu::access(at, bytes, true); }
IMPRINT_HOOKS(1)
IMPRINT_HOOKS(2)
IMPRINT_HOOKS(4)
IMPRINT_HOOKS(8)
IMPRINT_HOOKS(16)
void __tsan_read_range(void* at, size_t bytes) { imprint::cuda_on_cpu::access(at, bytes, false); }
void __tsan_write_range(void* at, size_t bytes) { imprint::cuda_on_cpu::access(at, bytes, true); }
void __tsan_func_entry(void*) { }
void __tsan_func_exit() { }
void __tsan_init() { }
void __ubsan_handle_type_mismatch_v1(void*, void*)
{
    imprint::cuda_on_cpu::fail("an address that its type's alignment does not divide");
}
void __ubsan_handle_out_of_bounds(void*, void*) { imprint::cuda_on_cpu::fail("an index past the end of its array"); }
}
