// SPDX-License-Identifier: Apache-2.0
// What the oracle's sounds tell past the blocks: by bands, or through convolutions.
#include <algorithm>
#include <cmath>

#include "tests/core/model/oracle.h"

namespace imprint::tests {

Row Oracle::through_stem(const Array& values, int64_t item) const
{
    /// One channel after the other: value(channel, time, frequency).
    struct Map {
        int64_t channels, times, frequencies;
        Row values;
        double& at(int64_t c, int64_t t, int64_t f) { return values[size_t((c * times + t) * frequencies + f)]; }
        double at(int64_t c, int64_t t, int64_t f) const { return values[size_t((c * times + t) * frequencies + f)]; }
    };
    const auto convolved = [&](const Map& in, const std::string& name, int64_t side, int64_t stride) {
        const Array& kernel = get(name + ".kernel");
        Map out{kernel.shape[0], (in.times + stride - 1) / stride, (in.frequencies + stride - 1) / stride, {}};
        out.values.resize(size_t(out.channels * out.times * out.frequencies));
        for (int64_t o = 0; o < out.channels; ++o)
            for (int64_t t = 0; t < out.times; ++t)
                for (int64_t f = 0; f < out.frequencies; ++f)
                    for (int64_t dt = 0; dt < side; ++dt)
                        for (int64_t df = 0; df < side; ++df) {
                            const int64_t time = t * stride + dt - side / 2, frequency = f * stride + df - side / 2;
                            if (time < 0 || frequency < 0 || time >= in.times || frequency >= in.frequencies)
                                continue;
                            for (int64_t c = 0; c < in.channels; ++c)
                                out.at(o, t, f) += in.at(c, time, frequency)
                                    * kernel.values[size_t(((o * side + dt) * side + df) * in.channels + c)];
                        }
        return out;
    };
    const auto normed = [&](Map map, const std::string& name) {
        const Row &mean = get(name + ".batch_mean").values, &deviation = get(name + ".batch_deviation").values;
        for (int64_t c = 0; c < map.channels; ++c)
            for (int64_t i = 0; i < map.times * map.frequencies; ++i) {
                double& value = map.values[size_t(c * map.times * map.frequencies + i)];
                value = (value - mean[size_t(c)]) / deviation[size_t(c)] * get(name + ".scale").values[size_t(c)]
                    + get(name + ".bias").values[size_t(c)];
            }
        return map;
    };
    const auto rectified = [](Map map) {
        for (double& value : map.values)
            value = std::max(value, 0.0);
        return map;
    };
    const int64_t frames = values.shape[1], bands = values.shape[2];
    Map x{1, int64_t{config_.max_sound_patches} * config_.sound_patch, bands, {}};
    for (int64_t t = 0; t < x.times; ++t)
        for (int64_t band = 0; band < bands; ++band) {
            const double level = t < frames ? values.values[size_t((item * frames + t) * bands + band)] : config_.sound_stem_floor;
            x.values.push_back((std::max(level, config_.sound_stem_floor) - get("sound.stem.input.batch_mean").values[size_t(band)])
                               / get("sound.stem.input.batch_deviation").values[size_t(band)]);
        }
    x = rectified(normed(convolved(x, "sound.stem.0", 3, 2), "sound.stem.0.norm"));
    for (size_t i = 1; i < config_.sound_stem_widths.size(); ++i) {
        const std::string name = "sound.stem." + std::to_string(i);
        const Map between = rectified(normed(convolved(x, name + ".first", 3, 2), name + ".first.norm"));
        Map after = normed(convolved(between, name + ".second", 3, 1), name + ".second.norm");
        const Map beside = convolved(x, name + ".beside", 1, 2);
        for (size_t n = 0; n < after.values.size(); ++n)
            after.values[n] += beside.values[n];
        x = rectified(after);
    }
    Row means, tops;
    for (int64_t c = 0; c < x.channels; ++c) {
        double sum = 0, top = -1e300;
        for (int64_t t = 0; t < x.times; ++t) {
            double over_bands = 0;
            for (int64_t f = 0; f < x.frequencies; ++f)
                over_bands += x.at(c, t, f) / double(x.frequencies);
            sum += over_bands;
            top = std::max(top, over_bands);
        }
        means.push_back(sum / double(x.times));
        tops.push_back(top);
    }
    means.insert(means.end(), tops.begin(), tops.end());
    return means;
}

Row Oracle::over_time(const Array& values, int64_t item) const
{
    const int64_t frames = values.shape[1], bands = values.shape[2];
    Row means, deviations, tops, rises;
    for (int64_t band = 0; band < bands; ++band) {
        Row levels;
        for (int64_t t = 0; t < frames; ++t) {
            double level = values.values[size_t((item * frames + t) * bands + band)];
            if (config_.standardise_sound)
                level = (level - get("sound.mel_mean").values[size_t(band)]) / get("sound.mel_deviation").values[size_t(band)];
            levels.push_back(level);
        }
        double sum = 0, squares = 0, rise = 0;
        for (const double level : levels)
            sum += level;
        const double mean = sum / double(frames);
        for (const double level : levels)
            squares += (level - mean) * (level - mean);
        for (size_t t = 1; t < levels.size(); ++t)
            rise += std::max(0.0, levels[t] - levels[t - 1]);
        means.push_back(mean);
        deviations.push_back(std::sqrt(squares / double(frames) + 1e-4));
        tops.push_back(*std::max_element(levels.begin(), levels.end()));
        rises.push_back(rise / double(frames));
    }
    for (const Row* part : {&deviations, &tops, &rises})
        means.insert(means.end(), part->begin(), part->end());
    return means;
}

}  // namespace imprint::tests
