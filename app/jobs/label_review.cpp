// SPDX-License-Identifier: Apache-2.0
// The queue, verdicts, and what they tell.
#include "app/jobs/label_review.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace imprint::jobs {
namespace {

/// A moment's place in the order of chance: the same under every model, and whatever else was reviewed.
uint64_t place_by_chance(const LabelRun& run, const LabelledMoment& moment)
{
    const struct {
        int64_t file, modality, start_ms;
    } key{run.files[moment.file].id, static_cast<int64_t>(moment.moment.modality),
          std::llround(moment.moment.start.value_or(0) * 1000)};
    return XXH64(&key, sizeof key, XXH64(run.set.name.data(), run.set.name.size(), 0));
}

double uncertainty(const LabelledMoment& moment)
{
    const auto& all = moment.likeliest;
    return 1 - all[0].second + (all.size() > 1 ? all[1].second : 0);
}

/// Vectors of some of the run's moments, in their order; files that went meanwhile have zeros.
Vectors vectors_of(const Engine& engine, const LabelRun& run, const std::vector<size_t>& moments)
{
    const index::LabelStore store(engine.library_folder(), index::OpenMode::ReadOnly);
    std::map<size_t, index::StoredMoments> files;
    Vectors vectors;
    std::vector<std::span<const float>> rows(moments.size());
    for (size_t i = 0; i < moments.size(); ++i) {
        const LabelledMoment& wanted = run.moments[moments[i]];
        auto found = files.find(wanted.file);
        if (found == files.end())
            found = files.emplace(wanted.file, store.stored(run.files[wanted.file].id)).first;
        const index::StoredMoments& stored = found->second;
        for (size_t m = 0; m < stored.moments.size(); ++m)
            if (stored.moments[m].modality == wanted.moment.modality && stored.moments[m].start == wanted.moment.start) {
                rows[i] = stored.vectors.row(static_cast<int>(m));
                vectors.dim = stored.vectors.dim;
            }
    }
    const std::vector<float> nothing(static_cast<size_t>(vectors.dim));
    for (const auto& row : rows)
        vectors.append(row.empty() ? std::span<const float>(nothing) : row);
    return vectors;
}

std::vector<size_t> uncertain_and_unlike(const Engine& engine, const LabelRun& run, size_t count)
{
    std::vector<size_t> candidates;
    for (size_t i = 0; i < run.moments.size(); ++i)
        if (!run.moments[i].verdict)
            candidates.push_back(i);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](size_t a, size_t b) { return uncertainty(run.moments[a]) > uncertainty(run.moments[b]); });
    candidates.resize(std::min({candidates.size(), std::max(kCandidates, count)}));
    if (candidates.empty())
        return {};
    const Vectors vectors = vectors_of(engine, run, candidates);
    std::vector<double> nearest(candidates.size());  // highest cosine to what was taken; −1: taken itself
    std::vector<size_t> taken;
    while (taken.size() < std::min(count, candidates.size())) {
        size_t best = candidates.size();
        double most = -1;
        for (size_t i = 0; i < candidates.size(); ++i)
            if (const double worth = uncertainty(run.moments[candidates[i]]) * (1 - nearest[i]);
                nearest[i] >= 0 && worth > most) {
                most = worth;
                best = i;
            }
        taken.push_back(candidates[best]);
        nearest[best] = -1;
        const auto chosen = vectors.row(static_cast<int>(best));
        for (size_t i = 0; i < candidates.size(); ++i)
            if (nearest[i] >= 0) {
                const auto row = vectors.row(static_cast<int>(i));
                nearest[i] = std::max(nearest[i], std::min(1.0, std::inner_product(row.begin(), row.end(), chosen.begin(), 0.0)));
            }
    }
    return taken;
}

double logit(double probability)
{
    const double p = std::clamp(probability, 1e-6, 1 - 1e-6);
    return std::log(p / (1 - p));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// P(X ≥ k) of n draws with chance p.
double at_least(int k, int n, double p)
{
    double sum = 0;
    for (int i = k; i <= n; ++i)
        sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) + i * std::log(p)
                        + (n - i) * std::log1p(-p));
    return sum;
}

/// Where the growing function reaches `wanted`.
template <typename F>
double reaching(double wanted, const F& f)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; ++i)
        (f((low + high) / 2) < wanted ? low : high) = (low + high) / 2;
    return (low + high) / 2;
}

}  // namespace

std::vector<size_t> order_of_chance(const LabelRun& run)
{
    std::vector<std::pair<uint64_t, size_t>> order;
    for (size_t i = 0; i < run.moments.size(); ++i)
        if (run.moments[i].guess.decided)
            order.emplace_back(place_by_chance(run, run.moments[i]), i);
    std::sort(order.begin(), order.end());
    std::vector<size_t> moments;
    for (const auto& [place, moment] : order)
        moments.push_back(moment);
    return moments;
}

std::vector<ReviewItem> review_queue(const Engine& engine, const LabelRun& run, size_t count)
{
    std::vector<size_t> uncertain = uncertain_and_unlike(engine, run, count);
    std::vector<size_t> drawn;
    for (const size_t moment : order_of_chance(run))
        if (!run.moments[moment].verdict)
            drawn.push_back(moment);
    std::vector<ReviewItem> queue;
    std::vector<bool> queued(run.moments.size());
    size_t next_drawn = 0, next_uncertain = 0;
    while (queue.size() < count && (next_drawn < drawn.size() || next_uncertain < uncertain.size())) {
        // One that is queued as uncertain already has its verdict by the time that its turn by chance comes.
        const bool by_chance = (queue.size() % 3 == 2 || next_uncertain == uncertain.size()) && next_drawn < drawn.size();
        const size_t moment = by_chance ? drawn[next_drawn++] : uncertain[next_uncertain++];
        if (!queued[moment])
            queue.push_back({moment, by_chance});
        queued[moment] = true;
    }
    return queue;
}

