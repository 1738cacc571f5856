// SPDX-License-Identifier: Apache-2.0
// Retrieval figures: see metrics.h.
#include "training/evaluation/metrics.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "core/base/error.h"

namespace imprint::evaluation
{

Place place_of_best(std::span<const float> scores, std::span<const int> relevant)
{
    IMPRINT_ASSERT(!relevant.empty());
    float best = scores[relevant[0]];
    for (const int item : relevant)
        best = std::max(best, scores[item]);
    Place place{0, 0, 0};
    for (const float score : scores) {
        place.better += score > best;
        place.tied += score == best;
    }
    for (const int item : relevant)
        place.tied_relevant += scores[item] == best;
    return place;
}

Place place_by_chance(int items, int relevant)
{
    return {0, items, relevant};
}

double hit_probability(const Place& place, int k)
{
    const int slots = k - place.better;
    if (slots <= 0)
        return 0;
    double miss = 1; // a product of shares, since the binomials themselves overflow
    for (int i = 0; i < slots; ++i) {
        const int others = place.tied - place.tied_relevant - i;
        if (others <= 0)
            return 1;
        miss *= static_cast<double>(others) / (place.tied - i);
    }
    return 1 - miss;
}

double expected_rank(const Place& place)
{
    return place.better + (place.tied + 1.0) / (place.tied_relevant + 1.0);
}

void Outcome::add(const Place& place)
{
    hit1.push_back(hit_probability(place, 1));
    hit5.push_back(hit_probability(place, 5));
    hit10.push_back(hit_probability(place, 10));
    rank.push_back(expected_rank(place));
}

Outcome Outcome::subset(std::span<const int> queries) const
{
    Outcome chosen;
    for (const int query : queries) {
        chosen.hit1.push_back(hit1[query]);
        chosen.hit5.push_back(hit5[query]);
        chosen.hit10.push_back(hit10[query]);
        chosen.rank.push_back(rank[query]);
    }
    return chosen;
}

Outcome rank_all(const Scores& scores, const std::vector<std::vector<int>>& relevant)
{
    IMPRINT_ASSERT(static_cast<int>(relevant.size()) == scores.queries);
    Outcome outcome;
    for (int query = 0; query < scores.queries; ++query)
        outcome.add(place_of_best(scores.row(query), relevant[query]));
    return outcome;
}

Outcome rank_by_chance(int items, const std::vector<std::vector<int>>& relevant)
{
    Outcome outcome;
    for (const auto& answers : relevant)
        outcome.add(place_by_chance(items, static_cast<int>(answers.size())));
    return outcome;
}

double mean(std::span<const double> values)
{
    return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values)
{
    if (values.empty())
        return 0;
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const size_t middle = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

Interval bootstrap(std::span<const double> values, int rounds, uint64_t seed)
{
    if (values.empty() || rounds < 1)
        return {};
    std::mt19937_64 generator(seed);
    std::vector<double> means;
    means.reserve(static_cast<size_t>(rounds));
    for (int round = 0; round < rounds; ++round) {
        double sum = 0;
        for (size_t i = 0; i < values.size(); ++i) // not a std distribution: those differ between libraries
            sum += values[static_cast<size_t>((generator() >> 32) * values.size() >> 32)];
        means.push_back(sum / static_cast<double>(values.size()));
    }
    std::sort(means.begin(), means.end());
    const auto at = [&](double share) {
        return means[static_cast<size_t>(share * (static_cast<double>(means.size()) - 1) + 0.5)];
    };
    return {at(0.025), at(0.975)};
}

std::vector<std::string> words_of(const std::string& text, bool file_name)
{
    std::string part = text;
    if (file_name) {
        part = part.substr(part.find_last_of('/') + 1); // npos + 1 is 0: no folder
        part = part.substr(0, part.find_last_of('.'));
    }
    std::vector<std::string> words;
    std::string word;
    const auto finish = [&] {
        while (file_name && !word.empty() && word.back() >= '0' && word.back() <= '9')
            word.pop_back();
        if (!word.empty())
            words.push_back(word);
        word.clear();
    };
    for (const char byte : part) {
        const bool upper = byte >= 'A' && byte <= 'Z';
        if (upper || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')
            || static_cast<unsigned char>(byte) > 127)
            word += upper ? static_cast<char>(byte - 'A' + 'a') : byte;
        else
            finish();
    }
    finish();
    return words;
}

float matching_words(const std::vector<std::string>& query, const std::vector<std::string>& name)
{
    float found = 0;
    for (const std::string& word : query)
        found += std::find(name.begin(), name.end(), word) != name.end();
    return found;
}

} // namespace imprint::evaluation
