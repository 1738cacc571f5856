// SPDX-License-Identifier: Apache-2.0
// Reads and hashes.
#include "app/jobs/fingerprint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "core/media/worker_process.h"

namespace imprint::jobs {
namespace {

constexpr int64_t kWhole = 16 << 20, kEnd = 1 << 20, kStretch = 256 << 10, kStretches = 56;

struct FreeHash {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

class Hasher {
public:
    explicit Hasher(int file) : file_(file), state_(XXH3_createState()), buffer_(kStretch) { XXH3_128bits_reset(state_.get()); }

    void add(const void* data, size_t size) { XXH3_128bits_update(state_.get(), data, size); }

    /// False where the file ends or fails before.
    bool add_stretch(int64_t offset, int64_t size)
    {
        while (size > 0) {
            const ssize_t got = ::pread(file_, buffer_.data(), static_cast<size_t>(std::min(size, kStretch)), offset);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                return false;
            add(buffer_.data(), static_cast<size_t>(got));
            offset += got;
            size -= got;
        }
        return true;
    }

    index::Fingerprint digest() const
    {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
        index::Fingerprint fingerprint;
        static_assert(sizeof canonical == sizeof fingerprint);
        std::memcpy(fingerprint.data(), &canonical, sizeof canonical);
        return fingerprint;
    }

private:
    int file_;
    std::unique_ptr<XXH3_state_t, FreeHash> state_;
    std::vector<char> buffer_;
};

}  // namespace

std::optional<index::Fingerprint> fingerprint_of(const std::filesystem::path& file)
{
    const media::Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat facts { };
    if (!descriptor || ::fstat(descriptor.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return std::nullopt;
    const int64_t size = facts.st_size;
    Hasher hasher(descriptor.get());
    hasher.add(&size, sizeof size);
    bool good = true;
    if (size <= kWhole) {
        good = hasher.add_stretch(0, size);
    } else {
        good = hasher.add_stretch(0, kEnd);
        const int64_t between = size - 2 * kEnd - kStretch;
        for (int64_t i = 0; good && i < kStretches; ++i)
            good = hasher.add_stretch(kEnd + between / (kStretches - 1) * i, kStretch);
        good = good && hasher.add_stretch(size - kEnd, kEnd);
    }
    return good ? std::optional(hasher.digest()) : std::nullopt;
}

}  // namespace imprint::jobs
