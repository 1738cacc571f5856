// SPDX-License-Identifier: Apache-2.0
// From a question to results.
#include <chrono>

#include "app/jobs/query_vector.h"

namespace imprint::jobs {
namespace {

/// A concept that a concept is made of is written out: it may be saved anew under its name, or dropped.
std::vector<QueryPart> without_concepts(const index::Library& library, const std::vector<QueryPart>& parts)
{
    std::vector<QueryPart> plain;
    for (const QueryPart& part : parts) {
        if (part.concept_name.empty()) {
            plain.push_back(part);
            continue;
        }
        if (const std::optional<index::Concept> saved = library.find_concept(part.concept_name))
            for (QueryPart inner : parts_from_json(saved->parts, saved->name)) {
                inner.weight *= part.weight;
                plain.push_back(std::move(inner));
            }
    }
    return plain;
}

}  // namespace

void check_space(Engine& engine)
{
    const Encoder& encoder = engine.encoder();
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    const std::optional<std::string> active = library.active_space();
    const std::string folder = engine.library_folder().native();
    if (!active)
        throw Error(ErrorKind::NotFound, folder, "nothing is indexed yet", "Run 'imprint index FOLDER' first");
    if (*active != encoder.space())
        throw Error(ErrorKind::Unsupported, folder, "was indexed with the model " + *active + ", not with " + encoder.space(),
                    "Name that model with --model, or run 'imprint index' on one of its folders to re-index it all");
}

index::SearcherOptions searcher_options(Engine& engine, bool build)
{
    index::SearcherOptions options;
    options.build = build;
    options.probes = engine.encoder().text_bank();
    return options;
}

SearchResult search(Engine& engine, index::Searcher& searcher, const SearchRequest& request, const CancelToken& cancel)
{
    if (request.k < 1)
        throw Error(ErrorKind::Usage, "-k", "at least one result must be asked for");
    check_parts(request.parts);
    if (!request.then.empty())
        check_parts(request.then);
    Encoder& encoder = engine.encoder();
    check_space(engine);
    engine.background();  // what is opened once is no part of the time that a question takes
    const auto start = std::chrono::steady_clock::now();

    SearchResult result;
    const auto query_of = [&](const std::vector<QueryPart>& parts) {
        QueryVector made = query_vector(engine, searcher, parts, request.filter.modalities, cancel);
        result.read_as.insert(result.read_as.end(), made.read_as.begin(), made.read_as.end());
        index::QueryBackground background = background_of(engine, searcher, made, request.filter);
        return std::pair(index::Query{.vector = std::move(made.vector),
                                      .filter = request.filter,
                                      .k = request.k,
                                      .all = request.all,
                                      .words = std::move(made.words),
                                      .meaningless = made.meaningless,
                                      .order = request.order,
                                      .examples = std::move(made.examples)},
                         background);
    };
    const auto [query, background] = query_of(request.parts);
    result.space = encoder.space();
    result.background = background;
    result.meaningless = query.meaningless;
    if (request.then.empty()) {
        result.files = searcher.search(query, result.background);
    } else {
        const auto [second, second_background] = query_of(request.then);
        result.meaningless = result.meaningless || second.meaningless;
        if (request.all || !result.meaningless)
            result.files = searcher.sequence(query, result.background, second, second_background, request.within);
    }
    result.query = query.vector;
    result.took_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
}

void save_concept(Engine& engine, index::Searcher& searcher, const std::string& name, const std::vector<QueryPart>& parts,
                  const CancelToken& cancel)
{
    if (name.empty())
        throw Error(ErrorKind::Usage, "--save", "a concept needs a name");
    check_parts(parts);
    check_space(engine);
    const QueryVector made = query_vector(engine, searcher, parts, {}, cancel);
    index::Library library(engine.library_folder(), index::OpenMode::ReadWrite);
    library.put_concept({name, parts_to_json(without_concepts(library, parts)), engine.encoder().space(), made.vector});
}

}  // namespace imprint::jobs
