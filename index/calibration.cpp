// SPDX-License-Identifier: Apache-2.0
// Tails, shares and the border of noise.
#include "index/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "core/base/error.h"

namespace imprint::index {
namespace {

std::vector<double> mean_of(const Vectors& vectors)
{
    std::vector<double> mean(static_cast<size_t>(vectors.dim));
    for (int i = 0; i < vectors.count(); ++i)
        for (size_t d = 0; d < mean.size(); ++d)
            mean[d] += vectors.row(i)[d] / static_cast<double>(vectors.count());
    return mean;
}

/// Adds the scatter around `mean`, divided by `total`.
void add_scatter(std::vector<double>& matrix, const Vectors& vectors, const std::vector<double>& mean, int total)
{
    const size_t dim = mean.size();
    std::vector<double> offset(dim);
    for (int i = 0; i < vectors.count(); ++i) {
        for (size_t d = 0; d < dim; ++d)
            offset[d] = vectors.row(i)[d] - mean[d];
        for (size_t a = 0; a < dim; ++a)
            for (size_t b = 0; b <= a; ++b)
                matrix[a * dim + b] += offset[a] * offset[b] / total;
    }
}

/// Solves A x = b by Cholesky's decomposition; A is positive definite, its lower half is given and overwritten.
void solve(std::vector<double>& a, std::vector<double>& b)
{
    const size_t n = b.size();
    for (size_t j = 0; j < n; ++j) {
        for (size_t i = j; i < n; ++i) {
            const double sum = std::inner_product(&a[i * n], &a[i * n] + j, &a[j * n], 0.0);
            a[i * n + j] = i == j ? std::sqrt(a[j * n + j] - sum) : (a[i * n + j] - sum) / a[j * n + j];
        }
        b[j] = (b[j] - std::inner_product(&a[j * n], &a[j * n] + j, b.begin(), 0.0)) / a[j * n + j];
    }
    for (size_t j = n; j-- > 0;) {
        for (size_t i = j + 1; i < n; ++i)
            b[j] -= a[i * n + j] * b[i];
        b[j] /= a[j * n + j];
    }
}

/// Fisher's direction from bank to noise. The scatter is blended with its mean diagonal: samples are fewer than dimensions.
std::vector<double> discriminant(const Vectors& bank, const Vectors& noise)
{
    const std::vector<double> from = mean_of(bank);
    std::vector<double> to = mean_of(noise);
    const size_t dim = from.size();
    std::vector<double> scatter(dim * dim);
    const int total = bank.count() + noise.count();
    add_scatter(scatter, bank, from, total);
    add_scatter(scatter, noise, to, total);
    double trace = 0;
    for (size_t d = 0; d < dim; ++d)
        trace += scatter[d * dim + d];
    for (size_t d = 0; d < dim; ++d) {
        scatter[d * dim + d] += trace / static_cast<double>(dim) + 1e-12;
        to[d] -= from[d];
    }
    solve(scatter, to);
    return to;
}

double along(const std::vector<double>& direction, std::span<const float> vector)
{
    return std::inner_product(direction.begin(), direction.end(), vector.begin(), 0.0);
}

double norm(const std::vector<double>& vector)
{
    return std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
}

Vectors every_second(const Vectors& vectors, int first)
{
    Vectors half{vectors.dim, {}};
    for (int i = first; i < vectors.count(); i += 2)
        half.append(vectors.row(i));
    return half;
}

}  // namespace

const char* band_name(Band band)
{
    switch (band) {
    case Band::Likely:
        return "likely";
    case Band::Maybe:
        return "maybe";
    case Band::Unlikely:
        return "unlikely";
    }
    return "unlikely";
}

double QueryBackground::chance(float calibrated_score, Modality modality) const
{
    const int m = static_cast<int>(modality);
    const double beyond = static_cast<double>(calibrated_score - tail_from[m]);
    if (beyond >= 0)
        return kTail * std::exp(-beyond / tail_excess[m]);
    const double normal = 0.5 * std::erfc(static_cast<double>(calibrated_score) / std::sqrt(2.0));
    return std::max<double>(kTail, normal);
}

std::vector<float> wrong_shares(std::span<const float> scores, std::span<const float> answered, const QueryBackground& background,
                                const int64_t (&moments)[2])
{
    IMPRINT_ASSERT(scores.size() == answered.size());
    std::vector<float> shares(scores.size());
    double unanswered = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
        unanswered += 1 - static_cast<double>(answered[i]);
        double wrong = 0;
        for (const Modality modality : {Modality::Picture, Modality::Sound})
            wrong += static_cast<double>(moments[static_cast<int>(modality)]) * background.chance(scores[i], modality);
        shares[i] = static_cast<float>(std::min(wrong, unanswered) / static_cast<double>(i + 1));
    }
    for (size_t i = shares.size(); i-- > 1;)
        shares[i - 1] = std::min(shares[i - 1], shares[i]);
    return shares;
}

