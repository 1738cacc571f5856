// SPDX-License-Identifier: Apache-2.0
// Index, ask, and look up which files were right.
#include "app/jobs/pool_library.h"

#include <algorithm>

#include "app/jobs/query_vector.h"
#include "app/jobs/scan.h"

namespace imprint::jobs {
namespace {

/// Returns the folder, for initialisers: a searcher opens what is there.
std::filesystem::path indexed(Engine& engine, const evaluation::Pool& pool, const CancelToken& cancel)
{
    std::vector<std::filesystem::path> files;
    for (const evaluation::Item& item : pool.items)
        files.push_back(item.file);
    index_paths(engine, files, {}, cancel);
    cancel.check();
    return engine.library_folder();
}

}  // namespace

std::vector<size_t> questions_of(const evaluation::Pool& pool, const evaluation::Queries& queries, Part part)
{
    std::vector<size_t> questions;
    for (size_t q = 0; q < queries.labels.size(); ++q) {
        const std::vector<int>& items = queries.relevant[q];
        const auto in = [&](const char* split) {
            return std::any_of(items.begin(), items.end(),
                               [&](int item) { return pool.items[static_cast<size_t>(item)].split == split; });
        };
        const bool fitted = in("") ? pool.name != "drawings" || q % 2 == 0 : in("dev");
        if (fitted == (part == Part::Fitted))
            questions.push_back(q);
    }
    return questions;
}

PoolLibrary::PoolLibrary(Engine& engine, const evaluation::Pool& pool, const CancelToken& cancel)
    : engine_(engine), modality_(pool.media == evaluation::PoolMedia::Sound ? Modality::Sound : Modality::Picture),
      searcher_(indexed(engine, pool, cancel))
{
    searcher_.refresh();
    moments_ = searcher_.state().moments;
    for (size_t i = 0; i < pool.items.size(); ++i) {
        files_.push_back(pool.items[i].file);
        item_of_[catalog_path(pool.items[i].file).native()].push_back(static_cast<int>(i));
    }
}

PoolLibrary::Answer PoolLibrary::ask(const std::string& text, const std::vector<int>& relevant, int k, bool all)
{
    return answer(parse_words({text}), relevant, k, all);
}

PoolLibrary::Answer PoolLibrary::like(int item, const std::vector<int>& relevant, int k, bool all)
{
    QueryPart part;
    part.file = files_[static_cast<size_t>(item)];
    std::vector<int> others;
    std::copy_if(relevant.begin(), relevant.end(), std::back_inserter(others), [&](int other) { return other != item; });
    Answer found = answer({part}, others, k + 1, all);
    std::erase_if(found.hits, [&](const Hit& hit) { return hit.path == catalog_path(part.file); });
    found.hits.resize(std::min(found.hits.size(), static_cast<size_t>(k)));
    return found;
}

PoolLibrary::Answer PoolLibrary::answer(const std::vector<QueryPart>& parts, const std::vector<int>& relevant, int k, bool all)
{
    const QueryVector made = query_vector(engine_, searcher_, parts, {}, {});
    index::Query query{.vector = made.vector, .filter = {}, .k = k, .all = all};
    query.meaningless = made.meaningless;
    query.examples = made.examples;
    Answer answer{{}, background_of(engine_, searcher_, made, query.filter), made.meaningless};
    for (const index::FileHit& hit : searcher_.search(query, answer.background)) {
        const auto items = item_of_.find(hit.path.native());
        if (items == item_of_.end())
            continue;
        const bool right = std::any_of(items->second.begin(), items->second.end(),
                                       [&](int item) { return std::binary_search(relevant.begin(), relevant.end(), item); });
        answer.hits.push_back({hit.path, hit.score, static_cast<double>(hit.wrong_share), hit.band, right});
    }
    return answer;
}

}  // namespace imprint::jobs