index::Review verdict_on(const LabelRun& run, const ReviewItem& item, int verdict)
{
    IMPRINT_ASSERT(verdict >= LabelledMoment::kNone && verdict < static_cast<int>(run.set.classes.size()));
    const LabelledMoment& moment = run.moments[item.moment];
    return {run.files[moment.file].id, moment.moment, run.set.name,
            verdict >= 0 ? run.set.classes[static_cast<size_t>(verdict)].name : std::string(), item.drawn};
}

void review(const Engine& engine, LabelRun& run, const ReviewItem& item, std::optional<int> verdict)
{
    const index::Review kept = verdict_on(run, item, verdict.value_or(LabelledMoment::kNone));
    index::LabelStore store(engine.library_folder(), index::OpenMode::ReadWrite);
    if (verdict)
        store.put_review(kept);
    else
        store.drop_review(kept);
    run.moments[item.moment].verdict = verdict;
    run.moments[item.moment].drawn = verdict && item.drawn;
}

Estimate estimated_share(int right, int of)
{
    IMPRINT_ASSERT(of > 0 && right >= 0 && right <= of);
    constexpr double kTail = 0.025;
    Estimate estimate{static_cast<double>(right) / of, 0, 1};
    if (right > 0)
        estimate.low = reaching(kTail, [&](double p) { return at_least(right, of, p); });
    if (right < of)
        estimate.high = reaching(1 - kTail, [&](double p) { return at_least(right + 1, of, p); });
    return estimate;
}

bool is_right(const LabelSet& set, const Guess& guess, int verdict)
{
    if (verdict < 0)
        return verdict == LabelledMoment::kNone && guess.labels.empty();
    return !guess.labels.empty() && set.covers(guess.labels.front(), verdict);
}

ReviewState review_state(const LabelRun& run)
{
    ReviewState state;
    for (const LabelledMoment& moment : run.moments)
        state.reviewed += moment.verdict ? 1 : 0;
    state.calibrated = state.reviewed >= kLeastCalibration;
    // The unbroken beginning of the order of chance is a fair sample, also of what was reviewed as uncertain before its turn; it
    // ends with the last that was drawn, so that its length does not hang on which moments are uncertain.
    int seen = 0, right = 0;
    for (const size_t i : order_of_chance(run)) {
        const LabelledMoment& moment = run.moments[i];
        if (!moment.verdict)
            break;
        ++seen;
        right += is_right(run.set, moment.guess, *moment.verdict) ? 1 : 0;
        if (moment.drawn) {
            state.sample = seen;
            state.sample_right = right;
        }
    }
    if (state.sample >= kLeastSample)
        state.accuracy = estimated_share(state.sample_right, state.sample);
    return state;
}

double Platt::operator()(double probability) const { return sigmoid(slope * logit(probability) + offset); }

Platt fit_platt(const std::vector<double>& probabilities, const std::vector<bool>& right)
{
    IMPRINT_ASSERT(probabilities.size() == right.size() && !right.empty());
    const auto yes = static_cast<double>(std::count(right.begin(), right.end(), true));
    const double no = static_cast<double>(right.size()) - yes;
    const double high = (yes + 1) / (yes + 2), low = 1 / (no + 2);
    const auto loss = [&](const Platt& at) {
        double sum = 0;
        for (size_t i = 0; i < right.size(); ++i) {
            const double t = right[i] ? high : low, x = at.slope * logit(probabilities[i]) + at.offset;
            sum += (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))) - t * x;
        }
        return sum;
    };
    Platt fit{0, std::log((yes + 1) / (no + 1))};
    for (int round = 0; round < 100; ++round) {
        double ga = 0, gb = 0, haa = 1e-9, hab = 0, hbb = 1e-9;
        for (size_t i = 0; i < right.size(); ++i) {
            const double x = logit(probabilities[i]), p = sigmoid(fit.slope * x + fit.offset), w = p * (1 - p);
            const double error = p - (right[i] ? high : low);
            ga += error * x;
            gb += error;
            haa += w * x * x;
            hab += w * x;
            hbb += w;
        }
        const double det = std::max(haa * hbb - hab * hab, 1e-12);
        const double da = -(hbb * ga - hab * gb) / det, db = -(haa * gb - hab * ga) / det;
        double step = 1;
        const double before = loss(fit);
        while (step > 1e-6 && loss({fit.slope + step * da, fit.offset + step * db}) > before)
            step /= 2;
        fit.slope += step * da;
        fit.offset += step * db;
        if (std::abs(step * da) + std::abs(step * db) < 1e-9)
            break;
    }
    if (fit.slope < 0)
        return {0, std::log((yes + 1) / (no + 1))};  // being surer must never count against a guess
    return fit;
}

void calibrate(LabelRun& run)
{
    std::vector<double> probabilities;
    std::vector<bool> right;
    for (const LabelledMoment& moment : run.moments)
        if (moment.verdict) {
            probabilities.push_back(moment.guess.probability);
            right.push_back(is_right(run.set, moment.guess, *moment.verdict));
        }
    if (static_cast<int>(right.size()) < kLeastCalibration)
        return;
    const Platt platt = fit_platt(probabilities, right);
    for (LabelledMoment& moment : run.moments) {
        moment.guess.probability = platt(moment.guess.probability);
        moment.guess.decided = moment.guess.probability >= run.options.confidence;
    }
}

}  // namespace imprint::jobs
