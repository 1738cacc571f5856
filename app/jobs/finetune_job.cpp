// SPDX-License-Identifier: Apache-2.0
// Read, learn, measure, write: in this order, so that whatever goes wrong leaves nothing behind.
#include "app/jobs/finetune_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "app/jobs/batcher.h"
#include "app/jobs/calibration_file.h"
#include "app/jobs/finetune_examples.h"
#include "app/jobs/finetune_tuning.h"
#include "app/jobs/label_keys.h"
#include "app/jobs/labelled_media.h"
#include "app/jobs/resources.h"
#include "core/model/checkpoint_info.h"
#include "training/data/text_templates.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostFiles = 6000;  // that a network is trained on

/// Where the result goes.
struct Places {
    fs::path checkpoint, label_set, layer, weights;

    explicit Places(fs::path out)
    {
        if (out.extension() == ".safetensors" || out.extension() == ".toml")
            out.replace_extension();
        checkpoint = label_set = layer = weights = out;
        checkpoint += ".safetensors";
        label_set += ".toml";
        layer += ".layer.safetensors";
        weights += ".weights.safetensors";
    }
};

std::string file_name_of(std::string name)
{
    std::replace(name.begin(), name.end(), '/', '-');
    return name.empty() ? "learned" : name;
}

class Finetuning {
public:
    Finetuning(Engine& engine, const FinetuneOptions& options, const std::function<void(const FinetuneProgress&)>& progress,
               const CancelToken& cancel)
        : engine_(engine), options_(options), told_(progress), cancel_(cancel)
    {
    }
    FinetuneReport run();

private:
    void tell(const std::string& stage, int64_t done = 0, int64_t of = 0) const;
    void check_options() const;
    void make_room(const Places& places) const;
    void read();
    void refuse_too_few() const;
    Tally by_name() const;
    void measure(const Tally& by_name, const Tally& probed);
    int64_t median_files() const;
    void thin_out();
    std::string what_learning_depends_on() const;
    void tune(const Places& places);
    void measure_tuned(const Tally& tuned);
    void warn();
    void write(const Places& places);
    static bool seen(int part) { return part != ExampleTable::kHeldOut; }
    LabelSet label_set(const Places& places) const;
    std::array<Vectors, 2> background() const;
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }

    Engine& engine_;
    const FinetuneOptions& options_;
    const std::function<void(const FinetuneProgress&)>& told_;
    const CancelToken& cancel_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    LabelledMedia media_;
    ExampleTable table_;
    std::optional<training::Tuner> tuner_;  // nothing in Probe
    Vectors tuned_;                         // of the table's moments, under the result's weights
    FinetuneReport report_;
};

void Finetuning::tell(const std::string& stage, int64_t done, int64_t of) const
{
    cancel_.check();
    if (told_)
        told_({stage, done, of, {}, {}, seconds()});
}

void Finetuning::check_options() const
{
    if (options_.folder.empty() == options_.from_labels.empty())
        throw Error(ErrorKind::Usage, "finetune", "learns from a folder of labelled folders, or from a label set's verdicts",
                    "Name one of the two");
    if (options_.blend && !(*options_.blend >= 0 && *options_.blend <= 1))
        throw Error(ErrorKind::Usage, "--blend", "is no share", "Choose a number from 0 (the old weights) to 1 (the new ones)");
}

/// An early word is kinder than minutes of learning that end in a full disk.
void Finetuning::make_room(const Places& places) const
{
    constexpr uintmax_t kOfLabels = 1 << 20;
    const fs::path folder = places.label_set.has_parent_path() ? places.label_set.parent_path() : ".";
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure)
        throw_errno(failure.value(), folder.string(), "make the folder of the result");
    const uintmax_t needed =
        kOfLabels + (report_.mode == FinetuneMode::Probe ? 0 : 2 * fs::file_size(engine_.checkpoint(), failure));
    const fs::space_info space = fs::space(folder, failure);
    if (!failure && space.available < needed)
        throw Error(ErrorKind::DiskFull, folder.string(),
                    "has room for " + std::to_string(space.available >> 20) + " MiB, and the result takes "
                        + std::to_string(needed >> 20),
                    "Make room, or name another place with --out");
}

