// SPDX-License-Identifier: Apache-2.0
// From the parts of a query to one vector, and from that to results.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "app/jobs/jobs.h"

namespace imprint::jobs {
namespace {

void normalise(std::vector<float>& vector)
{
    double squares = 0;
    for (const float value : vector)
        squares += static_cast<double>(value) * value;
    const double length = std::sqrt(squares);
    if (length > 0)
        for (float& value : vector)
            value = static_cast<float>(value / length);
}

void add(std::vector<float>& sum, std::span<const float> vector, double weight)
{
    for (size_t i = 0; i < sum.size(); ++i)
        sum[i] += static_cast<float>(weight * vector[i]);
}

std::string name_of(const QueryPart& part) { return part.file.empty() ? part.text : part.file.native(); }

/// A long video must not drown its own sound, nor the reverse: each modality's moments are averaged by themselves first.
std::vector<float> file_vector(Engine& engine, const QueryPart& part, const std::vector<Modality>& wanted,
                               const CancelToken& cancel)
{
    const EmbeddedFile file = embed_file(engine, part.file, part.from, part.to, cancel);
    const auto dim = static_cast<size_t>(file.vectors.dim);
    std::vector<float> means[2] = {std::vector<float>(dim), std::vector<float>(dim)};
    bool heard[2] = {false, false};
    for (size_t i = 0; i < file.moments.size(); ++i) {
        const auto modality = static_cast<size_t>(file.moments[i].modality);
        add(means[modality], file.vectors.row(static_cast<int>(i)), 1);
        heard[modality] = true;
    }
    if (!heard[0] && !heard[1])
        throw Error(ErrorKind::Usage, part.file.native(), "holds only silence, so nothing can be like it");
    // A video asked for by its sound alone is compared by its sound alone; a file without that modality stands as it is.
    const bool one = wanted.size() == 1 && heard[static_cast<size_t>(wanted.front())];
    std::vector<float> result(dim);
    for (size_t modality = 0; modality < 2; ++modality) {
        if (!heard[modality] || (one && static_cast<size_t>(wanted.front()) != modality))
            continue;
        normalise(means[modality]);
        add(result, means[modality], 1);
    }
    normalise(result);
    return result;
}

void check(const SearchRequest& request)
{
    if (request.k < 1)
        throw Error(ErrorKind::Usage, "-k", "at least one result must be asked for");
    bool positive = false;
    for (const QueryPart& part : request.parts) {
        if (!std::isfinite(part.weight) || part.weight == 0)
            throw Error(ErrorKind::Usage, name_of(part), "a weight must be a number other than 0");
        if (part.file.empty() && part.text.empty())
            throw Error(ErrorKind::Usage, "", "a part of the query is empty");
        positive = positive || part.weight > 0;
    }
    if (request.parts.empty())
        throw Error(ErrorKind::Usage, "", "nothing to search for", "Give words, or a file to compare with");
    if (!positive)
        throw Error(ErrorKind::Usage, "", "a query cannot be made of exclusions alone", "Add words or a file to look for");
}

/// Vectors of two models say nothing about each other, even where their sizes agree.
void check_space(const Engine& engine, const Encoder& encoder)
{
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    const std::optional<std::string> active = library.active_space();
    const std::string folder = engine.library_folder().native();
    if (!active)
        throw Error(ErrorKind::NotFound, folder, "nothing is indexed yet", "Run 'imprint index FOLDER' first");
    if (*active != encoder.space())
        throw Error(ErrorKind::Unsupported, folder, "was indexed with the model " + *active + ", not with " + encoder.space(),
                    "Name that model with --model, or run 'imprint index' on one of its folders to re-index it all");
}

}  // namespace

SearchResult search(Engine& engine, index::Searcher& searcher, const SearchRequest& request, const CancelToken& cancel)
{
    check(request);
    Encoder& encoder = engine.encoder();
    check_space(engine, encoder);
    const auto start = std::chrono::steady_clock::now();

    std::vector<std::string> texts;
    for (const QueryPart& part : request.parts)
        if (part.file.empty())
            texts.push_back(part.text);
    const Vectors encoded = texts.empty() ? Vectors{encoder.dim(), {}} : encoder.encode_texts(texts);

    SearchResult result;
    result.space = encoder.space();
    result.query.assign(static_cast<size_t>(encoder.dim()), 0);
    int next_text = 0;
    for (const QueryPart& part : request.parts) {
        cancel.check();
        if (part.file.empty())
            add(result.query, encoded.row(next_text++), part.weight);
        else
            add(result.query, file_vector(engine, part, request.filter.modalities, cancel), part.weight);
    }
    double squares = 0;
    for (const float value : result.query)
        squares += static_cast<double>(value) * value;
    if (squares < 1e-12)
        throw Error(ErrorKind::Usage, "", "the parts of the query cancel each other out", "Leave one of them out");
    normalise(result.query);

    result.background = engine.background().of(result.query);
    result.files = searcher.search({result.query, request.filter, request.k, request.all}, result.background);
    result.took_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace imprint::jobs
