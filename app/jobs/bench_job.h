// SPDX-License-Identifier: Apache-2.0
// How well and how fast this very library is searched on this very machine.
#pragma once

#include "app/jobs/jobs.h"

namespace imprint::jobs {

/// Items that are known to be in the library, asked for in another form than they were stored in.
struct KnownItems {
    int asked = 0;
    double first = 0, first_ten = 0;  ///< share whose file came first, and among the first ten (R@1, R@10)
};

struct LibraryBench {
    std::string space;
    index::Counts counts;
    KnownItems mirrored;  ///< pictures, mirrored left to right
    KnownItems shifted;   ///< moments of videos and sounds, moved by half their length
    KnownItems named;     ///< by the words of the file's own name, while names are not searched; equal names are one item
    double images_per_second = 0;         ///< decoded and encoded, one after another; 0 without pictures
    double text_ms = 0, text_ms_p95 = 0;  ///< one question of words, from text to results: median, 95th percentile
    double exact_ms = 0;                  ///< the same with an exact scan
    double recall = 1;                    ///< of the ten best files by exact scan, how many a search finds
    bool approximate[2] = {};             ///< by Modality: an inverted file is used
    int64_t bytes = 0;                    ///< of memory that the vectors take, about
};

/// Asks for at most `items` of each kind, spread evenly over the library, after waiting for what the vector index is
/// building. Reads the media files; those that are away are passed over. Throws as search() does.
LibraryBench bench_library(Engine& engine, int items = 100, const CancelToken& cancel = {});

}  // namespace imprint::jobs
