// SPDX-License-Identifier: Apache-2.0
#include "app/jobs/finetune_tuning.h"

#include <algorithm>
#include <set>

#include "training/data/text_templates.h"
#include "training/evaluation/metrics.h"

namespace imprint::jobs {
namespace {

constexpr int64_t kLibraryFiles = 64;
constexpr int kMomentsToRemindOf = 2;  // of one file
constexpr double kBlends[] = {1, 0.75, 0.5, 0.25, 0};
constexpr int kRounds = 1000;

std::vector<LabelledSource> spread_over_library(const std::filesystem::path& folder,
                                                const std::set<std::filesystem::path>& without)
{
    std::vector<LabelledSource> sources;
    try {
        const index::Library library(folder, index::OpenMode::ReadOnly);
        const int64_t files = library.counts().files, wanted = std::min(files, kLibraryFiles);
        for (int64_t i = 0; i < wanted; ++i)
            for (const index::FileRow& row : library.files(i * files / wanted, 1))
                if (!without.contains(row.facts.path))
                    sources.push_back({row.facts.path, LabelledSource::kNone, static_cast<int>(i), {}, {}, false});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::NotFound)
            throw;
    }
    return sources;
}

Retention retention_of(const std::vector<double>& before, const std::vector<double>& after, uint64_t seed)
{
    if (before.empty())
        return {};
    std::vector<double> lost;
    for (size_t i = 0; i < before.size(); ++i)
        lost.push_back(before[i] - after[i]);
    const evaluation::Interval interval = evaluation::bootstrap(lost, kRounds, seed);
    return {evaluation::mean(before), evaluation::mean(after), interval.low, interval.high, static_cast<int64_t>(before.size())};
}

}  // namespace

void add_example(training::Tuner& tuner, const Input& input)
{
    if (const auto* sound = std::get_if<media::Sound>(&input))
        tuner.add_sound(sound->samples);
    else if (const auto* picture = std::get_if<media::Picture>(&input))
        tuner.add_pictures({picture, 1});
    else
        tuner.add_pictures(std::get<Clip>(input));
}

void remind_of_library(Engine& engine, training::Tuner& tuner, const std::vector<LabelledSource>& examples,
                       const CancelToken& cancel)
{
    std::set<std::filesystem::path> own;
    for (const LabelledSource& example : examples)
        own.insert(example.path);
    int file = -1, taken = 0;
    const auto take = [&](const Example& example) {
        taken = example.file == file ? taken + 1 : 1;
        file = example.file;
        if (taken > kMomentsToRemindOf)
            return;
        if (const auto* sound = std::get_if<media::Sound>(&example.input))
            tuner.remind_of_sound(sound->samples);
        else if (const auto* picture = std::get_if<media::Picture>(&example.input))
            tuner.remind_of_pictures({picture, 1});
        else
            tuner.remind_of_pictures(std::get<Clip>(example.input));
    };
    read_examples(engine, spread_over_library(engine.library_folder(), own), take, {}, cancel);
}

training::Lesson lesson_of(const ExampleTable& table)
{
    using training::TunePart;
    constexpr TunePart kPart[] = {TunePart::HeldOut, TunePart::Watched, TunePart::Learned};
    training::Lesson lesson;
    for (const std::string& name : table.classes)
        lesson.names.push_back(training::class_words(name));
    for (size_t i = 0; i < table.labels.size(); ++i)
        if (table.labels[i].label < static_cast<int>(table.classes.size()))
            lesson.labels.push_back({table.numbers[i], table.labels[i].label, kPart[table.parts[i]]});
    return lesson;
}

Vectors vectors_of(const ExampleTable& table, const training::Tuner& tuner, double blend, const CancelToken& cancel)
{
    const Vectors all = tuner.vectors(blend, cancel);
    Vectors some{all.dim, {}};
    for (const size_t number : table.numbers)
        some.append(all.row(static_cast<int>(number)));
    return some;
}

std::vector<BlendRow> look_at_blends(const ExampleTable& table, const training::Tuner& tuner, const std::optional<double>& given,
                                     uint64_t seed, const std::function<void(int64_t, int64_t)>& told, const CancelToken& cancel)
{
    std::vector<double> blends(std::begin(kBlends), std::end(kBlends));
    if (given)
        blends = {*given};
    const bool watches = std::find(table.parts.begin(), table.parts.end(), ExampleTable::kWatched) != table.parts.end();
    const int looked_at = watches ? ExampleTable::kWatched : ExampleTable::kLearned;
    const std::vector<double> before = tuner.retention(0);
    std::vector<BlendRow> rows;
    for (const double blend : blends) {
        told(static_cast<int64_t>(rows.size()), static_cast<int64_t>(blends.size()));
        const Vectors vectors = vectors_of(table, tuner, blend, cancel);
        const Layers layers = fit_layers(
            table, vectors, tuner.background(blend), [](int part) { return part == ExampleTable::kLearned; }, seed, cancel);
        const Tally right = files_right(table, looked_at, scores_by(table, vectors, layers));
        rows.push_back({blend, static_cast<double>(right.all_right()) / std::max(1, right.all()),
                        retention_of(before, blend == 0 ? before : tuner.retention(blend), seed)});
    }
    return rows;
}

const BlendRow& chosen_blend(const std::vector<BlendRow>& rows)
{
    const auto good = std::find_if(rows.begin(), rows.end(), [&](const BlendRow& row) {
        return row.retention.loss() <= kMostLoss && row.accuracy >= rows.back().accuracy;
    });
    return good == rows.end() ? rows.back() : *good;
}

}  // namespace imprint::jobs
