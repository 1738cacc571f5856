// SPDX-License-Identifier: Apache-2.0
// CUDA kernels of routing: softmax by tiles of tokens, a bitonic sort of each expert's column, and the way back.
#include "kernels/routing_cuda.h"

#include "kernels/cuda_common.cuh"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 128;
constexpr int kTile = 8192;     // values of a tile in shared memory: 32 KiB
constexpr int kLongest = 4096;  // tokens that a block can sort in shared memory

/// Tokens a tile holds. A row's odd stride keeps the threads, one a token, on different banks.
__host__ __device__ inline int tile_tokens(int64_t experts, int values)
{
    const int64_t fit = values / (experts | 1);
    return static_cast<int>(fit < kThreads ? fit : kThreads) & (fit >= 4 ? ~3 : ~0);
}

/// Copies `count` tokens' rows, which lie side by side, into the tile.
__device__ void load_tile(const float* from, float* tile, int64_t count, int64_t experts)
{
    const int64_t all = count * experts, stride = experts | 1;
    const bool packed = all % 4 == 0 && reinterpret_cast<uintptr_t>(from) % 16 == 0;
    if (!packed) {
        for (int64_t i = threadIdx.x; i < all; i += blockDim.x)
            tile[i / experts * stride + i % experts] = from[i];
        return;
    }
    for (int64_t i = 4 * static_cast<int64_t>(threadIdx.x); i < all; i += 4 * static_cast<int64_t>(blockDim.x)) {
        const auto pack = load<true>(from + i);
        for (int j = 0; j < 4; ++j)
            tile[(i + j) / experts * stride + (i + j) % experts] = pack.values[j];
    }
}

/// Turns one token's logits into probabilities in place; returns their logsumexp.
__device__ float softmax_row(float* row, int64_t experts)
{
    float high = row[0];
    for (int64_t expert = 1; expert < experts; ++expert)
        high = row[expert] > high ? row[expert] : high;
    float sum = 0;
    for (int64_t expert = 0; expert < experts; ++expert)
        sum += row[expert] = expf(row[expert] - high);
    for (int64_t expert = 0; expert < experts; ++expert)
        row[expert] /= sum;
    return high + logf(sum);
}

__global__ void softmax_by_expert(RoutingShape shape, int64_t items, const float* logits, float* probabilities, float* log_sums)
{
    __shared__ float tile[kTile];
    const int per_tile = tile_tokens(shape.experts, kTile);
    const int64_t first = static_cast<int64_t>(blockIdx.x) * per_tile;
    const int64_t count = items - first < per_tile ? items - first : per_tile;
    load_tile(logits + first * shape.experts, tile, count, shape.experts);
    __syncthreads();
    if (threadIdx.x >= count)
        return;
    float* row = tile + threadIdx.x * (shape.experts | 1);
    const int64_t item = first + threadIdx.x, group = item / shape.tokens, token = item % shape.tokens;
    log_sums[item] = softmax_row(row, shape.experts);
    for (int64_t expert = 0; expert < shape.experts; ++expert)
        probabilities[(group * shape.experts + expert) * shape.tokens + token] = row[expert];
}

/// Rises as the probability falls, then with the index; a NaN comes first. Probabilities are never negative, so their bits
/// are in order.
__device__ inline uint64_t falling_key(float probability, int64_t token)
{
    unsigned bits;
    memcpy(&bits, &probability, sizeof(bits));
    if (probability != probability)
        bits = 0x7fffffffu;
    return (static_cast<uint64_t>(~bits) << 32) | static_cast<uint64_t>(token);
}

