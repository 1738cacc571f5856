// SPDX-License-Identifier: Apache-2.0
// The parent's side of the media door: opens the file, borrows a worker, and believes nothing it says unchecked.
#include "core/media/decoder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/media/shared_memory.h"
#include "core/media/worker_pool.h"

namespace imprint::media
{
namespace
{

namespace wire = protocol;

std::filesystem::path find_worker(const std::filesystem::path& given)
{
    if (!given.empty())
        return given;
    if (const char* named = std::getenv("IMPRINT_DECODE"); named && *named)
        return named;
    std::error_code ignored; // without /proc the plain name below names what is missing
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const auto beside = folder / "imprint-decode";
    const auto in_bin = folder.parent_path() / "bin" / "imprint-decode";
    return !std::filesystem::exists(beside, ignored) && std::filesystem::exists(in_bin, ignored) ? in_bin : beside;
}

Descriptor open_regular(const std::filesystem::path& file)
{
    const std::string& name = file.native();
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    Descriptor descriptor(open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!descriptor) {
        if (errno == ELOOP)
            throw Error(ErrorKind::Unsupported, name, "is a symbolic link, and links are not followed");
        if (errno == ENOENT || errno == ENOTDIR)
            throw Error(ErrorKind::NotFound, name, "does not exist");
        if (errno == ENXIO)
            throw Error(ErrorKind::Unsupported, name, "is not a regular file");
        throw_errno(errno, name, "open the file");
    }
    struct stat status;
    if (fstat(descriptor.get(), &status) != 0)
        throw_errno(errno, name, "read the file's status");
    if (S_ISDIR(status.st_mode))
        throw Error(ErrorKind::Unsupported, name, "is a folder");
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorKind::Unsupported, name, "is not a regular file");
    if (status.st_size == 0)
        throw Error(ErrorKind::Malformed, name, "is empty");
    return descriptor;
}

/// Whatever bytes a worker sends as a reason, people get one line of valid UTF-8.
std::string clean(const char* text, size_t room)
{
    const size_t length = strnlen(text, room);
    std::string out;
    for (size_t i = 0; i < length;) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const size_t want = byte < 0x80 ? 1 : (byte >> 5) == 6 ? 2 : (byte >> 4) == 14 ? 3 : (byte >> 3) == 30 ? 4 : 0;
        bool good = want > 0 && i + want <= length && !(want == 2 && byte < 0xC2) && byte < 0xF5;
        for (size_t k = 1; good && k < want; ++k)
            good = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
        if (good && want > 2) { // overlong forms and surrogates
            const auto second = static_cast<unsigned char>(text[i + 1]);
            good = !(byte == 0xE0 && second < 0xA0) && !(byte == 0xED && second > 0x9F)
                && !(byte == 0xF0 && second < 0x90) && !(byte == 0xF4 && second > 0x8F);
        }
        if (!good)
            out += '?';
        else if (want == 1 && (byte < 0x20 || byte == 0x7F))
            out += ' ';
        else
            out.append(text + i, want);
        i += good ? want : 1;
    }
    return out;
}

ErrorKind kind_of(wire::Status status)
{
    switch (status) {
    case wire::Status::Unsupported:
        return ErrorKind::Unsupported;
    case wire::Status::Malformed:
        return ErrorKind::Malformed;
    case wire::Status::LimitExceeded:
        return ErrorKind::LimitExceeded;
    case wire::Status::Io:
        return ErrorKind::Io;
    case wire::Status::Ok:
        break;
    }
    return ErrorKind::Crashed;
}

[[noreturn]] void nonsense(const std::string& subject, const char* what)
{
    throw Error(ErrorKind::Crashed, subject, std::string("the decoder answered with ") + what);
}

void check_fit(const Fit& fit)
{
    if (fit.exact.size() > wire::kMaxSizes || (fit.exact.empty() && (fit.max_side < 1 || fit.max_side > 16384)))
        throw Error(
            ErrorKind::Usage, "", "pictures can be fitted to 1 to 32 exact sizes or a longer side of 1 to 16384");
    for (const Size& size : fit.exact)
        if (size.width < 1 || size.height < 1 || size.width > 16384 || size.height > 16384)
            throw Error(ErrorKind::Usage, "", "an exact size must lie between 1 and 16384 pixels a side");
}

bool fits(const Fit& fit, int width, int height)
{
    if (fit.exact.empty())
        return width >= 1 && height >= 1 && std::max(width, height) <= fit.max_side;
    return std::find(fit.exact.begin(), fit.exact.end(), Size{width, height}) != fit.exact.end();
}

} // namespace

class Decoder::Impl
{
public:
    explicit Impl(DecoderOptions options)
        : options_(std::move(options))
        , pool_(find_worker(options_.worker), options_.workers)
    {
    }

    struct Answer {
        wire::Reply reply;
        Descriptor payload;
    };