Sense::Sense(const Vectors& bank, const Vectors& noise)
{
    IMPRINT_ASSERT(bank.dim == noise.dim && bank.count() >= 4 && noise.count() >= 16);
    const std::vector<double> direction = discriminant(bank, noise);
    direction_.assign(direction.begin(), direction.end());
    const double length = norm(direction);
    // Where noise and words stand is measured on those that the direction was not made from: each half by the other.
    std::vector<double> noise_places, word_places;
    for (const int half : {0, 1}) {
        const std::vector<double> from_half = discriminant(every_second(bank, half), every_second(noise, half));
        const double scale = length / std::max(norm(from_half), 1e-12);
        for (int i = 1 - half; i < noise.count(); i += 2)
            noise_places.push_back(along(from_half, noise.row(i)) * scale);
        for (int i = 1 - half; i < bank.count(); i += 2)
            word_places.push_back(along(from_half, bank.row(i)) * scale);
    }
    const double mean = std::accumulate(noise_places.begin(), noise_places.end(), 0.0) / static_cast<double>(noise_places.size());
    double squares = 0;
    for (const double place : noise_places)
        squares += (place - mean) * (place - mean) / static_cast<double>(noise_places.size());
    deviation_ = static_cast<float>(std::sqrt(std::max(squares, 1e-12)));
    constexpr float kBelow = 1.9f;  // of noise that is normally distributed, 97 % stands above
    border_ = static_cast<float>(mean) - kBelow * deviation_;
    // An encoder that reads a tenth of all words as noise tells nothing by this: then everything may say something.
    const auto misread = std::count_if(word_places.begin(), word_places.end(), [&](double place) { return place >= border_; });
    if (misread * 10 > static_cast<std::ptrdiff_t>(word_places.size()))
        border_ = std::numeric_limits<float>::max();
}

float Sense::depth(std::span<const float> text) const
{
    IMPRINT_ASSERT(text.size() == direction_.size());
    return (std::inner_product(text.begin(), text.end(), direction_.begin(), 0.0f) - border_) / deviation_;
}

std::vector<std::string> noise_texts(int count)
{
    static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz", kConsonants[] = "bcdfghjklmnpqrstvwxz", kVowels[] = "aeiou";
    std::mt19937 random(20);  // its sequence is fixed by the standard, that of distributions is not
    const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
        std::string text;
        for (int word = 0; word <= i / 2 % 3; ++word) {
            text += word > 0 ? " " : "";
            if (i % 2 == 0) {
                for (size_t left = 3 + below(8); left > 0; --left)
                    text += kLetters[below(26)];
            } else {
                for (size_t left = 2 + below(3); left > 0; --left) {
                    text += kConsonants[below(20)];
                    text += kVowels[below(5)];
                    if (below(3) == 0)
                        text += kConsonants[below(20)];
                }
            }
        }
        texts.push_back(std::move(text));
    }
    return texts;
}

}  // namespace imprint::index
