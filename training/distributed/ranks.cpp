// SPDX-License-Identifier: Apache-2.0
#include "training/distributed/ranks.h"

#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <unistd.h>

#include <algorithm>
#include <exception>

#include "core/base/error.h"
#include "training/distributed/heartbeat.h"

namespace imprint::training {
namespace {

using namespace std::chrono_literals;

// One rank may keep the others waiting for as long as it likes (it evaluates, it writes a state): who is gone is for the
// heartbeat to say.
constexpr std::chrono::milliseconds kPatience = 24h * 7;
constexpr std::chrono::milliseconds kLook = 500ms;

std::string name_of(int rank)
{
    char host[64] = {};
    ::gethostname(host, sizeof host - 1);
    return "rank " + std::to_string(rank) + " (process " + std::to_string(::getpid()) + " on " + host + ")";
}

std::string name_key(int rank) { return "name/" + std::to_string(rank); }

c10::intrusive_ptr<c10d::Store> open_store(const Launch& launch, std::chrono::seconds join)
{
    c10d::TCPStoreOptions options;
    options.port = launch.port;
    options.isServer = launch.rank == 0 && !launch.store_runs;
    options.waitWorkers = false;
    options.timeout = join;
    try {
        return c10::make_intrusive<c10d::PrefixStore>("imprint/" + launch.attempt,
                                                      c10::make_intrusive<c10d::TCPStore>(launch.host, options));
    } catch (const std::exception& error) {
        throw Error(ErrorKind::NotFound, launch.host + ":" + std::to_string(launch.port),
                    std::string("the ranks' store cannot be ") + (options.isServer ? "started (" : "reached (") + error.what()
                        + ")",
                    "Look at MASTER_ADDR and MASTER_PORT, and that rank 0 runs");
    }
}

std::shared_ptr<gloo::transport::Device> gloo_device(const Launch& launch)
{
    using c10d::ProcessGroupGloo;
    if (const auto interface = process_environment("GLOO_SOCKET_IFNAME"))
        return ProcessGroupGloo::createDeviceForInterface(*interface);
    if (launch.host == "localhost" || launch.host == "127.0.0.1")
        return ProcessGroupGloo::createDeviceForHostname(launch.host);
    return ProcessGroupGloo::createDefaultDevice();
}

c10::intrusive_ptr<c10d::Backend> open_backend(const c10::intrusive_ptr<c10d::Store>& store, const Launch& launch,
                                               at::Device device)
{
    if (device.is_cuda()) {
#ifdef USE_C10D_NCCL
        auto options = c10d::ProcessGroupNCCL::Options::create();
        options->timeout = kPatience;
        return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store), launch.rank,
                                                           launch.world, options);
#endif
    }
    if (!device.is_cpu())
        throw Error(ErrorKind::Unsupported, device.str(), "this build cannot train on it with several ranks",
                    "Build with IMPRINT_CUDA, or train on the CPU");
    auto options = c10d::ProcessGroupGloo::Options::create(kPatience);
    options->devices.push_back(gloo_device(launch));
    return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store), launch.rank,
                                                       launch.world, options);
}

}  // namespace

struct Ranks::Group {
    c10::intrusive_ptr<c10d::Store> store;
    std::unique_ptr<Heartbeat> heartbeat;
    c10::intrusive_ptr<c10d::Backend> backend;
    at::Device device = at::kCPU;
    bool holds_store = false;
    bool broken = false;  // a call failed: the backend may have calls under way that never end

    ~Group()
    {
        // Its threads cannot be joined then; they end with the process.
        if (broken)
            backend.release();
    }

    template <typename Call>
    auto guarded(const Call& call) -> decltype(call())
    {
        try {
            return call();
        } catch (const Error&) {
            broken = true;
            throw;
        } catch (const std::exception& error) {
            broken = true;
            heartbeat->explain(error.what());
        }
    }
    void finish(c10d::Work& work)
    {
        guarded([&] {
            while (true) {
                try {
                    work.wait(kLook);
                    return;
                } catch (const std::exception&) {
                    if (work.isCompleted() && !work.isSuccess())
                        throw;
                }
                heartbeat->check();
            }
        });
    }
};

struct Ranks::Sum::Work {
    Group* group;
    c10::intrusive_ptr<c10d::Work> work;
    std::vector<at::Tensor> tensors;
};

Ranks::Ranks() = default;