    void start() { pool_.start(); }

    wire::Request request(wire::Operation operation) const
    {
        wire::Request request = {};
        request.magic = wire::kMagic;
        request.operation = operation;
        request.timeout_seconds = static_cast<uint32_t>(std::clamp(options_.limits.timeout, 1.0, 1e6));
        request.max_pixels = options_.limits.max_pixels;
        request.max_video_pixels = options_.limits.max_video_pixels;
        request.max_memory = options_.limits.max_memory;
        request.max_duration = options_.limits.max_duration;
        return request;
    }

    static void put_fit(wire::Request& request, const Fit& fit)
    {
        check_fit(fit);
        request.max_side = fit.max_side;
        request.size_count = static_cast<uint32_t>(fit.exact.size());
        for (size_t i = 0; i < fit.exact.size(); ++i)
            request.sizes[i] = {fit.exact[i].width, fit.exact[i].height};
    }

    Answer call(const std::filesystem::path& file, const wire::Request& request, const CancelToken& cancel)
    {
        const std::string& name = file.native();
        if (cancel.cancelled())
            throw Error(ErrorKind::Cancelled, name, "stopped on request");
        const Descriptor descriptor = open_regular(file);
        // A worker may have died while idle; that is no fault of this file, so another one serves it. A fresh one that
        // is gone before it took the request ends the loop.
        for (bool fresh = false; !fresh;) {
            WorkerPool::Loan loan = pool_.borrow(name, cancel);
            fresh = loan.worker().served() == 0;
            auto exchange = loan.worker().exchange(request, descriptor.get(), options_.limits.timeout, cancel);
            using Outcome = WorkerProcess::Outcome;
            switch (exchange.outcome) {
            case Outcome::Answered:
                loan.give_back();
                if (exchange.reply.status == wire::Status::Ok)
                    return {exchange.reply, std::move(exchange.payload)};
                throw Error(
                    kind_of(exchange.reply.status), name, clean(exchange.reply.reason, sizeof exchange.reply.reason));
            case Outcome::Retired:
                continue;
            case Outcome::Died:
                throw Error(ErrorKind::Crashed, name, exchange.cause);
            case Outcome::OutOfMemory:
                throw Error(ErrorKind::LimitExceeded, name,
                    "needs more than " + std::to_string(options_.limits.max_memory >> 20) + " MiB of memory to decode");
            case Outcome::TimedOut: {
                char seconds[32];
                std::snprintf(seconds, sizeof seconds, "%g", options_.limits.timeout);
                throw Error(
                    ErrorKind::LimitExceeded, name, std::string("took longer than ") + seconds + " s to decode");
            }
            case Outcome::Cancelled:
                throw Error(ErrorKind::Cancelled, name, "stopped on request");
            }
        }
        throw Error(ErrorKind::Crashed, name, "the decoder ended before it could read the file");
    }

    std::vector<Picture> pictures(const std::filesystem::path& file, Answer answer, const Fit& fit, size_t count)
    {
        const wire::Reply& reply = answer.reply;
        if (reply.picture_count != count || !fits(fit, reply.width, reply.height))
            nonsense(file.native(), "pictures of another number or size");
        const size_t bytes = size_t(reply.width) * size_t(reply.height) * 3;
        auto memory = SharedMemory::map(answer.payload, bytes * count, shared_bytes_);
        if (!memory)
            nonsense(file.native(), "pixels that are not sealed or not of the size it states");
        std::vector<Picture> pictures(count);
        for (size_t i = 0; i < count; ++i) {
            if (!std::isfinite(reply.times[i]))
                nonsense(file.native(), "a time that is no number");
            pictures[i] = {reply.width, reply.height, reply.times[i],
                std::span(static_cast<const uint8_t*>(memory->data()) + i * bytes, bytes), memory};
        }
        return pictures;
    }

    Sound samples(const std::filesystem::path& file, Answer answer, double from, double to)
    {
        const auto most = static_cast<uint64_t>(std::ceil((to - from) * kSampleRate)) + 1;
        Sound sound;
        sound.start = from;
        const uint64_t count = answer.reply.sample_count;
        if (count > most)
            nonsense(file.native(), "more sound than was asked for");
        if (count == 0)
            return sound;
        auto memory = SharedMemory::map(answer.payload, count * sizeof(float), shared_bytes_);
        if (!memory)
            nonsense(file.native(), "samples that are not sealed or not of the number it states");
        const auto* data = static_cast<const float*>(memory->data());
        sound.samples.assign(data, data + count);
        for (float& sample : sound.samples)
            sample = std::isfinite(sample) ? std::clamp(sample, -1.0f, 1.0f) : 0.0f;
        return sound;
    }