/// One block a column: values [columns, tokens] → the first `capacity` tokens in falling order.
template <int Size>
__global__ void sort_columns(int64_t tokens, int64_t capacity, const float* values, int64_t* slots, float* gates)
{
    __shared__ uint64_t keys[Size];
    const float* column = values + static_cast<int64_t>(blockIdx.x) * tokens;
    int length = 2;
    while (length < tokens)
        length *= 2;
    for (int i = threadIdx.x; i < length; i += blockDim.x)
        keys[i] = i < tokens ? falling_key(column[i], i) : ~uint64_t(0);
    __syncthreads();
    for (int run = 2; run <= length; run *= 2)
        for (int step = run / 2; step > 0; step /= 2) {
            for (int i = threadIdx.x; i < length / 2; i += blockDim.x) {
                const int low = i / step * 2 * step + i % step, high = low + step;
                const bool rising = (low & run) == 0;
                const uint64_t a = keys[low], b = keys[high];
                if ((a > b) == rising) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
            __syncthreads();
        }
    for (int64_t slot = threadIdx.x; slot < capacity; slot += blockDim.x) {
        const int64_t token = static_cast<int64_t>(keys[slot] & 0xffffffffu);
        slots[blockIdx.x * capacity + slot] = token;
        if (gates)
            gates[blockIdx.x * capacity + slot] = column[token];
    }
}

/// For columns too long to sort in shared memory: a token's place is the number of tokens before it.
__global__ void rank_columns(int64_t tokens, int64_t capacity, int64_t blocks_a_column, const float* values, int64_t* slots,
                             float* gates)
{
    __shared__ uint64_t keys[kThreads];
    const int64_t index = blockIdx.x / blocks_a_column;
    const float* column = values + index * tokens;
    const int64_t token = blockIdx.x % blocks_a_column * kThreads + threadIdx.x;
    const uint64_t mine = token < tokens ? falling_key(column[token], token) : ~uint64_t(0);
    int64_t before = 0;
    for (int64_t first = 0; first < tokens; first += kThreads) {
        const int64_t other = first + threadIdx.x;
        keys[threadIdx.x] = other < tokens ? falling_key(column[other], other) : ~uint64_t(0);
        __syncthreads();
        for (int i = 0; i < kThreads; ++i)
            before += keys[i] < mine;
        __syncthreads();
    }
    if (token >= tokens || before >= capacity)
        return;
    slots[index * capacity + before] = token;
    if (gates)
        gates[index * capacity + before] = column[token];
}

cudaError_t choose(int64_t columns, int64_t tokens, int64_t capacity, const float* values, int64_t* slots, float* gates,
                   cudaStream_t stream)
{
    if (columns == 0 || capacity == 0)
        return cudaSuccess;
    if (tokens <= 256)
        return launch(sort_columns<256>, columns, kThreads, stream, tokens, capacity, values, slots, gates);
    if (tokens <= 1024)
        return launch(sort_columns<1024>, columns, 256, stream, tokens, capacity, values, slots, gates);
    if (tokens <= kLongest)
        return launch(sort_columns<kLongest>, columns, 512, stream, tokens, capacity, values, slots, gates);
    const int64_t blocks = divide_up(tokens, kThreads);
    return launch(rank_columns, columns * blocks, kThreads, stream, tokens, capacity, blocks, values, slots, gates);
}

cudaError_t softmax(const RoutingShape& shape, int64_t groups, const float* logits, float* probabilities, float* log_sums,
                    cudaStream_t stream)
{
    const int64_t items = groups * shape.tokens;
    return launch(softmax_by_expert, divide_up(items, tile_tokens(shape.experts, kTile)), kThreads, stream, shape, items, logits,
                  probabilities, log_sums);
}

/// One thread a token: its `choices` best experts, ties to the lower index.
__global__ void choose_experts(RoutingShape shape, int64_t items, int64_t choices, const float* probabilities, int32_t* chosen,
                               float* best)
{
    const int64_t item = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (item >= items)
        return;
    const int64_t group = item / shape.tokens, token = item % shape.tokens;
    const float* column = probabilities + group * shape.experts * shape.tokens + token;
    uint64_t last = 0;
    for (int64_t rank = 0; rank < choices; ++rank) {
        uint64_t next = ~uint64_t(0);
        for (int64_t expert = 0; expert < shape.experts; ++expert) {
            const uint64_t key = falling_key(column[expert * shape.tokens], expert);
            if ((rank == 0 || key > last) && key < next)
                next = key;
        }
        const int64_t expert = static_cast<int64_t>(next & 0xffffffffu);
        chosen[(group * choices + rank) * shape.tokens + token] = static_cast<int32_t>(expert);
        if (rank == 0 && best)
            best[item] = column[expert * shape.tokens];
        last = next;
    }
}

/// One warp an expert: walks the claims in order and counts those before each.
__global__ void fill_slots(RoutingShape shape, int64_t choices, const float* probabilities, const int32_t* chosen,
                           const int64_t* order, int64_t* slots, float* gates, int64_t* claims)
{
    const int64_t group = blockIdx.x / shape.experts, expert = blockIdx.x % shape.experts;
    const float* column = probabilities + static_cast<int64_t>(blockIdx.x) * shape.tokens;
    int64_t* own_slots = slots + static_cast<int64_t>(blockIdx.x) * shape.capacity;
    float* own_gates = gates + static_cast<int64_t>(blockIdx.x) * shape.capacity;
    const unsigned lane = threadIdx.x;
    int64_t count = 0;
    for (int64_t rank = 0; rank < choices; ++rank)
        for (int64_t first = 0; first < shape.tokens; first += kWarp) {
            const int64_t place = first + lane;
            const int64_t token = place < shape.tokens ? (order ? order[group * shape.tokens + place] : place) : 0;
            const bool claims_it = place < shape.tokens && chosen[(group * choices + rank) * shape.tokens + token] == expert;
            const unsigned claimants = __ballot_sync(kAllLanes, claims_it);
            const int64_t slot = count + __popc(claimants & ((1u << lane) - 1));
            if (claims_it && slot < shape.capacity) {
                own_slots[slot] = token;
                own_gates[slot] = column[token];
            }
            count += __popc(claimants);
        }
    for (int64_t slot = count + lane; slot < shape.capacity; slot += kWarp) {
        own_slots[slot] = -1;
        own_gates[slot] = 0;
    }
    if (lane == 0)
        claims[blockIdx.x] = count;
}

/// Every (token, expert) has one slot at most, so no two threads write one place.
__global__ void scatter_gradients(RoutingShape shape, int64_t all, const float* grad_gates, const int64_t* slots, float* gradient)
{
    const int64_t place = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (place >= all)
        return;
    const int64_t token = slots[place], expert = place / shape.capacity % shape.experts;
    const int64_t group = place / shape.capacity / shape.experts;
    if (token >= 0 && token < shape.tokens)
        gradient[(group * shape.tokens + token) * shape.experts + expert] = grad_gates[place];
}

__global__ void softmax_backward(RoutingShape shape, int64_t items, const float* logits, const float* grad_log_sums,
                                 float* gradient)
{
    __shared__ float probabilities[kTile / 2];
    __shared__ float gradients[kTile / 2];
    const int per_tile = tile_tokens(shape.experts, kTile / 2);
    const int64_t first = static_cast<int64_t>(blockIdx.x) * per_tile, stride = shape.experts | 1;
    const int64_t count = items - first < per_tile ? items - first : per_tile;
    load_tile(logits + first * shape.experts, probabilities, count, shape.experts);
    load_tile(gradient + first * shape.experts, gradients, count, shape.experts);
    __syncthreads();
    if (threadIdx.x < count) {
        float* p = probabilities + threadIdx.x * stride;
        float* g = gradients + threadIdx.x * stride;
        softmax_row(p, shape.experts);
        float mean = 0;
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            mean += g[expert] * p[expert];
        const float through_sum = grad_log_sums[first + threadIdx.x];
        for (int64_t expert = 0; expert < shape.experts; ++expert)
            g[expert] = p[expert] * (g[expert] - mean + through_sum);
    }
    __syncthreads();
    for (int64_t i = threadIdx.x; i < count * shape.experts; i += blockDim.x)
        gradient[first * shape.experts + i] = gradients[i / shape.experts * stride + i % shape.experts];
}

}  // namespace

