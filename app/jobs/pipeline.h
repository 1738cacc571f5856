// SPDX-License-Identifier: Apache-2.0
// The stages between the scan and the catalog: decoding threads → one encoding thread → whoever asks for finished files.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "app/jobs/bounded_queue.h"
#include "app/jobs/extract.h"
#include "app/jobs/scan.h"
#include "app/jobs/work_list.h"

namespace imprint::jobs {

/// One file on its way. Its decoding thread adds moments, the encoding thread their vectors; whoever drops the last claim
/// sends it on, and from then on it belongs to the taker alone.
struct FileJob {
    Candidate candidate;
    media::Probe probe;
    std::optional<index::Fingerprint> fingerprint;  ///< of a file that could be read
    std::optional<Error> failure;  ///< why the file could not be read

    std::mutex mutex;  ///< guards the two below
    std::vector<index::Moment> moments;
    std::vector<float> values;  ///< moments × dim

    std::atomic<int64_t> claims{1};
    std::atomic<bool> given_up{false};
};
using JobPtr = std::shared_ptr<FileJob>;

/// Threads and queues of our own rather than oneTBB's pipeline: its tokens are counted where ours are weighed in bytes, and
/// its workers must not wait, while ours mostly wait for child processes.
///
/// Memory is bounded by the queues, whatever the number and length of the files. Made and asked by one thread; joins its
/// own threads when it goes, dropping what is under way.
class Pipeline {
public:
    /// `work` must outlive the pipeline. `feeders`: decoding threads, one for each worker of `decoder`. All threads give way
    /// to others (courtesy.h).
    Pipeline(media::Decoder& decoder, Encoder& encoder, const std::vector<Candidate>& work, int feeders,
             const IndexControl& control);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// The next finished file, or nothing when none came in time. Rethrows what ended the encoding thread.
    std::optional<JobPtr> next(std::chrono::milliseconds patience);
    /// True when every file was handed out.
    bool drained() const { return finished_.drained(); }
    /// Moments encoded so far, those of files still under way included.
    int64_t encoded() const { return encoded_; }

private:
    struct DecodedMoment {
        JobPtr job;
        size_t moment = 0;
        Input input;
    };

    void feed(bool first);
    void decode(const Candidate& candidate);
    void submit(const JobPtr& job, const index::Moment& moment, Input input);
    void encode();
    void deliver(const JobPtr& job, size_t moment, std::span<const float> vector);
    void release(const JobPtr& job);
    void fail(std::exception_ptr what);

    static constexpr int64_t kDecodedBytes = 96 << 20;  // decoded moments that wait for the encoder
    static constexpr int64_t kFinishedFiles = 64;       // encoded files that wait for the catalog

    media::Decoder& decoder_;
    Encoder& encoder_;
    const Intake intake_;
    const IndexControl control_;
    WorkList work_;
    CancelToken cancel_;
    std::atomic<int> feeding_{0};
    std::atomic<int64_t> encoded_{0};
    BoundedQueue<DecodedMoment> decoded_{kDecodedBytes};
    BoundedQueue<JobPtr> finished_{kFinishedFiles};
    std::mutex failure_mutex_;
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_;
};

}  // namespace imprint::jobs
