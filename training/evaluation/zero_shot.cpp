// SPDX-License-Identifier: Apache-2.0
// Means and cosines.
#include "training/evaluation/zero_shot.h"

#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace imprint::evaluation {
namespace {

double length(std::span<const float> vector)
{
    double square = 0;
    for (const float value : vector)
        square += static_cast<double>(value) * value;
    return std::sqrt(square);
}

}  // namespace

Vectors class_keys(std::span<const Vectors> prompts)
{
    Vectors keys;
    for (const Vectors& texts : prompts) {
        IMPRINT_ASSERT(texts.count() > 0 && (keys.dim == 0 || keys.dim == texts.dim));
        keys.dim = texts.dim;
        std::vector<float> mean(static_cast<size_t>(texts.dim));
        for (int text = 0; text < texts.count(); ++text)
            for (size_t i = 0; i < mean.size(); ++i)
                mean[i] += texts.row(text)[i] / static_cast<float>(texts.count());
        const double size = length(mean) + 1e-6;
        for (float& value : mean)
            value = static_cast<float>(value / size);
        keys.append(mean);
    }
    return keys;
}

Vectors class_keys(Encoder& encoder, const training::TextTemplates& templates, const std::vector<std::string>& classes,
                   const CancelToken& cancel)
{
    std::vector<Vectors> prompts;
    for (const std::string& name : classes) {
        cancel.check();
        prompts.push_back(encoder.encode_texts(templates.all(name)));
    }
    return class_keys(prompts);
}

Scores class_scores(std::span<const Vectors> items, const Vectors& keys)
{
    Scores scores(static_cast<int>(items.size()), keys.count());
    for (int item = 0; item < scores.queries; ++item) {
        const Vectors& clips = items[static_cast<size_t>(item)];
        IMPRINT_ASSERT(clips.dim == keys.dim && clips.count() > 0);
        for (int clip = 0; clip < clips.count(); ++clip) {
            const double size = (length(clips.row(clip)) + 1e-6) * clips.count();
            for (int key = 0; key < keys.count(); ++key) {
                double sum = 0;
                for (size_t i = 0; i < static_cast<size_t>(keys.dim); ++i)
                    sum += static_cast<double>(clips.row(clip)[i]) * keys.row(key)[i];
                scores.row(item)[static_cast<size_t>(key)] += static_cast<float>(sum / size);
            }
        }
    }
    return scores;
}

Accuracy accuracy(const Scores& scores, std::span<const int> labels)
{
    IMPRINT_ASSERT(static_cast<int>(labels.size()) == scores.queries);
    Accuracy result;
    std::vector<double> hits(static_cast<size_t>(scores.items)), counts(hits.size());
    for (int item = 0; item < scores.queries; ++item) {
        const int label = labels[static_cast<size_t>(item)];
        IMPRINT_ASSERT(label >= 0 && label < scores.items);
        const Place place = place_of_best(scores.row(item), {&label, 1});
        result.top1.push_back(hit_probability(place, 1));
        result.top5.push_back(hit_probability(place, 5));
        hits[static_cast<size_t>(label)] += result.top1.back();
        ++counts[static_cast<size_t>(label)];
    }
    for (size_t i = 0; i < hits.size(); ++i)
        result.per_class.push_back(counts[i] > 0 ? hits[i] / counts[i] : std::numeric_limits<double>::quiet_NaN());
    return result;
}

}  // namespace imprint::evaluation
