// SPDX-License-Identifier: Apache-2.0
// Chains are kept in linear space and scaled at every step: no product of probabilities can run dry.
#include "app/jobs/label_posterior.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace imprint::jobs {
namespace {

constexpr double kLeast = 1e-9;    // a state that a moment rules out can still be lived through
constexpr double kTouching = 0.5;  // seconds between neighbours of one span

double middle(const index::Moment& moment) { return (moment.start.value_or(0) + moment.end.value_or(0)) / 2; }

double length(const index::Moment& moment) { return moment.end.value_or(1) - moment.start.value_or(0); }

/// How likely the state stays from moment i to the next.
std::vector<double> stays(const std::vector<index::Moment>& moments, const Vectors& vectors, double memory)
{
    std::vector<double> stays;
    for (int i = 0; i + 1 < vectors.count(); ++i) {
        const double cosine = std::inner_product(vectors.row(i).begin(), vectors.row(i).end(), vectors.row(i + 1).begin(), 0.0);
        const double gap = middle(moments[static_cast<size_t>(i) + 1]) - middle(moments[static_cast<size_t>(i)]);
        stays.push_back(std::pow(std::clamp(cosine, 0.0, 1.0), 4) * std::exp(-std::max(0.0, gap) / memory));
    }
    return stays;
}

void scale(std::vector<double>& values)
{
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    for (double& value : values)
        value /= sum;
}

/// Marginals of the chain; `emitted[i]` sums to 1 and becomes them. Drawn anew means: every state as likely.
void run_chain(std::vector<std::vector<double>>& emitted, const std::vector<double>& stay)
{
    if (emitted.size() < 2)
        return;
    for (auto& row : emitted) {
        for (double& value : row)
            value = std::max(value, kLeast);
        scale(row);
    }
    const auto states = static_cast<double>(emitted.front().size());
    // With equal chances anew, a message m of sum 1 passes on as stay × m + (1 − stay) / states, in both directions.
    const auto passed = [&](const std::vector<double>& message, double stay_here) {
        std::vector<double> next = message;
        for (double& value : next)
            value = stay_here * value + (1 - stay_here) / states;
        return next;
    };
    std::vector<std::vector<double>> forward(emitted.size()), backward(emitted.size());
    forward[0] = std::vector<double>(emitted[0].size(), 1 / states);
    backward.back() = forward[0];
    for (size_t i = 0; i + 1 < emitted.size(); ++i) {
        std::vector<double> message = forward[i];
        for (size_t s = 0; s < message.size(); ++s)
            message[s] *= emitted[i][s];
        scale(message);
        forward[i + 1] = passed(message, stay[i]);
    }
    for (size_t i = emitted.size() - 1; i > 0; --i) {
        std::vector<double> message = backward[i];
        for (size_t s = 0; s < message.size(); ++s)
            message[s] *= emitted[i][s];
        scale(message);
        backward[i - 1] = passed(message, stay[i - 1]);
    }
    for (size_t i = 0; i < emitted.size(); ++i) {
        for (size_t s = 0; s < emitted[i].size(); ++s)
            emitted[i][s] *= forward[i][s] * backward[i][s];
        scale(emitted[i]);
    }
}

double none_of(const std::vector<double>& labels) { return 1 - *std::max_element(labels.begin(), labels.end()); }

/// Adds to every label what its kinds have: their sum, or for several labels the highest.
std::vector<double> with_kinds(const LabelSet& set, const std::vector<double>& own)
{
    std::vector<double> whole(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(set.classes.size()));
    for (size_t i = 0; i < set.classes.size(); ++i)
        for (int above = set.classes[i].parent; above >= 0; above = set.classes[static_cast<size_t>(above)].parent) {
            double& sum = whole[static_cast<size_t>(above)];
            sum = set.several ? std::max(sum, own[i]) : sum + own[i];
        }
    return whole;
}

}  // namespace

