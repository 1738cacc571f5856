// SPDX-License-Identifier: Apache-2.0
// Stored vectors in, labels out; verdicts are laid over them.
#include "app/jobs/label_job.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "app/jobs/label_review.h"
#include "index/label_store.h"

namespace imprint::jobs {
namespace {

/// Of the work, where the labels' sentences were never read before: a hundred take half a minute, moments next to nothing.
constexpr double kSentences = 0.9;

/// The moments of one modality that a set looks at, in time order.
struct Track {
    std::vector<index::Moment> moments;
    Vectors vectors;
    std::vector<std::vector<double>> probabilities;
};

Track track_of(const index::StoredMoments& stored, Modality modality, const LabelSet& set, const LabelKeys& keys,
               const LabelOptions& options)
{
    std::vector<size_t> order;
    for (size_t i = 0; i < stored.moments.size(); ++i)
        if (stored.moments[i].modality == modality)
            order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return stored.moments[a].start.value_or(0) < stored.moments[b].start.value_or(0);
    });
    Track track;
    track.vectors.dim = stored.vectors.dim;
    for (const size_t i : order) {
        const auto vector = stored.vectors.row(static_cast<int>(i));
        track.moments.push_back(stored.moments[i]);
        track.vectors.append(vector);
        track.probabilities.push_back(keys.probabilities(set, vector, stored.mean[i], stored.deviation[i], modality, options));
    }
    if (options.smooth)
        smooth_labels(set, track.moments, track.vectors, options, track.probabilities);
    return track;
}

std::vector<std::pair<int, double>> likeliest(const std::vector<double>& probabilities)
{
    std::vector<std::pair<int, double>> all;
    for (size_t i = 0; i < probabilities.size(); ++i)
        all.emplace_back(i + 1 == probabilities.size() ? LabelledMoment::kNone : static_cast<int>(i), probabilities[i]);
    const size_t shown = std::min(all.size(), LabelledMoment::kShown);
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(),
                      [](const auto& a, const auto& b) { return a.second > b.second; });
    all.resize(shown);
    return all;
}

double extent(const index::Moment& moment) { return moment.start ? *moment.end - *moment.start : 1; }

/// Whether the verdict is on this moment: the same, or one that covers more than half of it and is covered so itself. A file
/// that is read again may be cut a little elsewhere.
bool meets(const index::Moment& moment, const index::Moment& reviewed)
{
    if (moment.modality != reviewed.modality || moment.start.has_value() != reviewed.start.has_value())
        return false;
    if (!moment.start)
        return true;
    const double common = std::min(*moment.end, *reviewed.end) - std::max(*moment.start, *reviewed.start);
    return common * 2 > extent(moment) && common * 2 > extent(reviewed);
}

void lay_verdicts(LabelRun& run, const std::vector<index::Review>& reviews)
{
    std::map<int64_t, std::vector<const index::Review*>> by_file;
    for (const index::Review& review : reviews)
        by_file[review.file].push_back(&review);
    for (LabelledMoment& moment : run.moments) {
        const auto found = by_file.find(run.files[moment.file].id);
        if (found == by_file.end())
            continue;
        for (const index::Review* review : found->second)
            if (meets(moment.moment, review->moment)) {
                const int label = run.set.find(review->label);
                moment.verdict = review->label.empty() ? LabelledMoment::kNone : label >= 0 ? label : LabelledMoment::kOther;
                moment.drawn = review->drawn;
            }
    }
}

}  // namespace

std::vector<int> LabelledMoment::labels() const
{
    if (verdict)
        return *verdict >= 0 ? std::vector<int>{*verdict} : std::vector<int>{};
    return guess.decided ? guess.labels : std::vector<int>{};
}