cudaError_t experts_choose(const RoutingShape& shape, int64_t groups, const float* logits, float* probabilities, int64_t* slots,
                           float* gates, float* log_sums, cudaStream_t stream)
{
    IMPRINT_CUDA_TRY(softmax(shape, groups, logits, probabilities, log_sums, stream));
    return choose(groups * shape.experts, shape.tokens, shape.capacity, probabilities, slots, gates, stream);
}

cudaError_t tokens_choose(const RoutingShape& shape, int64_t groups, int64_t choices, const float* logits,
                          const TokensScratch& scratch, int64_t* slots, float* gates, float* log_sums, int64_t* claims,
                          cudaStream_t stream)
{
    const int64_t items = groups * shape.tokens;
    IMPRINT_CUDA_TRY(softmax(shape, groups, logits, scratch.probabilities, log_sums, stream));
    IMPRINT_CUDA_TRY(launch(choose_experts, divide_up(items, kThreads), kThreads, stream, shape, items, choices,
                            scratch.probabilities, scratch.chosen, scratch.best));
    if (scratch.order)
        IMPRINT_CUDA_TRY(choose(groups, shape.tokens, shape.tokens, scratch.best, scratch.order, nullptr, stream));
    return launch(fill_slots, groups * shape.experts, kWarp, stream, shape, choices, scratch.probabilities, scratch.chosen,
                  scratch.order, slots, gates, claims);
}

cudaError_t route_backward(const RoutingShape& shape, int64_t groups, const float* grad_gates, const float* grad_log_sums,
                           const float* logits, const int64_t* slots, float* gradient, cudaStream_t stream)
{
    const int64_t items = groups * shape.tokens, all = groups * shape.experts * shape.capacity;
    if (items == 0)
        return cudaSuccess;
    IMPRINT_CUDA_TRY(cudaMemsetAsync(gradient, 0, static_cast<size_t>(items * shape.experts) * sizeof(float), stream));
    IMPRINT_CUDA_TRY(
        launch(scatter_gradients, divide_up(all, kThreads), kThreads, stream, shape, all, grad_gates, slots, gradient));
    return launch(softmax_backward, divide_up(items, tile_tokens(shape.experts, kTile / 2)), kThreads, stream, shape, items,
                  logits, grad_log_sums, gradient);
}

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