void Finetuning::read()
{
    Encoder& encoder = engine_.encoder();
    Batcher batcher(encoder);
    const int none = static_cast<int>(media_.classes.size());
    const auto dim = static_cast<size_t>(encoder.dim());
    table_ = {media_.classes, {}, {}, {encoder.dim(), {}}, {}, {}};
    const auto take = [&](Example example) {
        const size_t at = table_.labels.size();
        table_.labels.push_back({example.label == LabelledSource::kNone ? none : example.label, example.file});
        table_.modalities.push_back(example.modality);
        table_.numbers.push_back(at);
        if (tuner_) {
            add_example(*tuner_, example.input);
            return;
        }
        table_.vectors.values.resize((at + 1) * dim);
        batcher.add(std::move(example.input), [this, at, dim](std::span<const float> vector) {
            std::copy(vector.begin(), vector.end(), table_.vectors.values.begin() + static_cast<std::ptrdiff_t>(at * dim));
        });
    };
    const auto all = static_cast<int64_t>(media_.sources.size());
    report_.failed = read_examples(
        engine_, media_.sources, take, [&](int64_t done) { tell("reading", done, all); }, cancel_);
    report_.failed.insert(report_.failed.end(), media_.refused.begin(), media_.refused.end());
    batcher.flush();
    if (tuner_ && !table_.labels.empty())
        table_.vectors = tuner_->vectors(0, cancel_);
    report_.left_out = drop_small_classes(table_, kLeastExamples);
    refuse_too_few();
    hold_out(table_, options_.seed);
    for (const int64_t files : table_.files())
        report_.files += files;
    report_.examples = static_cast<int64_t>(table_.labels.size());
}

void Finetuning::refuse_too_few() const
{
    if (table_.classes.size() >= 2)
        return;
    std::string reason = "has "
        + std::string(table_.classes.empty() ? "no class" : "only one class ('" + table_.classes.front() + "')") + " with "
        + std::to_string(kLeastExamples) + " readable files";
    for (size_t i = 0; i < std::min<size_t>(3, report_.left_out.size()); ++i)
        reason += (i == 0 ? "; '" : ", '") + report_.left_out[i].first + "' has " + std::to_string(report_.left_out[i].second);
    if (!report_.failed.empty())
        reason += "; " + std::to_string(report_.failed.size()) + " could not be read, the first being "
            + report_.failed.front().path.filename().string() + ": " + report_.failed.front().reason;
    const std::string subject = options_.folder.empty() ? options_.from_labels : options_.folder.string();
    throw Error(ErrorKind::Malformed, subject, reason,
                "Give at least two classes " + std::to_string(kLeastExamples) + " examples each");
}

/// The held-out files under the classes' names in words.
Tally Finetuning::by_name() const
{
    LabelSet set;
    set.looks_at = table_.looks_at();
    for (const std::string& name : table_.classes)
        set.classes.push_back({training::class_words(name), {}, {}, -1});
    const LabelKeys keys = label_keys(engine_, set, cancel_);
    const Vectors& bank = engine_.encoder().text_bank();
    return files_right(table_, ExampleTable::kHeldOut, [&](size_t moment) {
        const auto vector = table_.vectors.row(static_cast<int>(moment));
        double sum = 0, squares = 0;
        for (int i = 0; i < bank.count(); ++i) {
            const double cosine = std::inner_product(vector.begin(), vector.end(), bank.row(i).begin(), 0.0);
            sum += cosine;
            squares += cosine * cosine;
        }
        const double mean = sum / bank.count(), deviation = std::sqrt(std::max(squares / bank.count() - mean * mean, 1e-12));
        const std::vector<float> scores =
            keys.scores(vector, static_cast<float>(mean), static_cast<float>(deviation), table_.modalities[moment]);
        return std::vector<double>(scores.begin(), scores.end());
    });
}

void Finetuning::measure(const Tally& by_name, const Tally& probed)
{
    const std::vector<int64_t> files = table_.files();
    for (size_t i = 0; i < table_.classes.size(); ++i)
        report_.classes.push_back({table_.classes[i],
                                   files[i],
                                   by_name.of[i],
                                   estimated_share(by_name.right[i], by_name.of[i]),
                                   estimated_share(probed.right[i], probed.of[i]),
                                   {}});
    report_.all = {"all",
                   report_.files,
                   by_name.all(),
                   estimated_share(by_name.all_right(), by_name.all()),
                   estimated_share(probed.all_right(), probed.all()),
                   {}};
}

std::array<Vectors, 2> Finetuning::background() const
{
    Encoder& encoder = engine_.encoder();
    return {encoder.background(Modality::Picture), encoder.background(Modality::Sound)};
}

LabelSet Finetuning::label_set(const Places& places) const
{
    LabelSet set;
    set.name = media_.name;
    set.looks_at = table_.looks_at();
    set.learned = places.layer;
    for (const std::string& name : table_.classes)
        set.classes.push_back({name, {}, {}, -1});
    return set;
}

int64_t Finetuning::median_files() const
{
    std::vector<int64_t> files(media_.classes.size(), 0);
    for (const LabelledSource& source : media_.sources)
        if (source.label >= 0)
            ++files[static_cast<size_t>(source.label)];
    std::nth_element(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(files.size() / 2), files.end());
    return files[files.size() / 2];
}