void gather_files(LabelRun& run)
{
    for (size_t first = 0; first < run.moments.size();) {
        LabelledFile& file = run.files[run.moments[first].file];
        file.spans.clear();
        file.labels.clear();
        double looked_at = 0;
        while (first < run.moments.size() && &run.files[run.moments[first].file] == &file) {
            std::vector<index::Moment> moments;
            std::vector<std::vector<int>> labels;
            std::vector<double> probabilities;
            const Modality modality = run.moments[first].moment.modality;
            for (; first < run.moments.size() && &run.files[run.moments[first].file] == &file
                 && run.moments[first].moment.modality == modality;
                 ++first) {
                const LabelledMoment& one = run.moments[first];
                moments.push_back(one.moment);
                labels.push_back(one.labels());
                probabilities.push_back(one.verdict ? 1.0 : one.guess.probability);
                looked_at += extent(one.moment);
            }
            const std::vector<LabelSpan> spans = label_spans(moments, labels, probabilities);
            file.spans.insert(file.spans.end(), spans.begin(), spans.end());
        }
        for (const LabelSpan& span : file.spans) {
            const double share = extent(span.moment) / looked_at;
            const auto same = std::find_if(file.labels.begin(), file.labels.end(),
                                           [&](const LabelledFile::Whole& whole) { return whole.label == span.label; });
            if (same == file.labels.end()) {
                file.labels.push_back({span.label, share, span.probability});
            } else {
                same->share += share;
                same->probability = std::max(same->probability, span.probability);
            }
        }
        std::stable_sort(file.labels.begin(), file.labels.end(), [](const auto& a, const auto& b) { return a.share > b.share; });
    }
}

LabelRun label(Engine& engine, const LabelSet& set, const index::Filter& filter, const LabelOptions& options,
               const std::function<void(double)>& progress, const CancelToken& cancel)
{
    check_space(engine);
    const auto start = std::chrono::steady_clock::now();
    const LabelKeys keys = label_keys(engine, set, cancel, [&](double share) {
        if (progress)
            progress(kSentences * share);
    });
    const index::LabelStore store(engine.library_folder(), index::OpenMode::ReadOnly);
    LabelRun run{set, options, engine.encoder().space(), {}, {}, 0};
    const std::vector<index::FileRow> rows = store.matching(filter);
    for (size_t i = 0; i < rows.size(); ++i) {
        cancel.check();
        if (progress && i % 64 == 0)
            progress(kSentences + (1 - kSentences) * static_cast<double>(i) / static_cast<double>(rows.size()));
        const index::StoredMoments stored = store.stored(rows[i].id);
        const size_t before = run.moments.size();
        for (const Modality modality : set.looks_at) {
            const Track track = track_of(stored, modality, set, keys, options);
            for (size_t m = 0; m < track.moments.size(); ++m)
                run.moments.push_back({run.files.size(), track.moments[m], decide(set, track.probabilities[m], options),
                                       likeliest(track.probabilities[m])});
        }
        if (run.moments.size() > before)
            run.files.push_back({rows[i].id, rows[i].facts.path, rows[i].probe});
    }
    lay_verdicts(run, store.reviews(set.name));
    calibrate(run);
    gather_files(run);
    if (progress)
        progress(1);
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return run;
}

int64_t apply_labels(const Engine& engine, const LabelRun& run, const CancelToken& cancel)
{
    index::LabelStore store(engine.library_folder(), index::OpenMode::ReadWrite);
    std::vector<std::string> names;
    for (const LabelClass& label : run.set.classes)
        names.push_back(label.name);
    int64_t kept = 0;
    for (const LabelledFile& file : run.files) {
        cancel.check();
        std::vector<index::Label> labels;
        for (const LabelSpan& span : file.spans)
            labels.push_back({names[static_cast<size_t>(span.label)], span.moment.start, span.moment.end, true});
        store.replace_guesses(file.id, names, labels);
        kept += static_cast<int64_t>(labels.size());
    }
    return kept;
}

LabelTally tally(const LabelRun& run)
{
    LabelTally tally;
    tally.moments.resize(run.set.classes.size());
    tally.files.resize(run.set.classes.size());
    double wrong = 0;
    for (const LabelledMoment& moment : run.moments) {
        for (const int label : moment.labels())
            ++tally.moments[static_cast<size_t>(label)];
        if (moment.abstained()) {
            ++tally.abstained;
            continue;
        }
        ++(moment.labels().empty() ? tally.none : tally.decided);
        wrong += moment.verdict ? 0 : 1 - moment.guess.probability;
    }
    for (const LabelledFile& file : run.files)
        for (const LabelledFile::Whole& whole : file.labels)
            ++tally.files[static_cast<size_t>(whole.label)];
    tally.wrong_share = wrong / static_cast<double>(std::max<int64_t>(1, tally.decided + tally.none));
    return tally;
}

}  // namespace imprint::jobs
