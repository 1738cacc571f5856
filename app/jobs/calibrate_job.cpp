// SPDX-License-Identifier: Apache-2.0
// Pools become known hits, known hits a fit.
#include "app/jobs/calibrate_job.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>

#include "app/jobs/calibration_file.h"
#include "app/jobs/pool_library.h"
#include "core/base/error.h"

namespace imprint::jobs {
namespace {

namespace fs = std::filesystem;
constexpr int kFirst = 10;

/// Gone with what is in it when the block ends.
class TemporaryFolder {
public:
    TemporaryFolder() : path_((fs::temp_directory_path() / "imprint-calibrate-XXXXXX").native())
    {
        if (!::mkdtemp(path_.data()))
            throw_errno(errno, path_, "make a folder");
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    fs::path path() const { return path_; }

private:
    std::string path_;
};

void note(const PoolLibrary& library, const PoolLibrary::Answer& answer, double weight, std::vector<index::KnownHit>& known)
{
    const auto m = static_cast<int>(library.modality());
    int rank = 0;
    for (const PoolLibrary::Hit& hit : answer.hits)
        known.push_back({static_cast<double>(answer.background.reliability.of[m].standardised(hit.score)),
                         answer.background.expected(hit.score, library.modality(), library.moments()), hit.right, ++rank,
                         weight});
}

void ask_all(PoolLibrary& library, const evaluation::Queries& queries, const std::vector<size_t>& questions,
             std::vector<index::KnownHit>& known, const CancelToken& cancel)
{
    for (const size_t q : questions) {
        cancel.check();
        note(library, library.ask(queries.labels[q], queries.relevant[q], kFirst, true),
             1 / static_cast<double>(questions.size()), known);
    }
}

/// What is like the first item of each question that has another.
void show_all(PoolLibrary& library, const evaluation::Queries& queries, std::vector<size_t> questions,
              std::vector<index::KnownHit>& known, const CancelToken& cancel)
{
    std::erase_if(questions, [&](size_t q) { return queries.relevant[q].size() < 2; });
    for (const size_t q : questions) {
        cancel.check();
        note(library, library.like(queries.relevant[q].front(), queries.relevant[q], kFirst, true),
             1 / static_cast<double>(questions.size()), known);
    }
}

bool enough(const std::vector<index::KnownHit>& known)
{
    return std::count_if(known.begin(), known.end(), [](const index::KnownHit& hit) { return hit.right; }) >= index::kFewestRight;
}

}  // namespace

Calibration calibrate(const CalibrateOptions& options, const CancelToken& cancel)
{
    const fs::path corpus = options.corpus.empty() ? evaluation::default_corpus() : options.corpus;
    Calibration result;
    std::vector<index::KnownHit> known[2], known_by_example[2];
    std::string pools;
    fs::path checkpoint;
    for (const std::string& name : evaluation::pool_names()) {
        const evaluation::Pool pool = evaluation::read_pool(corpus, name);
        const evaluation::Queries queries = evaluation::queries_of(pool);
        const std::vector<size_t> questions = questions_of(pool, queries, Part::Fitted);
        const TemporaryFolder folder;
        EngineOptions own = options.engine;
        own.library = folder.path();
        Engine engine(own);
        PoolLibrary library(engine, pool, cancel);
        const auto m = static_cast<size_t>(library.modality());
        ask_all(library, queries, questions, known[m], cancel);
        show_all(library, queries, questions, known_by_example[m], cancel);
        result.space = engine.encoder().space();
        checkpoint = engine.checkpoint();
        result.questions[m] += static_cast<int64_t>(questions.size());
        pools += (pools.empty() ? "" : ", ") + std::to_string(questions.size()) + " questions of " + name;
        if (options.log)
            options.log(name + ": " + std::to_string(pool.items.size()) + " items, " + std::to_string(questions.size())
                        + " questions");
    }
    for (const Modality modality : {Modality::Picture, Modality::Sound}) {
        const auto m = static_cast<size_t>(modality);
        result.reliability.of[m] = index::fit_reliability(known[m]);
        result.reliability.by_example[m] =
            enough(known_by_example[m]) ? index::fit_reliability(known_by_example[m]) : result.reliability.of[m];
    }
    write_calibration(checkpoint, result.space, result.reliability, pools);
    result.file = calibration_file(checkpoint);
    return result;
}

}  // namespace imprint::jobs