    Excerpt excerpt(const std::filesystem::path& file, Answer answer)
    {
        static constexpr const char* kEndings[] = {"mp4", "mkv", "m4a", "mp3", "ogg", "wav", "mka"};
        const wire::Reply& reply = answer.reply;
        Excerpt excerpt;
        excerpt.ending = clean(reply.format, sizeof reply.format);
        excerpt.start = reply.start;
        if (std::find(std::begin(kEndings), std::end(kEndings), excerpt.ending) == std::end(kEndings)
            || !std::isfinite(reply.start) || reply.start < 0)
            nonsense(file.native(), "a clip of another kind");
        auto memory = SharedMemory::map(answer.payload, reply.sample_count, shared_bytes_);
        if (!memory)
            nonsense(file.native(), "a clip that is not sealed or not of the size it states");
        excerpt.bytes = std::span(static_cast<const uint8_t*>(memory->data()), reply.sample_count);
        excerpt.owner = memory;
        return excerpt;
    }

    int64_t shared_bytes() const { return shared_bytes_->load(); }

private:
    const DecoderOptions options_;
    // Outlives the decoder: pictures may be let go of later than it.
    const std::shared_ptr<std::atomic<int64_t>> shared_bytes_ = std::make_shared<std::atomic<int64_t>>(0);
    WorkerPool pool_;
};

Decoder::Decoder(DecoderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options)))
{
}

Decoder::~Decoder() = default;

void Decoder::start() { impl_->start(); }

Probe Decoder::probe(const std::filesystem::path& file, const CancelToken& cancel)
{
    const auto answer = impl_->call(file, impl_->request(wire::Operation::Probe), cancel);
    const wire::Reply& reply = answer.reply;
    if (reply.kind > 2 || reply.width < 0 || reply.height < 0 || !std::isfinite(reply.duration) || reply.duration < 0)
        nonsense(file.native(), "facts that cannot be");
    Probe probe;
    probe.kind = static_cast<Kind>(reply.kind);
    probe.width = reply.width;
    probe.height = reply.height;
    probe.duration = reply.duration;
    probe.has_sound = reply.has_sound != 0;
    probe.format = clean(reply.format, sizeof reply.format);
    if (reply.has_taken_at)
        probe.taken_at = reply.taken_at;
    return probe;
}

Picture Decoder::still(const std::filesystem::path& file, const Fit& fit, const CancelToken& cancel)
{
    wire::Request request = impl_->request(wire::Operation::Still);
    Impl::put_fit(request, fit);
    return impl_->pictures(file, impl_->call(file, request, cancel), fit, 1).front();
}

std::vector<Picture> Decoder::frames(
    const std::filesystem::path& file, std::span<const double> times, const Fit& fit, const CancelToken& cancel)
{
    if (times.size() > wire::kMaxTimes || !std::is_sorted(times.begin(), times.end())
        || !std::all_of(times.begin(), times.end(), [](double time) { return std::isfinite(time); }))
        throw Error(ErrorKind::Usage, file.native(), "at most 256 ascending times can be asked for in one call");
    wire::Request request = impl_->request(wire::Operation::Frames);
    Impl::put_fit(request, fit);
    if (times.empty())
        return {};
    request.time_count = static_cast<uint32_t>(times.size());
    std::copy(times.begin(), times.end(), request.times);
    return impl_->pictures(file, impl_->call(file, request, cancel), fit, times.size());
}

Sound Decoder::sound(const std::filesystem::path& file, double from, double to, const CancelToken& cancel)
{
    if (!(from >= 0) || !std::isfinite(to) || to < from || to - from > wire::kMaxSoundSeconds)
        throw Error(ErrorKind::Usage, file.native(), "sound is read in ranges of 0 to 600 seconds");
    wire::Request request = impl_->request(wire::Operation::Sound);
    request.from = from;
    request.to = to;
    return impl_->samples(file, impl_->call(file, request, cancel), from, to);
}

Excerpt Decoder::excerpt(const std::filesystem::path& file, double from, double to, const CancelToken& cancel)
{
    if (!(from >= 0) || !std::isfinite(to) || to <= from)
        throw Error(ErrorKind::Usage, file.native(), "a clip ends after it starts, and starts at 0 seconds or later");
    wire::Request request = impl_->request(wire::Operation::Excerpt);
    request.from = from;
    request.to = to;
    return impl_->excerpt(file, impl_->call(file, request, cancel));
}

int64_t Decoder::shared_bytes() const
{
    return impl_->shared_bytes();
}

std::string decoder_versions(const std::filesystem::path& worker)
{
    const std::string program = find_worker(worker).native();
    std::string command = "'";
    for (const char c : program)
        command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += "' --version";
    const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "re"), pclose);
    char line[256] = {};
    if (!output || !std::fgets(line, sizeof line, output.get()))
        throw Error(ErrorKind::NotFound, program, "the decoder program is missing",
            "Install Imprint again, or set IMPRINT_DECODE to where it lies");
    return std::string(line, std::strcspn(line, "\n"));
}

} // namespace imprint::media