/// What a network is trained on stays in memory.
void Finetuning::thin_out()
{
    const int64_t most = kMostFiles / static_cast<int64_t>(media_.classes.size());
    std::map<int, std::vector<LabelledSource>> by_class;
    for (LabelledSource& source : media_.sources)
        by_class[source.label].push_back(std::move(source));
    media_.sources.clear();
    for (auto& [label, all] : by_class) {
        const auto have = static_cast<int64_t>(all.size()), kept = std::min(have, most);
        for (int64_t i = 0; i < kept; ++i)
            media_.sources.push_back(std::move(all[static_cast<size_t>(i * have / kept)]));
        if (kept < have)
            report_.warnings.push_back("Of the " + std::to_string(have) + " files of a class, " + std::to_string(kept)
                                       + " were taken, evenly spread.");
    }
}

/// All that learn() reads but the library, which only reminds: equal texts, equal weights.
std::string Finetuning::what_learning_depends_on() const
{
    nlohmann::json all{{"model", engine_.encoder().space()},
                       {"precision", engine_.encoder().precision()},
                       {"mode", finetune_mode_name(report_.mode)},
                       {"steps", options_.steps},
                       {"seed", options_.seed},
                       {"pack", options_.pack.string()}};
    for (const LabelledSource& source : media_.sources) {
        std::error_code gone;
        all["files"].push_back({source.path.native(), source.label, fs::file_size(source.path, gone),
                                fs::last_write_time(source.path, gone).time_since_epoch().count(),
                                source.span ? nlohmann::json{source.span->start, source.span->end} : nlohmann::json()});
    }
    const std::string text = all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return model::hash_hex(std::as_bytes(std::span(text)));
}

void Finetuning::tune(const Places& places)
{
    tell("learning");
    tuner_->remind_of_pack(options_.pack.empty() ? resource_folder("replay") / "replay.safetensors" : options_.pack);
    remind_of_library(engine_, *tuner_, media_.sources, cancel_);
    const std::optional<int64_t> before = tuner_->recall_learned(places.weights, what_learning_depends_on());
    report_.learned_before = before.has_value();
    report_.steps = before ? *before
                           : tuner_->learn(
                               lesson_of(table_),
                               [&](const training::TuneProgress& step) {
                                   if (told_)
                                       told_({"learning", step.step, step.steps, step.loss, step.watched, seconds()});
                               },
                               cancel_);
    report_.blends = look_at_blends(
        table_, *tuner_, options_.blend, options_.seed, [&](int64_t done, int64_t of) { tell("measuring", done, of); }, cancel_);
    const BlendRow& chosen = chosen_blend(report_.blends);
    report_.blend = chosen.blend;
    if (chosen.retention.queries > 0)
        report_.retention = chosen.retention;
    tuned_ = vectors_of(table_, *tuner_, report_.blend, cancel_);
    const Layers layers = fit_layers(table_, tuned_, tuner_->background(report_.blend), seen, options_.seed, cancel_);
    measure_tuned(files_right(table_, ExampleTable::kHeldOut, scores_by(table_, tuned_, layers)));
}

void Finetuning::measure_tuned(const Tally& tuned)
{
    for (size_t i = 0; i < report_.classes.size(); ++i)
        report_.classes[i].tuned = estimated_share(tuned.right[i], tuned.of[i]);
    report_.all.tuned = estimated_share(tuned.all_right(), tuned.all());
}

/// Whatever got worse is said, with the way back.
void Finetuning::warn()
{
    const std::string back = "'imprint model use " + engine_.checkpoint().string() + "' goes back to the old model.";
    const auto points = [](double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%.1f", value);
        return std::string(text);
    };
    if (!report_.retention)
        report_.warnings.push_back("What general search lost was not measured: no pack fits this model. " + back);
    else if (report_.retention->loss() > kMostLoss)
        report_.warnings.push_back("General search got worse by " + points(report_.retention->loss())
                                   + " points. A smaller --blend keeps more of the old weights; " + back);
    if (!options_.blend && report_.blend == 0)
        report_.warnings.push_back(
            "The new weights were of no use, so the old ones were kept: --mode probe does the same in seconds.");
    if (report_.all.tuned->share < report_.all.probed.share)
        report_.warnings.push_back(
            "The new weights put fewer held-out files into their class than a layer over the old ones: --mode probe "
            "is the better choice here.");
}

