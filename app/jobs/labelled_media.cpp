// SPDX-License-Identifier: Apache-2.0
#include "app/jobs/labelled_media.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <exception>
#include <map>
#include <thread>

#include "app/jobs/finetune_job.h"
#include "app/jobs/label_set.h"
#include "app/jobs/scan.h"
#include "index/label_store.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;

constexpr double kWhole = 60;  // seconds up to which a file is looked at from end to end

std::string folded(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::vector<fs::path> class_folders(const fs::path& folder)
{
    std::error_code failure;
    fs::directory_iterator entries(folder, failure);
    if (failure)
        throw_errno(failure.value(), folder.string(), "read the folder of classes");
    std::vector<fs::path> folders;
    for (const auto& entry : entries)
        if (entry.symlink_status().type() == fs::file_type::directory && !entry.path().filename().native().starts_with('.'))
            folders.push_back(entry.path());
    std::sort(folders.begin(), folders.end());
    return folders;
}

void refuse_names(const fs::path& folder, const std::vector<std::string>& names)
{
    std::map<std::string, std::string> seen;
    for (const std::string& name : names) {
        if (folded(name) == kNoneLabel)
            throw Error(ErrorKind::Malformed, (folder / name).string(), "is called as what has no label is called",
                        "Give it another name");
        const auto [other, fresh] = seen.emplace(folded(name), name);
        if (!fresh)
            throw Error(ErrorKind::Malformed, folder.string(),
                        "has the classes '" + other->second + "' and '" + name + "', which differ in capitals alone",
                        "Give every class a name of its own");
    }
}

/// What is looked at of one source.
std::vector<std::optional<Window>> spans_of(const LabelledSource& source, const media::Probe& probe, double window)
{
    if (source.span || probe.kind == media::Kind::Image)
        return {source.span};
    if (probe.duration <= kWhole)
        return {std::nullopt};
    std::vector<std::optional<Window>> spans;
    const double length = probe.kind == media::Kind::Audio ? window : kPictureWindow;
    for (int i = 0; i < kMomentsOfFile; ++i) {
        const double start = (probe.duration - length) * i / (kMomentsOfFile - 1);
        spans.push_back(Window{start, start + length});
    }
    return spans;
}

/// At most kMomentsOfFile of them, evenly spread.
std::vector<Example> thinned(std::vector<Example> all)
{
    if (all.size() <= static_cast<size_t>(kMomentsOfFile))
        return all;
    std::vector<Example> some;
    for (size_t i = 0; i < static_cast<size_t>(kMomentsOfFile); ++i)
        some.push_back(std::move(all[i * all.size() / static_cast<size_t>(kMomentsOfFile)]));
    return some;
}

std::vector<Example> examples_of(media::Decoder& decoder, const LabelledSource& source, const Intake& intake,
                                 const CancelToken& cancel)
{
    const media::Probe probe = decoder.probe(source.path, cancel);
    const Modality modality = source.modality.value_or(probe.kind == media::Kind::Audio ? Modality::Sound : Modality::Picture);
    std::vector<Example> examples;
    for (const auto& span : spans_of(source, probe, intake.sound_window))
        extract(
            decoder, source.path, probe, intake, span,
            [&](const index::Moment& moment, Input input) {
                if (moment.modality == modality)
                    examples.push_back({source.label, source.file, modality, std::move(input)});
            },
            cancel);
    return thinned(std::move(examples));
}

}  // namespace

LabelledMedia media_of_folder(const fs::path& folder, const fs::path& skip, const CancelToken& cancel)
{
    LabelledMedia media;
    const fs::path root = catalog_path(folder);
    media.name = root.filename().string();
    const std::vector<fs::path> folders = class_folders(root);
    if (folders.empty())
        throw Error(ErrorKind::Malformed, folder.string(), "has no class folders",
                    "Put the examples of each class into a folder of its own below it");
    for (const fs::path& one : folders)
        media.classes.push_back(one.filename().string());
    refuse_names(folder, media.classes);
    int file = 0;
    for (size_t label = 0; label < folders.size(); ++label) {
        const Scan found = scan({folders[label]}, skip, {}, cancel);
        for (const Candidate& candidate : found.files)
            media.sources.push_back({candidate.path, static_cast<int>(label), file++, {}, {}, candidate.certain});
        for (const Refusal& refusal : found.refused)
            media.refused.push_back(refusal.failure);
    }
    return media;
}

LabelledMedia media_of_reviews(const Engine& engine, const std::string& named)
{
    const LabelSet set = read_label_set(find_label_set(engine, named));
    const index::LabelStore store(engine.library_folder(), index::OpenMode::ReadOnly);
    std::map<int64_t, fs::path> paths;
    for (const index::FileRow& row : store.matching({}))
        paths[row.id] = row.facts.path;
    LabelledMedia media;
    media.name = set.name;
    for (const LabelClass& label : set.classes)
        media.classes.push_back(label.name);
    std::map<int64_t, int> files;
    for (const index::Review& review : store.reviews(set.name)) {
        const auto path = paths.find(review.file);
        const int label = review.label.empty() ? LabelledSource::kNone : set.find(review.label);
        if (path == paths.end() || (label < 0 && !review.label.empty()))
            continue;
        const int file = files.emplace(review.file, static_cast<int>(files.size())).first->second;
        std::optional<Window> span;
        if (review.moment.start)
            span = Window{*review.moment.start, review.moment.end.value_or(*review.moment.start)};
        media.sources.push_back({path->second, label, file, span, review.moment.modality, true});
    }
    if (media.sources.empty())
        throw Error(ErrorKind::NotFound, set.name, "nothing was said of any moment under this set",
                    "Say it with 'imprint review', or name a folder of labelled folders");
    return media;
}

std::vector<index::Failure> read_examples(Engine& engine, const std::vector<LabelledSource>& sources,
                                          const std::function<void(Example)>& sink, const std::function<void(int64_t)>& told,
                                          const CancelToken& cancel)
{
    media::Decoder& decoder = engine.decoder();
    const Intake intake(engine.encoder());
    const size_t threads = std::max(1u, std::thread::hardware_concurrency()), at_once = 4 * threads;
    struct Answer {
        std::vector<Example> examples;
        std::optional<Error> failure;
        std::exception_ptr worse;  // no failure of the file's
    };
    std::vector<index::Failure> failed;
    for (size_t first = 0; first < sources.size(); first += at_once) {
        cancel.check();
        std::vector<Answer> answers(std::min(at_once, sources.size() - first));
        std::atomic<size_t> next{0};
        {
            std::vector<std::jthread> workers;
            for (size_t i = 0; i < std::min(threads, answers.size()); ++i)
                workers.emplace_back([&] {
                    for (size_t at = next++; at < answers.size() && !cancel.cancelled(); at = next++)
                        try {
                            answers[at].examples = examples_of(decoder, sources[first + at], intake, cancel);
                        } catch (const Error& error) {
                            answers[at].failure = error;
                        } catch (...) {
                            answers[at].worse = std::current_exception();
                        }
                });
        }
        cancel.check();
        for (size_t i = 0; i < answers.size(); ++i) {
            const LabelledSource& source = sources[first + i];
            if (answers[i].worse)
                std::rethrow_exception(answers[i].worse);
            for (Example& example : answers[i].examples)
                sink(std::move(example));
            if (answers[i].failure && source.certain)
                failed.push_back({source.path, error_kind_name(answers[i].failure->kind()), answers[i].failure->reason(), 0});
        }
        if (told)
            told(static_cast<int64_t>(first + answers.size()));
    }
    return failed;
}

}  // namespace imprint::jobs
