// SPDX-License-Identifier: Apache-2.0
// Loops of layer_norm. Sums run in sixteen interleaved parts, so that the compiler can keep them in vector registers
// without changing their order.
#include "kernels/layer_norm_cpu.h"

#include <algorithm>
#include <cmath>

namespace imprint::kernels {
namespace {

constexpr int64_t kLanes = 16;

#define IMPRINT_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define IMPRINT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define IMPRINT_CLONES
#endif

template <class T, class Term>
IMPRINT_INLINE Sum<T> sum_of(int64_t width, const Term& term)
{
    Sum<T> lanes[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes)
        for (int64_t lane = 0; lane < kLanes; ++lane)
            lanes[lane] += term(i + lane);
    for (int64_t lane = 0; i < width; ++i, ++lane)
        lanes[lane] += term(i);
    Sum<T> sum = 0;
    for (const Sum<T> lane : lanes)
        sum += lane;
    return sum;
}

template <class T>
IMPRINT_INLINE void forward_row(const NormShape& shape, const T* x, const Sum<T>* scale, const Sum<T>* bias, T* result,
                                Sum<T>& mean, Sum<T>& inverse)
{
    const auto width = static_cast<Sum<T>>(shape.width);
    const Sum<T> centre = sum_of<T>(shape.width, [x](int64_t i) { return static_cast<Sum<T>>(x[i]); }) / width;
    const Sum<T> variance = sum_of<T>(shape.width,
                                      [x, centre](int64_t i) {
                                          const Sum<T> distance = static_cast<Sum<T>>(x[i]) - centre;
                                          return distance * distance;
                                      })
        / width;
    const Sum<T> factor = 1 / std::sqrt(variance + static_cast<Sum<T>>(shape.epsilon));
    for (int64_t i = 0; i < shape.width; ++i)
        result[i] = static_cast<T>((static_cast<Sum<T>>(x[i]) - centre) * factor * scale[i] + (bias ? bias[i] : 0));
    mean = centre;
    inverse = factor;
}

template <class T>
IMPRINT_INLINE void backward_row(const NormShape& shape, const T* grad, const T* x, const Sum<T>* scale, Sum<T> mean,
                                 Sum<T> inverse, T* gradient)
{
    const auto width = static_cast<Sum<T>>(shape.width);
    const auto slope = [=](int64_t i) { return static_cast<Sum<T>>(grad[i]) * scale[i]; };
    const auto normed = [=](int64_t i) { return (static_cast<Sum<T>>(x[i]) - mean) * inverse; };
    const Sum<T> along = sum_of<T>(shape.width, slope) / width;
    const Sum<T> across = sum_of<T>(shape.width, [=](int64_t i) { return slope(i) * normed(i); }) / width;
    for (int64_t i = 0; i < shape.width; ++i)
        gradient[i] = static_cast<T>(inverse * (slope(i) - along - normed(i) * across));
}

template <class T>
IMPRINT_INLINE void add_parameters(const NormShape& shape, const T* grad, const T* x, Sum<T> mean, Sum<T> inverse, Sum<T>* sums)
{
    for (int64_t i = 0; i < shape.width; ++i) {
        const auto slope = static_cast<Sum<T>>(grad[i]);
        sums[i] += slope * (static_cast<Sum<T>>(x[i]) - mean) * inverse;
        sums[shape.width + i] += slope;
    }
}

// target_clones does not take templates: one plain function a type.
#define IMPRINT_BODIES(T)                                                                                                        \
    IMPRINT_CLONES void forward_rows(const NormShape& shape, const T* x, const Sum<T>* scale, const Sum<T>* bias, T* result,     \
                                     Sum<T>* means, Sum<T>* inverses, int64_t first, int64_t last)                               \
    {                                                                                                                            \
        for (int64_t row = first; row < last; ++row)                                                                             \
            forward_row<T>(shape, x + row * shape.width, scale, bias, result + row * shape.width, means[row], inverses[row]);    \
    }                                                                                                                            \
    IMPRINT_CLONES void backward_rows(const NormShape& shape, const T* grad, const T* x, const Sum<T>* scale,                    \
                                      const Sum<T>* means, const Sum<T>* inverses, T* gradient, int64_t first, int64_t last)     \
    {                                                                                                                            \
        for (int64_t row = first; row < last; ++row)                                                                             \
            backward_row<T>(shape, grad + row * shape.width, x + row * shape.width, scale, means[row], inverses[row],            \
                            gradient + row * shape.width);                                                                       \
    }                                                                                                                            \
    IMPRINT_CLONES void parameter_rows(const NormShape& shape, const T* grad, const T* x, const Sum<T>* means,                   \
                                       const Sum<T>* inverses, Sum<T>* sums, int64_t first, int64_t last)                        \
    {                                                                                                                            \
        for (int64_t row = first; row < last; ++row)                                                                             \
            add_parameters<T>(shape, grad + row * shape.width, x + row * shape.width, means[row], inverses[row], sums);          \
    }
IMPRINT_BODIES(float)
IMPRINT_BODIES(double)
IMPRINT_BODIES(c10::BFloat16)

}  // namespace

template <class T>
void layer_norm_rows(const NormShape& shape, const T* x, const Sum<T>* scale, const Sum<T>* bias, T* result, Sum<T>* means,
                     Sum<T>* inverses, int64_t first, int64_t last)
{
    forward_rows(shape, x, scale, bias, result, means, inverses, first, last);
}

template <class T>
void layer_norm_backward_rows(const NormShape& shape, const T* grad, const T* x, const Sum<T>* scale, const Sum<T>* means,
                              const Sum<T>* inverses, T* gradient, int64_t first, int64_t last)
{
    backward_rows(shape, grad, x, scale, means, inverses, gradient, first, last);
}

template <class T>
void layer_norm_parameter_sums(const NormShape& shape, const T* grad, const T* x, const Sum<T>* means, const Sum<T>* inverses,
                               Sum<T>* sums, int64_t chunk)
{
    std::fill_n(sums, 2 * shape.width, Sum<T>(0));
    parameter_rows(shape, grad, x, means, inverses, sums, chunk * kNormChunk, std::min(shape.rows, (chunk + 1) * kNormChunk));
}

#define IMPRINT_INSTANTIATE(T)                                                                                                   \
    template void layer_norm_rows<T>(const NormShape&, const T*, const Sum<T>*, const Sum<T>*, T*, Sum<T>*, Sum<T>*, int64_t,    \
                                     int64_t);                                                                                   \
    template void layer_norm_backward_rows<T>(const NormShape&, const T*, const T*, const Sum<T>*, const Sum<T>*, const Sum<T>*, \
                                              T*, int64_t, int64_t);                                                             \
    template void layer_norm_parameter_sums<T>(const NormShape&, const T*, const T*, const Sum<T>*, const Sum<T>*, Sum<T>*,      \
                                               int64_t);
IMPRINT_INSTANTIATE(float)
IMPRINT_INSTANTIATE(double)
IMPRINT_INSTANTIATE(c10::BFloat16)

}  // namespace imprint::kernels
