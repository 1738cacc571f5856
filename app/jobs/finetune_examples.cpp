// SPDX-License-Identifier: Apache-2.0
#include "app/jobs/finetune_examples.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace imprint::jobs {
namespace {

std::vector<int64_t> files_where(const ExampleTable& table, const std::function<bool(size_t)>& counts)
{
    std::vector<std::set<int>> files(table.classes.size() + 1);
    for (size_t i = 0; i < table.labels.size(); ++i)
        if (counts(i))
            files[static_cast<size_t>(table.labels[i].label)].insert(table.labels[i].group);
    std::vector<int64_t> result;
    for (const auto& some : files)
        result.push_back(static_cast<int64_t>(some.size()));
    return result;
}

}  // namespace

std::vector<int64_t> ExampleTable::files() const
{
    return files_where(*this, [](size_t) { return true; });
}

std::vector<int64_t> ExampleTable::files(int part) const
{
    return files_where(*this, [&](size_t i) { return parts[i] == part; });
}

std::vector<Modality> ExampleTable::looks_at() const
{
    std::vector<Modality> result;
    for (const Modality modality : {Modality::Picture, Modality::Sound})
        for (size_t i = 0; i < labels.size(); ++i)
            if (modalities[i] == modality && labels[i].label < static_cast<int>(classes.size())) {
                result.push_back(modality);
                break;
            }
    return result;
}

std::vector<std::pair<std::string, int64_t>> drop_small_classes(ExampleTable& table, int64_t least)
{
    const std::vector<int64_t> files = table.files();
    std::vector<std::pair<std::string, int64_t>> dropped;
    std::vector<int> renumbered;
    std::vector<std::string> kept;
    for (size_t label = 0; label < table.classes.size(); ++label) {
        const bool large = files[label] >= least;
        renumbered.push_back(large ? static_cast<int>(kept.size()) : -1);
        if (large)
            kept.push_back(table.classes[label]);
        else
            dropped.emplace_back(table.classes[label], files[label]);
    }
    renumbered.push_back(static_cast<int>(kept.size()));
    ExampleTable rest{kept, {}, {}, {table.vectors.dim, {}}, {}, {}};
    for (size_t i = 0; i < table.labels.size(); ++i) {
        const int label = renumbered[static_cast<size_t>(table.labels[i].label)];
        if (label < 0)
            continue;
        rest.labels.push_back({label, table.labels[i].group});
        rest.modalities.push_back(table.modalities[i]);
        rest.vectors.append(table.vectors.row(static_cast<int>(i)));
        rest.numbers.push_back(table.numbers[i]);
    }
    table = std::move(rest);
    return dropped;
}

void hold_out(ExampleTable& table, uint64_t seed)
{
    constexpr int64_t kEnoughToWatch = 4;
    const std::vector<int> fifths = training::stratified_parts(table.labels, ExampleTable::kParts, seed);
    table.parts.clear();
    for (const int fifth : fifths)
        table.parts.push_back(fifth == 0 ? ExampleTable::kHeldOut : ExampleTable::kLearned);
    std::vector<int64_t> left = table.files(ExampleTable::kLearned);
    left.pop_back();
    if (*std::min_element(left.begin(), left.end()) < kEnoughToWatch)
        return;
    for (size_t i = 0; i < fifths.size(); ++i)
        if (fifths[i] == 1)
            table.parts[i] = ExampleTable::kWatched;
}

Layers fit_layers(const ExampleTable& table, const Vectors& vectors, const std::array<Vectors, 2>& background,
                  const std::function<bool(int part)>& learn, uint64_t seed, const CancelToken& cancel)
{
    Layers layers;
    const int none = static_cast<int>(table.classes.size());
    int beyond = 0;  // groups of the background, after all files
    for (const auto& one : table.labels)
        beyond = std::max(beyond, one.group + 1);
    for (const Modality modality : table.looks_at()) {
        training::ProbeExamples examples{none, {vectors.dim, {}}, {}};
        for (size_t i = 0; i < table.labels.size(); ++i)
            if (table.modalities[i] == modality && learn(table.parts[i])) {
                examples.vectors.append(vectors.row(static_cast<int>(i)));
                examples.labels.push_back(table.labels[i]);
            }
        const auto said =
            std::count_if(examples.labels.begin(), examples.labels.end(), [&](const auto& one) { return one.label == none; });
        const Vectors& rest = background[static_cast<size_t>(modality)];
        for (int i = 0; i < rest.count() && said < kLeastExamples; ++i) {
            examples.vectors.append(rest.row(i));
            examples.labels.push_back({none, beyond + i});
        }
        layers[static_cast<size_t>(modality)] = training::fit_probe(examples, seed, cancel).probe;
    }
    return layers;
}

int Tally::all_right() const { return std::accumulate(right.begin(), right.end(), 0); }
int Tally::all() const { return std::accumulate(of.begin(), of.end(), 0); }

Tally files_right(const ExampleTable& table, int part, const ScoresOf& scores)
{
    std::map<std::pair<int, int>, std::vector<double>> sums;  // by class and file
    for (size_t i = 0; i < table.labels.size(); ++i) {
        if (table.parts[i] != part || table.labels[i].label >= static_cast<int>(table.classes.size()))
            continue;
        auto& sum = sums[{table.labels[i].label, table.labels[i].group}];
        sum.resize(table.classes.size(), 0);
        const std::vector<double> of = scores(i);
        for (size_t label = 0; label < sum.size(); ++label)
            sum[label] += of[label];
    }
    Tally tally{std::vector<int>(table.classes.size(), 0), std::vector<int>(table.classes.size(), 0)};
    for (const auto& [key, sum] : sums) {
        const auto label = static_cast<size_t>(key.first);
        ++tally.of[label];
        tally.right[label] += std::max_element(sum.begin(), sum.end()) - sum.begin() == key.first;
    }
    return tally;
}

ScoresOf scores_by(const ExampleTable& table, const Vectors& vectors, const Layers& layers)
{
    return [&table, &vectors, &layers](size_t moment) {
        std::vector<double> scores =
            layers[static_cast<size_t>(table.modalities[moment])]->probabilities(vectors.row(static_cast<int>(moment)));
        scores.pop_back();
        for (double& score : scores)
            score = std::log(std::max(score, 1e-12));
        return scores;
    };
}

}  // namespace imprint::jobs
