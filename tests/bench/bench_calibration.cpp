// SPDX-License-Identifier: Apache-2.0
// What "nothing here" is worth: on an evaluation pool, as a library of its own and searched by meaning alone (its files are
// named after what they show), how many questions of random letters return nothing, how many right hits the cut keeps, what
// a best score tells of whether a thing is there at all (the ROC), and whether the expected shares of wrong hits come true.
//
//   bench_calibration POOL [LIBRARY [CHECKPOINT]]     POOL: photos, sounds, drawings; LIBRARY is kept, and used again
//
// Exit: 0 within the aims (95 % of nonsense returns nothing, 90 % of right hits are kept), 1 not, 2 wrong usage, 3 cannot.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "app/jobs/jobs.h"
#include "app/jobs/query_vector.h"
#include "app/jobs/scan.h"
#include "training/evaluation/pools.h"

namespace {

using namespace imprint;

constexpr int kNonsense = 200, kFirst = 10;
constexpr double kQuiet = 0.95, kKept = 0.90;

/// Four kinds: letters, keyboard rows, syllables, words with their letters
/// shuffled.
std::vector<std::string> nonsense()
{
    static const std::vector<std::string> rows{"qwertyuiop", "asdfghjkl", "zxcvbnm"};
    static const std::vector<std::string> words{"elephant", "mountain", "birthday", "keyboard", "umbrella",
                                                "sandwich", "airplane", "bicycle",  "hospital", "strawberry"};
    std::mt19937 random(4711);
    const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
    std::vector<std::string> texts;
    for (int i = 0; i < kNonsense; ++i) {
        std::string text;
        for (size_t left = 1 + pick(3); left > 0; --left) {
            std::string word;
            if (i % 4 == 0) {
                for (size_t n = 4 + pick(7); n > 0; --n)
                    word += static_cast<char>('a' + pick(26));
            } else if (i % 4 == 1) {
                const std::string& row = rows[pick(3)];
                for (size_t n = 4 + pick(6); n > 0; --n)
                    word += row[pick(row.size())];
            } else if (i % 4 == 2) {
                for (size_t n = 2 + pick(3); n > 0; --n)
                    (word += "bdfgklmnprstvz"[pick(14)]) += "aeiou"[pick(5)];
            } else {
                word = words[pick(words.size())];
                for (size_t n = word.size(); n > 1; --n)
                    std::swap(word[n - 1], word[pick(n)]);
            }
            text += (text.empty() ? "" : " ") + word;
        }
        texts.push_back(text);
    }
    return texts;
}

class Bench {
public:
    Bench(jobs::Engine& engine, const evaluation::Pool& pool) : engine_(engine), searcher_(engine.library_folder())
    {
        for (size_t i = 0; i < pool.items.size(); ++i)
            item_of_[jobs::catalog_path(pool.items[i].file).native()].push_back(static_cast<int>(i));
    }

