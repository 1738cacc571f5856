// SPDX-License-Identifier: Apache-2.0
// Known items, and the clock.
#include "app/jobs/bench_job.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "core/base/error.h"

namespace imprint::jobs {
namespace {

constexpr int kFirst = 10;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// At most `most` of them, evenly spread.
template <typename T>
std::vector<T> spread(const std::vector<T>& all, int most)
{
    const size_t wanted = std::min(all.size(), static_cast<size_t>(most));
    std::vector<T> some;
    for (size_t i = 0; i < wanted; ++i)
        some.push_back(all[i * all.size() / wanted]);
    return some;
}

std::vector<index::FileRow> all_files(const Engine& engine)
{
    constexpr int64_t kPage = 4000;
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    std::vector<index::FileRow> files;
    for (int64_t offset = 0;; offset += kPage) {
        const std::vector<index::FileRow> page = library.files(offset, kPage);
        files.insert(files.end(), page.begin(), page.end());
        if (static_cast<int64_t>(page.size()) < kPage)
            return files;
    }
}

media::Picture mirrored(const media::Picture& picture)
{
    auto pixels = std::make_shared<std::vector<uint8_t>>(picture.rgb.size());
    const auto width = static_cast<size_t>(picture.width);
    for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y)
        for (size_t x = 0; x < width; ++x)
            std::copy_n(&picture.rgb[(y * width + x) * 3], 3, &(*pixels)[(y * width + width - 1 - x) * 3]);
    media::Picture result = picture;
    result.rgb = *pixels;
    result.owner = pixels;
    return result;
}

/// The words of a name that a person gave: letters only, three at least, no camera's counters.
std::string spoken_name(const std::filesystem::path& path)
{
    static const std::set<std::string> kCameras{"img", "dsc", "dscn", "dscf", "pxl", "vid", "mov", "screenshot", "image", "file"};
    std::string words, word;
    for (const char c : path.stem().native() + " ") {
        if (std::isalpha(static_cast<unsigned char>(c))) {
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            continue;
        }
        if (word.size() >= 3 && !kCameras.contains(word))
            words += (words.empty() ? "" : " ") + word;
        word.clear();
    }
    return words;
}

class Bench {
public:
    Bench(Engine& engine, const CancelToken& cancel)
        : engine_(engine), cancel_(cancel), searcher_(engine.library_folder(), searcher_options(engine)),
          files_(all_files(engine))
    {
        searcher_.settle(cancel);
    }

    LibraryBench run(int items)
    {
        result_.space = engine_.encoder().space();
        result_.counts = index::Library(engine_.library_folder(), index::OpenMode::ReadOnly).counts();
        ask_for_pictures(items);
        ask_for_moments(items);
        ask_by_name(items);
        compare_with_exact(items);
        const index::Searcher::State state = searcher_.state();
        result_.bytes = state.bytes;
        std::copy(std::begin(state.approximate), std::end(state.approximate), result_.approximate);
        return result_;
    }

private:
    std::vector<index::FileRow> files_where(const std::function<bool(const index::FileRow&)>& wanted) const
    {
        std::vector<index::FileRow> some;
        std::copy_if(files_.begin(), files_.end(), std::back_inserter(some), wanted);
        return some;
    }
    std::vector<index::FileHit> best(std::span<const float> vector, bool exact = false)
    {
        cancel_.check();
        index::Query query{.vector = {vector.begin(), vector.end()}, .filter = {}, .k = kFirst, .all = true};
        query.exact = exact;
        return searcher_.search(query, engine_.background().of(vector));
    }
    static void count(KnownItems& known, const std::vector<index::FileHit>& hits,
                      const std::function<bool(const index::FileHit&)>& right)
    {
        ++known.asked;
        known.first += !hits.empty() && right(hits.front()) ? 1 : 0;
        known.first_ten += std::any_of(hits.begin(), hits.end(), right) ? 1 : 0;
    }
    static void divide(KnownItems& known)
    {
        known.first /= std::max(1, known.asked);
        known.first_ten /= std::max(1, known.asked);
    }

