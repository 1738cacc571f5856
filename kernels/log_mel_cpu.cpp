// SPDX-License-Identifier: Apache-2.0
// The loop of log_mel.
#include "kernels/log_mel_cpu.h"

#include <cmath>
#include <vector>

namespace imprint::kernels {

template <class T>
void mel_frames(const MelShape& shape, const T* spectrum, const int64_t* first, const int64_t* offsets, const float* weights,
                T* result, int64_t first_frame, int64_t last_frame)
{
    std::vector<T> magnitude(static_cast<size_t>(shape.bins));
    for (int64_t frame = first_frame; frame < last_frame; ++frame) {
        const T* bins = spectrum + frame * shape.bins * 2;
        for (int64_t bin = 0; bin < shape.bins; ++bin)
            magnitude[static_cast<size_t>(bin)] =
                std::sqrt(bins[2 * bin] * bins[2 * bin] + bins[2 * bin + 1] * bins[2 * bin + 1]);
        for (int64_t band = 0; band < shape.bands; ++band) {
            T sum = 0;
            for (int64_t i = offsets[band]; i < offsets[band + 1]; ++i)
                sum += weights[i] * magnitude[static_cast<size_t>(first[band] + i - offsets[band])];
            result[frame * shape.bands + band] = std::log(sum + T(1e-6));
        }
    }
}

template void mel_frames<float>(const MelShape&, const float*, const int64_t*, const int64_t*, const float*, float*, int64_t,
                                int64_t);
template void mel_frames<double>(const MelShape&, const double*, const int64_t*, const int64_t*, const float*, double*, int64_t,
                                 int64_t);

}  // namespace imprint::kernels