    struct Hit {
        double score, wrong_share;
        index::Band band;
        bool right;
    };
    /// The pool's files, best first.
    std::vector<Hit> ask(const std::string& text, const std::vector<int>& relevant, int k, bool all)
    {
        const jobs::QueryVector made = jobs::query_vector(engine_, searcher_, jobs::parse_words({text}), {}, {});
        index::Query query{.vector = made.vector, .filter = {}, .k = k, .all = all};
        query.meaningless = made.meaningless;
        noise += made.meaningless ? 1 : 0;
        std::vector<Hit> hits;
        for (const index::FileHit& hit : searcher_.search(query, engine_.background().of(made.vector))) {
            const auto items = item_of_.find(hit.path.native());
            if (items == item_of_.end())
                continue;
            const bool right = std::any_of(items->second.begin(), items->second.end(),
                                           [&](int item) { return std::binary_search(relevant.begin(), relevant.end(), item); });
            hits.push_back({static_cast<double>(hit.score), static_cast<double>(hit.wrong_share), hit.band, right});
        }
        return hits;
    }
    int noise = 0;  ///< questions that were taken for noise

private:
    jobs::Engine& engine_;
    index::Searcher searcher_;
    std::map<std::string, std::vector<int>> item_of_;
};

/// The chance that a question whose thing is there has a better best score than one whose thing is not.
double area(const std::vector<double>& there, const std::vector<double>& absent)
{
    double wins = 0;
    for (const double a : there)
        for (const double b : absent)
            wins += a > b ? 1 : a == b ? 0.5 : 0;
    return wins / (static_cast<double>(there.size()) * static_cast<double>(absent.size()));
}

double share_from(const std::vector<double>& values, double from)
{
    return static_cast<double>(std::count_if(values.begin(), values.end(), [&](double v) { return v >= from; }))
        / static_cast<double>(values.size());
}

int measure(const std::string& name, const std::filesystem::path& library, const std::filesystem::path& checkpoint)
{
    const evaluation::Pool pool = evaluation::read_pool(evaluation::default_corpus(), name);
    std::vector<std::filesystem::path> files;
    for (const evaluation::Item& item : pool.items)
        files.push_back(item.file);
    jobs::Engine engine({.library = library, .checkpoint = checkpoint, .encoder = {}, .decoder = {}});
    const jobs::IndexReport indexed = jobs::index_paths(engine, files);
    std::fprintf(stderr, "%s: %lld files, %zu failed\n", name.c_str(), static_cast<long long>(indexed.files),
                 indexed.failed.size());

    Bench bench(engine, pool);
    int quiet = 0;
    for (const std::string& text : nonsense())
        quiet += bench.ask(text, {}, kFirst, false).empty() ? 1 : 0;
    const int called_noise = std::exchange(bench.noise, 0);

    const evaluation::Queries queries = evaluation::queries_of(pool);
    std::vector<double> there, absent, right_scores;
    double kept = 0;
    int still_maybe = 0, still_likely = 0;
    std::map<int, std::pair<double, double>> wrong;  // by rank: expected, happened
    for (size_t q = 0; q < queries.labels.size(); ++q) {
        const auto all = bench.ask(queries.labels[q], queries.relevant[q], static_cast<int>(pool.items.size()), true);
        const auto shown = bench.ask(queries.labels[q], queries.relevant[q], kFirst, false);
        for (size_t i = 0; i < std::min<size_t>(kFirst, all.size()); ++i)
            if (all[i].right)
                right_scores.push_back(all[i].score);
        for (const Bench::Hit& hit : shown)
            kept += hit.right ? 1 : 0;
        there.push_back(all.front().score);
        const auto other = std::find_if(all.begin(), all.end(), [](const Bench::Hit& hit) { return !hit.right; });
        absent.push_back(other == all.end() ? -10 : other->score);
        still_maybe += other != all.end() && other->band != index::Band::Unlikely ? 1 : 0;
        still_likely += other != all.end() && other->band == index::Band::Likely ? 1 : 0;
        for (const int rank : {1, 3, 10}) {
            int mistakes = 0;
            for (int i = 0; i < rank; ++i)
                mistakes += all[static_cast<size_t>(i)].right ? 0 : 1;
            wrong[rank].first += all[static_cast<size_t>(rank) - 1].wrong_share;
            wrong[rank].second += static_cast<double>(mistakes) / rank;
        }
    }
    const auto right = static_cast<double>(right_scores.size());
    const auto asked = static_cast<double>(queries.labels.size());
    std::printf("pool %s, %zu items, %.0f questions, model %s\n\n", name.c_str(), pool.items.size(), asked,
                engine.encoder().space().c_str());
    std::printf("%-64s %6.1f %%  (aim %.0f)\n", "nonsense questions that return nothing, of 200", 100.0 * quiet / kNonsense,
                100 * kQuiet);
    std::printf("%-64s %6.1f %%\n", "  known as noise from the words alone", 100.0 * called_noise / kNonsense);
    std::printf("%-64s %6.1f %%\n", "true questions taken for noise", 50.0 * bench.noise / asked);
    std::printf("%-64s %6.1f %%  (aim %.0f)\n", "right hits among the first ten that the cut keeps",
                100 * kept / std::max(1.0, right), 100 * kKept);
    std::printf("%-64s %6.1f %% / %.1f %%\n\n", "a thing taken out, and something is called maybe / likely",
                100.0 * still_maybe / asked, 100.0 * still_likely / asked);
    std::printf("A thing that is there against the same question without it (its files taken out); area under the ROC %.3f\n\n",
                area(there, absent));
    std::printf("| cut | there: returns something | absent: returns something | right hits kept |\n|---|---|---|---|\n");
    for (const double cut : {1.5, 2.0, 2.2, 2.5, 2.8, 3.0, 3.5, 4.0, 5.0, 6.0})
        std::printf("| %.1f | %.3f | %.3f | %.3f |\n", cut, share_from(there, cut), share_from(absent, cut),
                    share_from(right_scores, cut));
    std::printf("\n| down to rank | expected share of wrong hits | happened |\n|---|---|---|\n");
    for (const auto& [rank, shares] : wrong)
        std::printf("| %d | %.3f | %.3f |\n", rank, shares.first / asked, shares.second / asked);
    return quiet >= kQuiet * kNonsense && kept >= kKept * right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || argc > 4) {
        std::fprintf(stderr, "usage: bench_calibration POOL [LIBRARY [CHECKPOINT]]\n");
        return 2;
    }
    try {
        if (argc > 2)
            return measure(argv[1], argv[2], argc > 3 ? argv[3] : "");
        std::string made = (std::filesystem::temp_directory_path() / "calibration-XXXXXX").native();
        if (!::mkdtemp(made.data()))
            throw_errno(errno, made, "make a folder");
        const int code = measure(argv[1], made, "");
        std::filesystem::remove_all(made);
        return code;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_calibration: %s\n", error.what());
        return 3;
    }
}
