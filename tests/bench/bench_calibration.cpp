// SPDX-License-Identifier: Apache-2.0
// What "nothing here" is worth: on an evaluation pool, as a library of its own and searched by meaning alone (its files are
// named after what they show), how many questions of random letters return nothing, how many right hits the cut keeps, what
// a best score tells of whether a thing is there at all (the ROC), and whether the expected shares of wrong hits come true: on
// questions that `imprint model calibrate` did not look at.
//
//   bench_calibration POOL [LIBRARY [CHECKPOINT]]     POOL: photos, drawings, sounds, both; LIBRARY is kept, and used again
//
// Exit: 0 within the aims (95 % of nonsense returns nothing, 90 % of right hits are kept), 1 not, 2 wrong usage, 3 cannot.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <utility>

#include "app/jobs/pool_library.h"

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

/// "both": the photographs and the sounds in one library, as people have them.
evaluation::Pool pool_of(const std::string& name)
{
    if (name != "both")
        return evaluation::read_pool(evaluation::default_corpus(), name);
    evaluation::Pool pool = evaluation::read_pool(evaluation::default_corpus(), "photos");
    const evaluation::Pool sounds = evaluation::read_pool(evaluation::default_corpus(), "sounds");
    pool.name = name;
    pool.items.insert(pool.items.end(), sounds.items.begin(), sounds.items.end());
    return pool;
}

/// The same shares where one of the right items is shown, not named.
void by_example(jobs::PoolLibrary& library, const evaluation::Queries& queries, const std::vector<size_t>& questions)
{
    std::map<int, std::pair<double, double>> wrong;
    int asked = 0;
    for (const size_t q : questions) {
        if (queries.relevant[q].size() < 2)
            continue;
        const auto hits = library.like(queries.relevant[q].front(), queries.relevant[q], kFirst, true).hits;
        ++asked;
        for (const int rank : {1, 3, 10}) {
            const auto mistakes = std::count_if(hits.begin(), hits.begin() + rank, [](const auto& hit) { return !hit.right; });
            // The example itself stands before them, and is none of the wrong ones.
            wrong[rank].first += hits[static_cast<size_t>(rank) - 1].wrong_share * (rank + 1) / rank;
            wrong[rank].second += static_cast<double>(mistakes) / rank;
        }
    }
    std::printf("\n%d questions by example, without itself\n\n| down to rank | expected share of wrong hits | happened "
                "|\n|---|---|---|\n",
                asked);
    for (const auto& [rank, shares] : wrong)
        std::printf("| %d | %.3f | %.3f |\n", rank, shares.first / asked, shares.second / asked);
}

int measure(const std::string& name, const std::filesystem::path& folder, const std::filesystem::path& checkpoint)
{
    const evaluation::Pool pool = pool_of(name);
    jobs::Engine engine({.library = folder, .checkpoint = checkpoint, .encoder = {}, .decoder = {}});
    jobs::PoolLibrary library(engine, pool);

    int quiet = 0, called_noise = 0;
    for (const std::string& text : nonsense()) {
        const jobs::PoolLibrary::Answer answer = library.ask(text, {}, kFirst, false);
        quiet += answer.hits.empty() ? 1 : 0;
        called_noise += answer.meaningless ? 1 : 0;
    }

    const evaluation::Queries queries = evaluation::queries_of(pool);
    const std::vector<size_t> questions = jobs::questions_of(pool, queries, jobs::Part::Reported);
    if (questions.empty())
        throw Error(ErrorKind::Usage, name, "scores are fitted on all its questions",
                    "Choose among photos, drawings, sounds, both");
    std::vector<double> there, absent, right_scores;
    double kept = 0;
    int mistaken = 0, still_maybe = 0, still_likely = 0, likely = 0, likely_wrong = 0;
    std::map<int, std::pair<double, double>> wrong;  // by rank: expected, happened
    for (const size_t q : questions) {
        const auto answer = library.ask(queries.labels[q], queries.relevant[q], static_cast<int>(pool.items.size()), true);
        const auto& all = answer.hits;
        mistaken += answer.meaningless ? 1 : 0;
        for (size_t i = 0; i < std::min<size_t>(kFirst, all.size()); ++i)
            if (all[i].right)
                right_scores.push_back(static_cast<double>(all[i].score));
        for (const auto& hit : library.ask(queries.labels[q], queries.relevant[q], kFirst, false).hits) {
            kept += hit.right ? 1 : 0;
            likely += hit.band == index::Band::Likely ? 1 : 0;
            likely_wrong += hit.band == index::Band::Likely && !hit.right ? 1 : 0;
        }
        there.push_back(static_cast<double>(all.front().score));
        const auto other = std::find_if(all.begin(), all.end(), [](const auto& hit) { return !hit.right; });
        absent.push_back(other == all.end() ? -10 : static_cast<double>(other->score));
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
    const auto asked = static_cast<double>(questions.size());
    std::printf("pool %s, %zu items, %.0f questions that nothing was fitted on, model %s\n\n", name.c_str(), pool.items.size(),
                asked, engine.encoder().space().c_str());
    std::printf("%-64s %6.1f %%  (aim %.0f)\n", "nonsense questions that return nothing, of 200", 100.0 * quiet / kNonsense,
                100 * kQuiet);
    std::printf("%-64s %6.1f %%\n", "  known as noise from the words alone", 100.0 * called_noise / kNonsense);
    std::printf("%-64s %6.1f %%\n", "true questions taken for noise", 100.0 * mistaken / asked);
    std::printf("%-64s %6.1f %%  (aim %.0f)\n", "right hits among the first ten that the cut keeps",
                100 * kept / std::max(1.0, right), 100 * kKept);
    std::printf("%-64s %6.1f %% of %d\n", "wrong among the hits that are called likely",
                100.0 * likely_wrong / std::max(1, likely), likely);
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
    by_example(library, queries, questions);
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