/// The checkpoint comes to its name last, so that one that was there stays until all else is written.
void Finetuning::write(const Places& places)
{
    const auto all = [](int) { return true; };
    if (!tuner_) {
        report_.space = engine_.encoder().space();
        write_learned_set(places.label_set, label_set(places),
                          {report_.space, fit_layers(table_, table_.vectors, background(), all, options_.seed, cancel_)});
        return;
    }
    const Layers layers = fit_layers(table_, tuned_, tuner_->background(report_.blend), all, options_.seed, cancel_);
    fs::path partial = places.checkpoint;
    partial += ".new";
    try {
        tuner_->save(partial, report_.blend,
                     nlohmann::json{{"mode", finetune_mode_name(report_.mode)},
                                    {"classes", table_.classes.size()},
                                    {"files", report_.files},
                                    {"steps", report_.steps},
                                    {"blend", report_.blend},
                                    {"seed", options_.seed}}
                         .dump());
        report_.space = model::checkpoint_info(partial).at("space").get<std::string>();
        if (!report_.learned_before)
            tuner_->keep_learned(places.weights, what_learning_depends_on(), report_.steps);
        write_learned_set(places.label_set, label_set(places), {report_.space, layers});
        std::error_code none;
        if (fs::exists(calibration_file(engine_.checkpoint()), none))
            write_calibration(places.checkpoint, report_.space, engine_.background().reliability(),
                              "what it was learned from: " + engine_.encoder().space());
        fs::rename(partial, places.checkpoint);
    } catch (...) {
        std::error_code ignored;
        fs::remove(partial, ignored);
        if (!report_.learned_before)
            fs::remove(places.weights, ignored);
        throw;
    }
    report_.checkpoint = places.checkpoint;
}

FinetuneReport Finetuning::run()
{
    check_options();
    tell("reading");
    media_ = options_.folder.empty() ? media_of_reviews(engine_, options_.from_labels)
                                     : media_of_folder(options_.folder, engine_.library_folder(), cancel_);
    report_.name = media_.name;
    report_.mode = options_.mode;
    if (report_.mode == FinetuneMode::Auto)
        report_.mode = std::max(mode_for(median_files()), options_.blend ? FinetuneMode::Lora : FinetuneMode::Probe);
    if (options_.blend && report_.mode == FinetuneMode::Probe)
        throw Error(ErrorKind::Usage, "--blend", "has nothing to blend: a probe leaves the weights as they are",
                    "Name --mode lora or --mode full with it");
    const Places places(options_.out.empty() ? learned_folder(engine_) / file_name_of(media_.name) : options_.out);
    engine_.encoder();
    make_room(places);
    if (report_.mode != FinetuneMode::Probe) {
        const auto scope = report_.mode == FinetuneMode::Lora ? training::TuneScope::Lora : training::TuneScope::Full;
        tuner_.emplace(engine_.checkpoint(),
                       training::TuneOptions{scope, options_.seed, engine_.options().encoder, options_.steps});
        thin_out();
    }
    read();

    tell("learning");
    const Layers layers = fit_layers(table_, table_.vectors, background(), seen, options_.seed, cancel_);
    tell("measuring");
    measure(by_name(), files_right(table_, ExampleTable::kHeldOut, scores_by(table_, table_.vectors, layers)));
    if (tuner_) {
        tune(places);
        warn();
    }
    tell("writing");
    write(places);
    report_.label_set = places.label_set;
    report_.seconds = seconds();
    if (told_)  // too late to be cancelled
        told_({"done", 0, 0, {}, {}, report_.seconds});
    return report_;
}

}  // namespace

const char* finetune_mode_name(FinetuneMode mode)
{
    static constexpr const char* kNames[] = {"auto", "probe", "lora", "full"};
    return kNames[static_cast<size_t>(mode)];
}

FinetuneMode mode_for(int64_t files_of_median_class)
{
    // With 20 files in each class a layer over the old weights was as good as new weights (tests/interop/finetune.py).
    constexpr int64_t kEnoughForLora = 50, kEnoughForFull = 1000;
    return files_of_median_class < kEnoughForLora ? FinetuneMode::Probe
        : files_of_median_class < kEnoughForFull  ? FinetuneMode::Lora
                                                  : FinetuneMode::Full;
}

fs::path learned_folder(const Engine& engine) { return engine.library_folder() / "learned"; }

std::vector<fs::path> learned_label_sets(const Engine& engine)
{
    std::error_code none;  // where nothing was learned yet
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(learned_folder(engine), none))
        if (entry.path().extension() == ".toml")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

fs::path find_label_set(const Engine& engine, const std::string& named)
{
    std::error_code ignored;
    for (const fs::path& file : learned_label_sets(engine))
        if (file.stem() == named && !fs::is_regular_file(named, ignored))
            return file;
    return find_label_set(named);
}

FinetuneReport finetune(Engine& engine, const FinetuneOptions& options,
                        const std::function<void(const FinetuneProgress&)>& progress, const CancelToken& cancel)
{
    return Finetuning(engine, options, progress, cancel).run();
}

}  // namespace imprint::jobs
