// SPDX-License-Identifier: Apache-2.0
// Batches by shape, bounded in count and in bytes.
#include "app/jobs/batcher.h"

#include <algorithm>

namespace imprint::jobs {
namespace {

constexpr size_t kPicturesPerBatch = 32;
constexpr size_t kSoundsPerBatch = 16;
constexpr int64_t kBytesWaiting = 64 << 20;
constexpr int64_t kOthersFirst = 64;  // inputs of other shapes that may overtake one that waits for companions

template <typename T>
std::vector<T> unpack(std::vector<Input>& inputs)
{
    std::vector<T> values;
    values.reserve(inputs.size());
    for (Input& input : inputs)
        values.push_back(std::move(std::get<T>(input)));
    return values;
}

}  // namespace

void Batcher::add(Input input, Deliver deliver)
{
    Shape shape;
    size_t full = kPicturesPerBatch;
    if (const auto* picture = std::get_if<media::Picture>(&input)) {
        shape = {input.index(), picture->width, picture->height, 1};
    } else if (const auto* clip = std::get_if<Clip>(&input)) {
        IMPRINT_ASSERT(!clip->empty());
        shape = {input.index(), clip->front().width, clip->front().height, clip->size()};
        full = std::max<size_t>(1, kPicturesPerBatch / clip->size());
    } else {
        // Whole seconds are close enough: rests of files would else each wait for a companion that never comes.
        shape = {input.index(), std::get<media::Sound>(input).samples.size() / media::kSampleRate, 0, 0};
        full = kSoundsPerBatch;
    }
    const int64_t bytes = input_bytes(input);
    Batch& batch = waiting_[shape];
    batch.inputs.push_back(std::move(input));
    batch.deliveries.push_back(std::move(deliver));
    batch.bytes += bytes;
    bytes_ += bytes;
    if (batch.inputs.size() == 1)
        batch.since = arrivals_;
    ++arrivals_;
    if (batch.inputs.size() >= full) {
        run(std::move(waiting_.extract(shape).mapped()));
    } else if (bytes_ > kBytesWaiting) {
        const auto heaviest = std::max_element(waiting_.begin(), waiting_.end(),
                                               [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; });
        run(std::move(waiting_.extract(heaviest).mapped()));
    }
    const auto oldest = std::min_element(waiting_.begin(), waiting_.end(),
                                         [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
    if (oldest != waiting_.end() && arrivals_ - oldest->second.since > kOthersFirst)
        run(std::move(waiting_.extract(oldest).mapped()));
}

void Batcher::flush()
{
    while (!waiting_.empty())
        run(std::move(waiting_.extract(waiting_.begin()).mapped()));
}

void Batcher::run(Batch batch)
{
    bytes_ -= batch.bytes;
    Vectors vectors;
    switch (batch.inputs.front().index()) {
    case 0:
        vectors = encoder_.encode_pictures(unpack<media::Picture>(batch.inputs));
        break;
    case 1:
        vectors = encoder_.encode_clips(unpack<Clip>(batch.inputs));
        break;
    default:
        vectors = encoder_.encode_sounds(unpack<media::Sound>(batch.inputs));
        break;
    }
    IMPRINT_ASSERT(vectors.count() == static_cast<int>(batch.deliveries.size()));
    for (int i = 0; i < vectors.count(); ++i)
        batch.deliveries[i](vectors.row(i));
}

}  // namespace imprint::jobs
