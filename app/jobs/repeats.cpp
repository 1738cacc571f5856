// SPDX-License-Identifier: Apache-2.0
// Goertzel's algorithm: a few frequencies of a frame for a few multiplications a sample.
#include "app/jobs/repeats.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/media/media.h"

namespace imprint::jobs {
namespace {

constexpr size_t kFrame = 512;
constexpr double kLowest = 60, kHighest = 7600;  // Hz
constexpr double kFloor = 1e-7;                  // power below which all is silence: −70 dBFS

double mel(double hertz) { return 1127 * std::log1p(hertz / 700); }
double hertz(double mel) { return 700 * std::expm1(mel / 1127); }

double power(std::span<const float> frame, double coefficient)
{
    double before = 0, last = 0;
    for (const float sample : frame) {
        const double now = sample + coefficient * last - before;
        before = last;
        last = now;
    }
    const double half = static_cast<double>(frame.size()) / 2;
    return (last * last + before * before - coefficient * last * before) / (half * half);
}

double mean_difference(const std::array<float, 64>& a, const std::array<float, 64>& b)
{
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i)
        sum += std::abs(a[i] - b[i]);
    return sum / static_cast<double>(a.size());
}

}  // namespace

Timbre listen(std::span<const float> samples)
{
    const size_t frames = samples.size() / kFrame;
    IMPRINT_ASSERT(frames > 0);
    Timbre timbre;
    for (size_t band = 0; band < timbre.level.size(); ++band) {
        const double share = static_cast<double>(band) / static_cast<double>(timbre.level.size() - 1);
        const double frequency = hertz(mel(kLowest) + share * (mel(kHighest) - mel(kLowest)));
        const double coefficient = 2 * std::cos(2 * std::numbers::pi * frequency / media::kSampleRate);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < frames; ++i) {
            const double level = 10 * std::log10(kFloor + power(samples.subspan(i * kFrame, kFrame), coefficient));
            sum += level;
            squares += level * level;
        }
        const double mean = sum / static_cast<double>(frames);
        timbre.level[band] = static_cast<float>(mean);
        timbre.flutter[band] = static_cast<float>(std::sqrt(std::max(0.0, squares / static_cast<double>(frames) - mean * mean)));
    }
    return timbre;
}

bool sounds_the_same(const Timbre& a, const Timbre& b)
{
    return mean_difference(a.level, b.level) < kSameLevel && mean_difference(a.flutter, b.flutter) < kSameLevel;
}

}  // namespace imprint::jobs