    void ask_for_pictures(int items)
    {
        const auto pictures = spread(files_where([](const auto& row) { return row.probe.kind == media::Kind::Image; }), items);
        double seconds = 0;
        for (const index::FileRow& row : pictures) {
            try {
                const auto start = Clock::now();
                const media::Picture turned =
                    mirrored(engine_.decoder().still(row.facts.path, {.exact = engine_.encoder().picture_sizes()}, cancel_));
                const Vectors vector = engine_.encoder().encode_pictures({&turned, 1});
                seconds += seconds_since(start);
                count(result_.mirrored, best(vector.row(0)), [&](const auto& hit) { return hit.path == row.facts.path; });
            } catch (const Error& error) {
                pass_over(error);
            }
        }
        result_.images_per_second = seconds > 0 ? result_.mirrored.asked / seconds : 0;
        divide(result_.mirrored);
    }

    void ask_for_moments(int items)
    {
        const auto films =
            spread(files_where([](const auto& row) { return row.probe.kind != media::Kind::Image && row.moments > 0; }), items);
        for (const index::FileRow& row : films) {
            const index::Library library(engine_.library_folder(), index::OpenMode::ReadOnly);
            const std::vector<index::Moment> moments = library.moments(row.id);
            const index::Moment& moment = moments[moments.size() / 2];
            if (!moment.start || !moment.end)
                continue;
            const double half = (*moment.end - *moment.start) / 2;
            const double from = std::min(*moment.start + half, std::max(0.0, row.probe.duration - 2 * half));
            try {
                const EmbeddedFile asked =
                    embed_file(engine_, row.facts.path, from, std::min(row.probe.duration, from + 2 * half), cancel_);
                for (size_t i = 0; i < asked.moments.size(); ++i) {
                    if (asked.moments[i].modality != moment.modality)
                        continue;
                    count(result_.shifted, best(asked.vectors.row(static_cast<int>(i))),
                          [&](const auto& hit) { return hit.path == row.facts.path; });
                    break;
                }
            } catch (const Error& error) {
                pass_over(error);
            }
        }
        divide(result_.shifted);
    }

    void ask_by_name(int items)
    {
        const auto spoken =
            spread(files_where([](const auto& row) { return row.moments > 0 && !spoken_name(row.facts.path).empty(); }), items);
        std::vector<double> times;
        std::vector<std::vector<float>> asked;
        for (const index::FileRow& row : spoken) {
            const std::string words = spoken_name(row.facts.path);
            const auto start = Clock::now();
            const Vectors vector = encode_queries(engine_.encoder(), engine_.lexicon(), std::vector<std::string>{words});
            const std::vector<index::FileHit> hits = best(vector.row(0));
            times.push_back(1000 * seconds_since(start));
            count(result_.named, hits, [&](const auto& hit) { return spoken_name(hit.path) == words; });
        }
        divide(result_.named);
        if (times.empty())
            return;
        std::sort(times.begin(), times.end());
        result_.text_ms = times[times.size() / 2];
        result_.text_ms_p95 = times[std::min(times.size() - 1, times.size() * 95 / 100)];
    }

    /// By texts of the encoder's own bank: questions of the kind that people ask.
    void compare_with_exact(int items)
    {
        const Vectors& bank = engine_.encoder().text_bank();
        double found = 0, all = 0;
        std::vector<double> times;
        for (int i = 0; i < std::min(items, bank.count()); ++i) {
            const auto start = Clock::now();
            const std::vector<index::FileHit> exact = best(bank.row(i), true);
            times.push_back(1000 * seconds_since(start));
            std::set<std::string> wanted;
            for (const index::FileHit& hit : exact)
                wanted.insert(hit.path.native());
            for (const index::FileHit& hit : best(bank.row(i)))
                found += wanted.contains(hit.path.native()) ? 1 : 0;
            all += static_cast<double>(wanted.size());
        }
        result_.recall = all > 0 ? found / all : 1;
        std::sort(times.begin(), times.end());
        result_.exact_ms = times.empty() ? 0 : times[times.size() / 2];
    }

    /// A file that is away or was damaged since costs its place in the sample; being told to stop ends all.
    static void pass_over(const Error& error)
    {
        if (error.kind() == ErrorKind::Cancelled)
            throw error;
    }

    Engine& engine_;
    CancelToken cancel_;
    index::Searcher searcher_;
    std::vector<index::FileRow> files_;
    LibraryBench result_;
};

}  // namespace

LibraryBench bench_library(Engine& engine, int items, const CancelToken& cancel)
{
    check_space(engine);
    return Bench(engine, cancel).run(items);
}

}  // namespace imprint::jobs
