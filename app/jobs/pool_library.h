// SPDX-License-Identifier: Apache-2.0
// A pool of labelled media as a library of its own, asked for what its labels name: by meaning alone, since its files are
// named after what they show.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/jobs/jobs.h"
#include "training/evaluation/pools.h"

namespace imprint::jobs {

/// Questions that calibrate() may look at, and questions that a report may show: none is both.
enum class Part { Fitted, Reported };

/// The pool's questions of one part, ascending. Where items have a split, "dev" is fitted on; of the drawings every second
/// question is; the other pools are fitted on whole.
std::vector<size_t> questions_of(const evaluation::Pool& pool, const evaluation::Queries& queries, Part part);

class PoolLibrary {
public:
    /// Indexes the pool into the engine's library, which should hold nothing else. Throws as index_paths() and Searcher do.
    PoolLibrary(Engine& engine, const evaluation::Pool& pool, const CancelToken& cancel = {});

    struct Hit {
        std::filesystem::path path;
        float score = 0;  ///< calibrated
        double wrong_share = 1;
        index::Band band = index::Band::Unlikely;
        bool right = false;
    };
    struct Answer {
        std::vector<Hit> hits;  ///< best first
        index::QueryBackground background;
        bool meaningless = false;  ///< the text was taken for gibberish
    };
    /// The best k files, below the cut too with `all`. `relevant`: the right items, ascending.
    Answer ask(const std::string& text, const std::vector<int>& relevant, int k, bool all);
    /// The same for what is like one of its items; the item itself is no hit.
    Answer like(int item, const std::vector<int>& relevant, int k, bool all);

    Modality modality() const { return modality_; }
    int64_t moments() const { return moments_; }

private:
    Answer answer(const std::vector<QueryPart>& parts, const std::vector<int>& relevant, int k, bool all);

    Engine& engine_;
    std::vector<std::filesystem::path> files_;  // of the pool's items
    Modality modality_;
    index::Searcher searcher_;
    int64_t moments_ = 0;
    std::map<std::string, std::vector<int>> item_of_;
};

}  // namespace imprint::jobs
