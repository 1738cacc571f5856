// SPDX-License-Identifier: Apache-2.0
// Feeding the decoder, filling batches, and handing files on once their last vector is there.
#include "app/jobs/pipeline.h"

#include <algorithm>

#include "app/jobs/batcher.h"
#include "app/jobs/courtesy.h"
#include "app/jobs/fingerprint.h"

namespace imprint::jobs {

using namespace std::chrono_literals;

Pipeline::Pipeline(media::Decoder& decoder, Encoder& encoder, const std::vector<Candidate>& work, int feeders,
                   const IndexControl& control)
    : decoder_(decoder), encoder_(encoder), intake_(encoder), control_(control), work_(work, control), feeding_(feeders)
{
    for (int i = 0; i < feeders; ++i)
        threads_.emplace_back([this, first = i == 0] { feed(first); });
    threads_.emplace_back([this] { encode(); });
}

Pipeline::~Pipeline()
{
    cancel_.cancel();
    decoded_.close();
    finished_.close();
    threads_.clear();
}

std::optional<JobPtr> Pipeline::next(std::chrono::milliseconds patience)
{
    std::optional<JobPtr> job = finished_.pop(patience);
    if (!job && finished_.drained()) {
        std::scoped_lock lock(failure_mutex_);
        if (failure_)
            std::rethrow_exception(failure_);
    }
    return job;
}

void Pipeline::feed(bool first)
{
    constexpr double kPatience = 30;  // seconds
    lower_priority();
    try {
        while (!cancel_.cancelled()) {
            control_.wait_while_paused(cancel_);
            if (!first)  // one goes on, or nothing would ever be done with
                wait_for_memory(kPatience, cancel_);
            const Candidate* file = work_.take();
            if (!file)
                break;
            decode(*file);
        }
    } catch (...) {
        fail(std::current_exception());
    }
    if (--feeding_ == 0)
        decoded_.finish();
}

void Pipeline::decode(const Candidate& candidate)
{
    const auto job = std::make_shared<FileJob>();
    job->candidate = candidate;
    const std::filesystem::path path = candidate.path;
    try {
        job->probe = decoder_.probe(path, cancel_);
        extract(
            decoder_, path, job->probe, intake_, std::nullopt,
            [&](const index::Moment& moment, Input input) { submit(job, moment, std::move(input)); }, cancel_);
        job->fingerprint = fingerprint_of(path);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Cancelled)
            return;
        // What is missing is the decoder, not this file: every other file would fail the same way and be remembered so.
        if (error.kind() == ErrorKind::NotFound && error.subject() != path.native())
            throw;
        job->failure = error;
        job->given_up = true;
    }
    release(job);
}

void Pipeline::submit(const JobPtr& job, const index::Moment& moment, Input input)
{
    size_t slot = 0;
    {
        std::scoped_lock lock(job->mutex);
        slot = job->moments.size();
        job->moments.push_back(moment);
    }
    ++job->claims;
    control_.wait_while_paused(cancel_);
    const int64_t bytes = input_bytes(input);
    if (!decoded_.push({job, slot, std::move(input)}, bytes))
        throw Error(ErrorKind::Cancelled, "", "stopped on request");
}

void Pipeline::encode()
{
    lower_priority();
    try {
        Batcher batcher(encoder_);
        while (!decoded_.drained() && !cancel_.cancelled()) {
            control_.wait_while_paused(cancel_);
            // A pause in the stream means decoding is the slower side: what waits is then worth a small batch.
            std::optional<DecodedMoment> item = decoded_.pop(batcher.empty() ? 1000ms : 250ms);
            if (!item)
                batcher.flush();
            else if (item->job->given_up)
                release(item->job);
            else
                batcher.add(std::move(item->input),
                            [this, job = item->job, moment = item->moment](auto vector) { deliver(job, moment, vector); });
        }
        if (!cancel_.cancelled())
            batcher.flush();
    } catch (...) {
        fail(std::current_exception());
    }
    finished_.finish();
}

void Pipeline::deliver(const JobPtr& job, size_t moment, std::span<const float> vector)
{
    {
        std::scoped_lock lock(job->mutex);
        const size_t end = (moment + 1) * vector.size();
        if (job->values.size() < end)
            job->values.resize(end);
        std::copy(vector.begin(), vector.end(), job->values.begin() + static_cast<std::ptrdiff_t>(end - vector.size()));
    }
    ++encoded_;
    release(job);
}

void Pipeline::release(const JobPtr& job)
{
    if (--job->claims == 0)
        finished_.push(job);
}

void Pipeline::fail(std::exception_ptr what)
{
    {
        std::scoped_lock lock(failure_mutex_);
        if (!failure_)
            failure_ = what;
    }
    cancel_.cancel();
    decoded_.close();
}

}  // namespace imprint::jobs
