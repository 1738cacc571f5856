// SPDX-License-Identifier: Apache-2.0
// From the parts of a query to one vector.
#pragma once

#include "app/jobs/jobs.h"

namespace imprint::jobs {

struct QueryVector {
    std::vector<float> vector;  ///< unit length
    std::string words;          ///< the wanted texts as they were read, for names and labels
    bool meaningless = false;   ///< made of words alone, and of words that say nothing (is_gibberish)
    std::vector<Respelling> read_as = {};
    bool heard = false;       ///< asks for sound: its words speak of it, an example has it, or a concept may
    bool by_example = false;  ///< nothing but files is wanted
    std::vector<std::filesystem::path> examples = {};  ///< those files, as the catalog names them
};

/// Error(Usage) where there is no part, none that is wanted, or where the parts cancel each other out.
void check_parts(const std::vector<QueryPart>& parts);

/// The parts combined on the sphere. `wanted` are the modalities that the search looks at: a video is compared by those.
/// Throws as search() does.
QueryVector query_vector(Engine& engine, index::Searcher& searcher, const std::vector<QueryPart>& parts,
                         const std::vector<Modality>& wanted, const CancelToken& cancel);

/// What the query's scores are judged by, those of examples by what was fitted on examples; sounds are held back
/// (index::kHeldBack) where it does not ask for them and pictures are searched too.
index::QueryBackground background_of(Engine& engine, index::Searcher& searcher, const QueryVector& query,
                                     const index::Filter& filter);

/// Parts as JSON and back, as a concept keeps them. `parts_from_json` throws Error(Malformed).
std::string parts_to_json(const std::vector<QueryPart>& parts);
std::vector<QueryPart> parts_from_json(const std::string& json, const std::string& subject);

}  // namespace imprint::jobs