Ranks::Ranks(const Launch& launch, const RanksOptions& options) : rank_(launch.rank), world_(launch.world)
{
    if (world_ == 1)
        return;
    group_ = std::make_unique<Group>();
    group_->store = open_store(launch, options.join);
    group_->device = options.device;
    group_->holds_store = launch.rank == 0 && !launch.store_runs;
    c10d::Store& store = *group_->store;
    Heartbeat::first_beat(store, rank_);
    store.set(name_key(rank_), name_of(rank_));
    std::vector<std::string> keys, names, missing;
    for (int rank = 0; rank < world_; ++rank)
        keys.push_back(name_key(rank));
    try {
        store.wait(keys, options.join);
    } catch (const std::exception&) {
        for (int rank = 0; rank < world_; ++rank)
            if (!store.check({name_key(rank)}))
                missing.push_back(std::to_string(rank));
    }
    if (!missing.empty()) {
        std::string list = missing.front();
        for (size_t i = 1; i < missing.size(); ++i)
            list += ", " + missing[i];
        throw Error(ErrorKind::NotFound, "of " + std::to_string(world_) + " ranks",
                    list + " did not come within " + std::to_string(options.join.count()) + " s",
                    "Look at what the launcher says of them");
    }
    for (const std::string& key : keys)
        names.push_back(store.get_to_str(key));
    group_->heartbeat = std::make_unique<Heartbeat>(group_->store->clone(), rank_, names, options.silence);
    group_->guarded([&] { group_->backend = open_backend(group_->store, launch, options.device); });
    wait_for_all();
}

Ranks::~Ranks()
{
    if (!group_ || group_->broken)
        return;
    if (std::uncaught_exceptions() > 0) {
        leave("it met an error");
        return;
    }
    try {
        wait_for_all();  // the store and the connections go with the last who needs them
    } catch (const std::exception&) {
        // This rank is done: who is lost now is for the others to say.
    }
}

void Ranks::wait_for_all() const
{
    if (group_)
        begin_sum(at::zeros({1}, at::TensorOptions(group_->device))).wait();
}

std::vector<std::string> Ranks::tell(const std::string& text) const
{
    if (!group_)
        return {text};
    const at::Tensor size = at::full({1}, static_cast<int64_t>(text.size()), at::kLong).to(group_->device);
    const at::Tensor sizes = gather_rows(size, std::vector<int64_t>(static_cast<size_t>(world_), 1)).to(at::kCPU);
    const std::vector<int64_t> counts(sizes.const_data_ptr<int64_t>(), sizes.const_data_ptr<int64_t>() + world_);
    if (*std::max_element(counts.begin(), counts.end()) == 0)
        return std::vector<std::string>(static_cast<size_t>(world_));
    at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
    std::copy(text.begin(), text.end(), bytes.mutable_data_ptr<uint8_t>());
    const at::Tensor all = gather_rows(bytes.to(group_->device), counts).to(at::kCPU);
    std::vector<std::string> texts;
    const auto* next = reinterpret_cast<const char*>(all.const_data_ptr<uint8_t>());
    for (const int64_t count : counts) {
        texts.emplace_back(next, static_cast<size_t>(count));
        next += count;
    }
    return texts;
}

at::Tensor Ranks::gather_rows(const at::Tensor& own, const std::vector<int64_t>& counts) const
{
    if (!group_)
        return own;
    IMPRINT_ASSERT(counts.size() == static_cast<size_t>(world_) && own.size(0) == counts[static_cast<size_t>(rank_)]);
    // Blocks of one size: a block with fewer rows travels with rows that nobody reads.
    const int64_t most = *std::max_element(counts.begin(), counts.end());
    std::vector<int64_t> shape = own.sizes().vec();
    shape[0] = most;
    at::Tensor block = own.size(0) == most ? own.contiguous() : at::zeros(shape, own.options());
    if (own.size(0) != most)
        block.narrow(0, 0, own.size(0)).copy_(own);
    shape[0] = most * world_;
    at::Tensor all = at::empty(shape, own.options());
    group_->guarded([&] {
        auto work = group_->backend->_allgather_base(all, block);
        group_->finish(*work);
    });
    std::vector<at::Tensor> parts;
    for (int rank = 0; rank < world_; ++rank)
        parts.push_back(all.narrow(0, rank * most, counts[static_cast<size_t>(rank)]));
    return at::cat(parts);
}

Ranks::Sum Ranks::begin_sum(const at::Tensor& tensor) const
{
    Sum sum;
    if (!group_)
        return sum;
    IMPRINT_ASSERT(tensor.is_contiguous());
    sum.work_ = std::make_shared<Sum::Work>();
    sum.work_->group = group_.get();
    sum.work_->tensors = {tensor};
    group_->guarded([&] { sum.work_->work = group_->backend->allreduce(sum.work_->tensors); });
    return sum;
}

void Ranks::Sum::wait()
{
    if (!work_)
        return;
    work_->group->finish(*work_->work);
    work_.reset();
}

void Ranks::leave(const std::string& reason) const noexcept
{
    if (!group_ || !group_->heartbeat)
        return;
    group_->broken = true;
    group_->heartbeat->leave(reason, group_->holds_store);
}

}  // namespace imprint::training