std::vector<double> label_probabilities(const LabelSet& set, const std::vector<float>& scores, const LabelOptions& options)
{
    const size_t labels = set.classes.size();
    IMPRINT_ASSERT(labels > 0 && scores.size() == labels + set.none.size());
    const auto rest = scores.begin() + static_cast<std::ptrdiff_t>(labels);
    const float none = std::accumulate(rest, scores.end(), options.none_at, [](float a, float b) { return std::max(a, b); });
    std::vector<double> result(labels + 1);
    if (set.several) {
        for (size_t i = 0; i < labels; ++i)
            result[i] = 1 / (1 + std::exp(-static_cast<double>(options.sharpness * (scores[i] - none))));
        result[labels] = none_of({result.begin(), result.end() - 1});
        return result;
    }
    const float highest = std::max(none, *std::max_element(scores.begin(), rest));
    for (size_t i = 0; i < labels; ++i)
        result[i] = std::exp(static_cast<double>(options.sharpness * (scores[i] - highest)));
    result[labels] = std::exp(static_cast<double>(options.sharpness * (none - highest)));
    scale(result);
    return result;
}

void smooth_labels(const LabelSet& set, const std::vector<index::Moment>& moments, const Vectors& vectors,
                   const LabelOptions& options, std::vector<std::vector<double>>& probabilities)
{
    IMPRINT_ASSERT(moments.size() == probabilities.size() && vectors.count() == static_cast<int>(moments.size()));
    const std::vector<double> stay = stays(moments, vectors, options.memory);
    if (!set.several) {
        run_chain(probabilities, stay);
        return;
    }
    for (size_t label = 0; label < set.classes.size(); ++label) {
        std::vector<std::vector<double>> pair;
        for (const auto& row : probabilities)
            pair.push_back({row[label], 1 - row[label]});
        run_chain(pair, stay);
        for (size_t i = 0; i < pair.size(); ++i)
            probabilities[i][label] = pair[i][0];
    }
    for (auto& row : probabilities)
        row.back() = none_of({row.begin(), row.end() - 1});
}

Guess decide(const LabelSet& set, const std::vector<double>& probabilities, const LabelOptions& options)
{
    const size_t labels = set.classes.size();
    IMPRINT_ASSERT(probabilities.size() == labels + 1);
    const std::vector<double> whole = with_kinds(set, probabilities);
    if (set.several) {
        Guess guess;
        std::vector<int> order(labels);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(),
                         [&](int a, int b) { return whole[static_cast<size_t>(a)] > whole[static_cast<size_t>(b)]; });
        for (const int label : order)
            if (whole[static_cast<size_t>(label)] >= options.confidence)
                guess.labels.push_back(label);
        guess.decided = !guess.labels.empty() || probabilities[labels] >= options.confidence;
        guess.probability = guess.labels.empty() ? probabilities[labels] : whole[static_cast<size_t>(guess.labels.front())];
        if (!guess.decided) {
            guess.labels = {order.front()};
            guess.probability = whole[static_cast<size_t>(order.front())];
        }
        return guess;
    }
    const auto best = static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
    if (best == labels)
        return {{}, probabilities[labels], probabilities[labels] >= options.confidence};
    for (int label = static_cast<int>(best); label >= 0; label = set.classes[static_cast<size_t>(label)].parent)
        if (whole[static_cast<size_t>(label)] >= options.confidence)
            return {{label}, whole[static_cast<size_t>(label)], true};
    return {{static_cast<int>(best)}, whole[best], false};
}

std::vector<LabelSpan> label_spans(const std::vector<index::Moment>& moments, const std::vector<std::vector<int>>& labels,
                                   const std::vector<double>& probabilities)
{
    IMPRINT_ASSERT(moments.size() == labels.size() && moments.size() == probabilities.size());
    std::vector<LabelSpan> spans;
    std::vector<double> weights;
    for (size_t i = 0; i < moments.size(); ++i)
        for (const int label : labels[i]) {
            const auto same =
                std::find_if(spans.rbegin(), spans.rend(), [&](const LabelSpan& span) { return span.label == label; });
            if (same != spans.rend() && moments[i].start && same->moment.end
                && *moments[i].start - *same->moment.end <= kTouching) {
                double& weight = weights[static_cast<size_t>(spans.rend() - same) - 1];
                const double more = length(moments[i]);
                same->probability = (same->probability * weight + probabilities[i] * more) / (weight + more);
                weight += more;
                same->moment.end = std::max(*same->moment.end, *moments[i].end);
                continue;
            }
            spans.push_back({moments[i], label, probabilities[i]});
            weights.push_back(length(moments[i]));
        }
    return spans;
}

}  // namespace imprint::jobs
