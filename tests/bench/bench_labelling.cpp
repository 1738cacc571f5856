// SPDX-License-Identifier: Apache-2.0
// Labelling video without training: films made of held-out photographs whose boundaries are known, moving slowly over them
// (the corpus's pool panzoom) and cut hard from one to the next (slideshows of the same photographs, made here). Against
// labelling each frame by ConSE. Prints the F1 of labelled spans and the accuracy at 80 % coverage, with intervals over films.
// ConSE answers everywhere; so does the program where "none" and abstention are taken from it ("an answer everywhere"). Then what
// the shipped sets say of each sample clip.
//
//   bench_labelling [CHECKPOINT]
//
// Exit: 0 where our labels, with an answer everywhere, are no worse than ConSE's in all four figures, 1 not, 3 cannot.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "app/jobs/jobs.h"
#include "app/jobs/label_keys.h"
#include "app/jobs/label_posterior.h"
#include "app/jobs/resources.h"
#include "training/evaluation/metrics.h"
#include "training/evaluation/pools.h"

namespace {

namespace fs = std::filesystem;
using namespace imprint;

constexpr double kFrameEvery = 0.5, kOverlap = 0.5, kCoverage = 0.8;
constexpr int kRounds = 1000;
constexpr uint64_t kSeed = 1;

struct Span {
    double from = 0, to = 0;
    int label = -1;
};

struct Film {
    fs::path file;
    std::vector<Span> truth;
    std::vector<fs::path> photos;
};

/// What a system says of one film: spans, and at every half second a label with its confidence.
struct Said {
    std::vector<Span> spans;
    std::vector<std::pair<double, bool>> frames;  ///< confidence, right
};

struct Pool {
    std::vector<Film> films;
    std::vector<std::string> labels;
    std::vector<int> texts;  ///< lines of texts.txt
};

Pool read_films(const fs::path& corpus)
{
    const fs::path list = corpus / "pools/panzoom.jsonl";
    std::ifstream in(list);
    if (!in)
        throw Error(ErrorKind::NotFound, list.string(), "the pool's list is not there",
                    "Prepare the corpus with training/corpus");
    Pool pool;
    std::map<std::string, int> known;
    for (std::string line; std::getline(in, line);) {
        const auto row = nlohmann::json::parse(line);
        Film& film = pool.films.emplace_back();
        film.file = corpus / row.at("path").get<std::string>();
        for (const auto& span : row.at("spans")) {
            const auto [label, fresh] = known.emplace(span.at("label").get<std::string>(), static_cast<int>(known.size()));
            if (fresh) {
                pool.labels.push_back(label->first);
                pool.texts.push_back(span.at("text"));
            }
            film.truth.push_back({span.at("from"), span.at("to"), label->second});
            film.photos.push_back(corpus / span.at("photo").get<std::string>());
        }
    }
    return pool;
}

/// The film's photographs for as long as it shows them, cut hard.
void make_slideshow(const Film& film, const fs::path& out)
{
    std::string inputs, fits, all;
    for (size_t i = 0; i < film.photos.size(); ++i) {
        inputs += " -loop 1 -framerate 10 -t " + std::to_string(film.truth[i].to - film.truth[i].from) + " -i '"
            + film.photos[i].string() + "'";
        fits += "[" + std::to_string(i)
            + ":v]scale=480:360:force_original_aspect_ratio=decrease,pad=480:360:(ow-iw)/2:(oh-ih)/2,setsar=1,"
              "format=yuv420p[v"
            + std::to_string(i) + "];";
        all += "[v" + std::to_string(i) + "]";
    }
    const std::string command = "ffmpeg -nostdin -v error -y" + inputs + " -filter_complex \"" + fits + all
        + "concat=n=" + std::to_string(film.photos.size()) + ":v=1:a=0\" -c:v mpeg4 -q:v 4 -r 10 '" + out.string() + "'";
    if (std::system(command.c_str()) != 0)
        throw Error(ErrorKind::Io, out.string(), "ffmpeg could not make it");
}

int label_at(const std::vector<Span>& spans, double t)
{
    const auto found = std::find_if(spans.begin(), spans.end(), [&](const Span& span) { return t >= span.from && t < span.to; });
    return found == spans.end() ? -1 : found->label;
}

/// Frame times well within the film.
std::vector<double> frame_times(const Film& film)
{
    std::vector<double> times;
    for (double t = kFrameEvery / 2; t < film.truth.back().to; t += kFrameEvery)
        times.push_back(t);
    return times;
}

/// What the program says of a film's moments.
struct Answers {
    std::vector<index::Moment> moments;
    std::vector<std::vector<double>> probabilities;
};

/// As the program labels: moments and vectors as indexed, prompts, background, smoothing, abstention.
Answers answers(jobs::Engine& engine, const jobs::LabelSet& set, const jobs::LabelKeys& keys, const jobs::EmbeddedFile& embedded,
                const jobs::LabelOptions& options)
{
    const Vectors& bank = engine.encoder().text_bank();
    std::vector<index::Moment> moments;
    Vectors vectors{embedded.vectors.dim, {}};
    std::vector<std::vector<double>> probabilities;
    for (size_t i = 0; i < embedded.moments.size(); ++i) {
        if (embedded.moments[i].modality != Modality::Picture)
            continue;
        const auto vector = embedded.vectors.row(static_cast<int>(i));
        std::vector<double> cosines;
        for (int text = 0; text < bank.count(); ++text)
            cosines.push_back(std::inner_product(vector.begin(), vector.end(), bank.row(text).begin(), 0.0));
        const double mean = std::accumulate(cosines.begin(), cosines.end(), 0.0) / static_cast<double>(cosines.size());
        double squares = 0;
        for (const double cosine : cosines)
            squares += (cosine - mean) * (cosine - mean) / static_cast<double>(cosines.size());
        moments.push_back(embedded.moments[i]);
        vectors.append(vector);
        probabilities.push_back(jobs::label_probabilities(
            set, keys.scores(vector, static_cast<float>(mean), static_cast<float>(std::sqrt(squares)), Modality::Picture),
            options));
    }
    if (options.smooth)
        jobs::smooth_labels(set, moments, vectors, options, probabilities);
    return {moments, probabilities};
}

Said by_program(jobs::Engine& engine, const jobs::LabelSet& set, const jobs::LabelKeys& keys, const Film& film,
                const jobs::EmbeddedFile& embedded, const jobs::LabelOptions& options)
{
    const auto [moments, probabilities] = answers(engine, set, keys, embedded, options);
    Said said;
    std::vector<std::vector<int>> labels;
    std::vector<double> sure;
    std::vector<Span> best;
    for (size_t i = 0; i < moments.size(); ++i) {
        const jobs::Guess guess = jobs::decide(set, probabilities[i], options);
        labels.push_back(guess.decided ? guess.labels : std::vector<int>{});
        const auto last = probabilities[i].end() - 1;
        const auto top = std::max_element(probabilities[i].begin(), last);
        sure.push_back(*top);
        best.push_back({*moments[i].start, *moments[i].end, static_cast<int>(top - probabilities[i].begin())});
    }
    for (const jobs::LabelSpan& span : jobs::label_spans(moments, labels, sure))
        said.spans.push_back({*span.moment.start, *span.moment.end, span.label});
    for (const double t : frame_times(film)) {
        const auto here = std::find_if(best.begin(), best.end(), [&](const Span& span) { return t >= span.from && t < span.to; });
        const double confidence = here == best.end() ? 0 : sure[static_cast<size_t>(here - best.begin())];
        said.frames.emplace_back(confidence, here != best.end() && here->label == label_at(film.truth, t));
    }
    return said;
}

/// Each frame by itself gets the label whose text is nearest to its concept vector; equal neighbours make a span.
Said by_conse(jobs::Engine& engine, const Vectors& keys, const Film& film)
{
    const std::vector<double> times = frame_times(film);
    const Vectors frames =
        engine.encoder().concept_vectors(engine.decoder().frames(film.file, times, {engine.encoder().picture_sizes()}));
    Said said;
    for (int i = 0; i < frames.count(); ++i) {
        std::vector<double> cosines;
        for (int key = 0; key < keys.count(); ++key)
            cosines.push_back(std::inner_product(frames.row(i).begin(), frames.row(i).end(), keys.row(key).begin(), 0.0));
        const int label = static_cast<int>(std::max_element(cosines.begin(), cosines.end()) - cosines.begin());
        const double t = times[static_cast<size_t>(i)];
        std::vector<double> sorted = cosines;
        std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
        said.frames.emplace_back(cosines[static_cast<size_t>(label)] - sorted[1], label == label_at(film.truth, t));
        if (!said.spans.empty() && said.spans.back().label == label)
            said.spans.back().to = t + kFrameEvery / 2;
        else
            said.spans.push_back({t - kFrameEvery / 2, t + kFrameEvery / 2, label});
    }
    return said;
}

/// Labels right that overlap the truth by at least half of both together, against all that were said and all there are.
double span_f1(const std::vector<Film>& films, const std::vector<Said>& said, const std::vector<size_t>& which)
{
    double hits = 0, all = 0;
    for (const size_t f : which) {
        for (const Span& truth : films[f].truth)
            hits += std::any_of(said[f].spans.begin(), said[f].spans.end(), [&](const Span& span) {
                const double common = std::min(span.to, truth.to) - std::max(span.from, truth.from);
                return span.label == truth.label && common >= kOverlap * (span.to - span.from + truth.to - truth.from - common);
            });
        all += static_cast<double>(films[f].truth.size() + said[f].spans.size());
    }
    return all > 0 ? 2 * hits / all : 0;
}

double accuracy_at_coverage(const std::vector<Said>& said, const std::vector<size_t>& which)
{
    std::vector<std::pair<double, bool>> frames;
    for (const size_t f : which)
        frames.insert(frames.end(), said[f].frames.begin(), said[f].frames.end());
    std::stable_sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    frames.resize(static_cast<size_t>(kCoverage * static_cast<double>(frames.size())));
    return static_cast<double>(std::count_if(frames.begin(), frames.end(), [](const auto& frame) { return frame.second; }))
        / static_cast<double>(std::max<size_t>(1, frames.size()));
}

/// The figure on all films and its 95 % interval over films drawn anew.
template <typename F>
std::string with_interval(size_t films, const F& figure, double& value)
{
    std::vector<size_t> all(films);
    std::iota(all.begin(), all.end(), size_t{0});
    value = figure(all);
    std::mt19937_64 random(kSeed);
    std::vector<double> values;
    for (int round = 0; round < kRounds; ++round) {
        std::vector<size_t> drawn(films);
        for (size_t& film : drawn)
            film = static_cast<size_t>(random() % films);
        values.push_back(figure(drawn));
    }
    std::sort(values.begin(), values.end());
    char text[64];
    std::snprintf(text, sizeof text, "%.1f (%.1f–%.1f)", 100 * value, 100 * values[kRounds * 25 / 1000],
                  100 * values[kRounds * 975 / 1000]);
    return text;
}

/// What each shipped set that looks at pictures says of each sample clip, span by span.
void list_clips(jobs::Engine& engine)
{
    std::printf("\n| clip | set | spans |\n|---|---|---|\n");
    std::vector<fs::path> clips;
    for (const fs::directory_entry& entry : fs::directory_iterator(jobs::resource_folder("samples")))
        if (entry.path().extension() == ".mp4")
            clips.push_back(entry.path());
    std::sort(clips.begin(), clips.end());
    for (const fs::path& file : jobs::shipped_label_sets()) {
        const jobs::LabelSet set = jobs::read_label_set(file);
        if (set.looks_at != std::vector{Modality::Picture})
            continue;
        const jobs::LabelKeys keys = jobs::label_keys(engine, set);
        for (const fs::path& clip : clips) {
            const jobs::LabelOptions options;
            const auto [moments, probabilities] = answers(engine, set, keys, jobs::embed_file(engine, clip), options);
            std::vector<std::vector<int>> labels;
            std::vector<double> sure;
            for (const auto& row : probabilities) {
                const jobs::Guess guess = jobs::decide(set, row, options);
                labels.push_back(guess.decided ? guess.labels : std::vector<int>{});
                sure.push_back(guess.probability);
            }
            std::printf("| %s | %s |", clip.filename().c_str(), set.name.c_str());
            const char* separator = " ";
            for (const jobs::LabelSpan& span : jobs::label_spans(moments, labels, sure)) {
                std::printf("%s%.1f–%.1f s %s (%.0f %%)", separator, *span.moment.start, *span.moment.end,
                            set.classes[static_cast<size_t>(span.label)].name.c_str(), 100 * span.probability);
                separator = ", ";
            }
            std::printf("%s |\n", separator[0] == ' ' ? " none" : "");
        }
    }
}

int measure(const fs::path& checkpoint, const fs::path& folder)
{
    const fs::path corpus = evaluation::default_corpus();
    const Pool pool = read_films(corpus);
    jobs::Engine engine({.library = folder / "library", .checkpoint = checkpoint, .encoder = {}, .decoder = {}});
    jobs::LabelSet set;
    set.looks_at = {Modality::Picture};
    for (const std::string& label : pool.labels)
        set.classes.push_back({label, {}, {}, -1});
    const jobs::LabelKeys keys = jobs::label_keys(engine, set);
    const evaluation::Teacher teacher(corpus);
    Vectors conse_keys{teacher.dim(), {}};
    for (const int line : pool.texts)
        conse_keys.append(teacher.centred(line));

    std::printf("%zu films, %zu labels, model %s; in %%, with the 95 %% interval over films\n\n", pool.films.size(),
                pool.labels.size(), engine.encoder().space().c_str());
    std::printf("| films | system | F1 of spans | accuracy at 80 %% coverage |\n|---|---|---|---|\n");
    bool good = true;
    for (const bool moving : {true, false}) {
        std::vector<Film> films = pool.films;
        if (!moving)
            for (size_t f = 0; f < films.size(); ++f) {
                films[f].file = folder / ("slides-" + std::to_string(f) + ".mp4");
                make_slideshow(pool.films[f], films[f].file);
            }
        std::vector<Said> ours, everywhere, unsmoothed, conse;
        const jobs::LabelOptions options, answering{.none_at = -100, .confidence = 0};
        jobs::LabelOptions plain = answering;
        plain.smooth = false;
        for (const Film& film : films) {
            const jobs::EmbeddedFile embedded = jobs::embed_file(engine, film.file);
            ours.push_back(by_program(engine, set, keys, film, embedded, options));
            everywhere.push_back(by_program(engine, set, keys, film, embedded, answering));
            unsmoothed.push_back(by_program(engine, set, keys, film, embedded, plain));
            conse.push_back(by_conse(engine, conse_keys, film));
        }
        double best[2] = {}, other[2] = {}, ignored = 0;
        const auto row = [&](const char* name, const std::vector<Said>& said, double& f1, double& accuracy) {
            const std::string spans = with_interval(
                films.size(), [&](const auto& which) { return span_f1(films, said, which); }, f1);
            const std::string frames = with_interval(
                films.size(), [&](const auto& which) { return accuracy_at_coverage(said, which); }, accuracy);
            std::printf("| %s | %s | %s | %s |\n", moving ? "pan and zoom" : "slideshow", name, spans.c_str(), frames.c_str());
        };
        row("Imprint", ours, ignored, ignored);
        row("Imprint, an answer everywhere", everywhere, best[0], best[1]);
        row("the same, not smoothed", unsmoothed, ignored, ignored);
        row("ConSE, each frame", conse, other[0], other[1]);
        std::fflush(stdout);
        good = good && best[0] >= other[0] && best[1] >= other[1];
    }
    list_clips(engine);
    return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    std::string made = (fs::temp_directory_path() / "labelling-XXXXXX").native();
    try {
        if (!::mkdtemp(made.data()))
            throw_errno(errno, made, "make a folder");
        const int code = measure(argc > 1 ? argv[1] : "", made);
        fs::remove_all(made);
        return code;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_labelling: %s\n", error.what());
        fs::remove_all(made);
        return 3;
    }
}
