// SPDX-License-Identifier: Apache-2.0
// Encoding what a query is made of, and adding it up.
#include "app/jobs/query_vector.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "app/jobs/scan.h"
#include "index/feedback.h"

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

std::string name_of(const QueryPart& part)
{
    return !part.concept_name.empty() ? part.concept_name : part.file.empty() ? part.text : part.file.native();
}

bool is_text(const QueryPart& part) { return part.file.empty() && part.concept_name.empty(); }

/// True where the library holds exactly this file, or holds it while its disk is away.
bool held_unchanged(const std::filesystem::path& path, const index::FileRow& row)
{
    struct stat facts { };
    if (::stat(path.c_str(), &facts) != 0)
        return true;
    return facts.st_size == row.facts.size
        && facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec == row.facts.mtime_ns;
}

/// The moments and vectors of a part. A span is stored only where it is that of a moment.
index::Searcher::Stored moments_of(Engine& engine, index::Searcher& searcher, const QueryPart& part, const CancelToken& cancel)
{
    const std::filesystem::path path = catalog_path(part.file);
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    if (const auto row = library.find(path); row && held_unchanged(path, *row)) {
        auto stored = searcher.stored(path, part.from, part.to);
        const bool whole = !part.from && !part.to;
        if (whole || (stored.moments.size() == 1 && stored.moments[0].start == part.from && stored.moments[0].end == part.to))
            return stored;
    }
    EmbeddedFile file = embed_file(engine, part.file, part.from, part.to, cancel);
    return {std::move(file.moments), std::move(file.vectors)};
}

/// A long video must not drown its own sound, nor the reverse: each modality's moments are averaged by themselves first.
/// `has_sound` is set where there is any.
std::vector<float> file_vector(Engine& engine, index::Searcher& searcher, const QueryPart& part,
                               const std::vector<Modality>& wanted, bool& has_sound, const CancelToken& cancel)
{
    const index::Searcher::Stored file = moments_of(engine, searcher, part, cancel);
    const auto dim = static_cast<size_t>(file.vectors.dim);
    std::vector<float> means[2] = {std::vector<float>(dim), std::vector<float>(dim)};
    bool heard[2] = {false, false};
    for (size_t i = 0; i < file.moments.size(); ++i) {
        const auto modality = static_cast<size_t>(file.moments[i].modality);
        add(means[modality], file.vectors.row(static_cast<int>(i)), 1);
        heard[modality] = true;
    }
    has_sound = has_sound || heard[static_cast<size_t>(Modality::Sound)];
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

/// As it was saved, or, for another model, made again from its parts.
std::vector<float> concept_vector(Engine& engine, index::Searcher& searcher, const std::string& name,
                                  const std::vector<Modality>& wanted, const CancelToken& cancel)
{
    const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
    const std::optional<index::Concept> saved = library.find_concept(name);
    if (!saved)
        throw Error(ErrorKind::NotFound, name, "no concept of this name is saved", "List them with 'imprint concept list'");
    if (saved->space == engine.encoder().space())
        return saved->vector;
    return query_vector(engine, searcher, parts_from_json(saved->parts, name), wanted, cancel).vector;
}

}  // namespace

void check_parts(const std::vector<QueryPart>& parts)
{
    bool positive = false;
    for (const QueryPart& part : parts) {
        if (!std::isfinite(part.weight) || part.weight == 0)
            throw Error(ErrorKind::Usage, name_of(part), "a weight must be a number other than 0");
        if (is_text(part) && part.text.empty())
            throw Error(ErrorKind::Usage, "", "a part of the query is empty");
        if (part.role != QueryPart::Role::Part && part.file.empty())
            throw Error(ErrorKind::Usage, name_of(part), "only files can be judged");
        positive = positive || (part.weight > 0 && part.role != QueryPart::Role::Less);
    }
    if (parts.empty())
        throw Error(ErrorKind::Usage, "", "nothing to search for", "Give words, or a file to compare with");
    if (!positive)
        throw Error(ErrorKind::Usage, "", "a query cannot be made of exclusions alone", "Add words or a file to look for");
}

QueryVector query_vector(Engine& engine, index::Searcher& searcher, const std::vector<QueryPart>& parts,
                         const std::vector<Modality>& wanted, const CancelToken& cancel)
{
    check_parts(parts);
    Encoder& encoder = engine.encoder();
    const auto in_names = [&](const std::string& word) {
        return index::Library(engine.library_folder(), index::OpenMode::ReadOnly).names(word);
    };
    QueryVector result;
    std::vector<std::string> texts;
    for (const QueryPart& part : parts) {
        if (!is_text(part))
            continue;
        texts.push_back(part.text);
        if (!part.literal)
            for (Respelling& word : respell(encoder, engine.lexicon(), texts.back(), in_names))
                result.read_as.push_back(std::move(word));
    }
    const Vectors encoded = texts.empty() ? Vectors{encoder.dim(), {}} : encode_queries(encoder, engine.lexicon(), texts);

    result.vector.assign(static_cast<size_t>(encoder.dim()), 0);
    bool only_words = true, has_parts = false, only_files = true;
    Vectors more{encoder.dim(), {}}, less{encoder.dim(), {}};
    int next_text = 0;
    for (const QueryPart& part : parts) {
        cancel.check();
        if (part.role != QueryPart::Role::Part) {
            bool sound = false;
            const bool yes = part.role == QueryPart::Role::More;
            (yes ? more : less).append(file_vector(engine, searcher, part, wanted, sound, cancel));
            result.heard = result.heard || (yes && sound);
            only_words = only_words && !yes;
            if (yes)
                result.examples.push_back(catalog_path(part.file));
            continue;
        }
        has_parts = true;
        if (is_text(part)) {
            const std::string& text = texts[static_cast<size_t>(next_text)];
            add(result.vector, encoded.row(next_text++), part.weight);
            if (part.weight <= 0)
                continue;
            only_files = false;
            result.words += (result.words.empty() ? "" : " ") + text;
            result.heard = result.heard || speaks_of_sound(engine.lexicon(), text);
        } else {
            bool sound = !part.concept_name.empty();
            add(result.vector,
                part.concept_name.empty() ? file_vector(engine, searcher, part, wanted, sound, cancel)
                                          : concept_vector(engine, searcher, part.concept_name, wanted, cancel),
                part.weight);
            result.heard = result.heard || (part.weight > 0 && sound);
            only_words = only_words && part.weight < 0;
            only_files = only_files && (part.weight < 0 || part.concept_name.empty());
            if (part.weight > 0 && part.concept_name.empty())
                result.examples.push_back(catalog_path(part.file));
        }
    }
    double squares = 0;
    for (const float value : result.vector)
        squares += static_cast<double>(value) * value;
    if (has_parts && squares < 1e-12)
        throw Error(ErrorKind::Usage, "", "the parts of the query cancel each other out", "Leave one of them out");
    normalise(result.vector);
    if (more.count() + less.count() > 0)
        result.vector = index::refined(has_parts ? std::span<const float>(result.vector) : std::span<const float>(), more, less);
    result.by_example = only_files;
    result.meaningless = only_words && is_gibberish(encoder, engine.lexicon(), result.words, in_names);
    return result;
}

index::QueryBackground background_of(Engine& engine, index::Searcher& searcher, const QueryVector& query,
                                     const index::Filter& filter)
{
    index::QueryBackground background = engine.background().of(query.vector);
    if (query.by_example)
        background.reliability = background.reliability.for_examples();
    const auto wants = [](const auto& wanted, auto one) {
        return wanted.empty() || std::find(wanted.begin(), wanted.end(), one) != wanted.end();
    };
    searcher.refresh();
    const bool pictures = searcher.state().moments_of[static_cast<int>(Modality::Picture)] > 0
        && wants(filter.modalities, Modality::Picture)
        && (wants(filter.kinds, media::Kind::Image) || wants(filter.kinds, media::Kind::Video));
    if (pictures && !query.heard)
        background.held_back[static_cast<int>(Modality::Sound)] = index::kHeldBack;
    return background;
}

std::string parts_to_json(const std::vector<QueryPart>& parts)
{
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const QueryPart& part : parts) {
        nlohmann::ordered_json item;
        if (!part.concept_name.empty())
            item["concept"] = part.concept_name;
        else if (!part.file.empty())
            item["file"] = std::vector<uint8_t>(part.file.native().begin(), part.file.native().end());
        else
            item["text"] = part.text;
        if (part.from)
            item["from"] = *part.from;
        if (part.to)
            item["to"] = *part.to;
        item["weight"] = part.weight;
        if (part.role != QueryPart::Role::Part)
            item["judged"] = part.role == QueryPart::Role::More ? "more" : "less";
        if (part.literal)
            item["literal"] = true;
        list.push_back(std::move(item));
    }
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<QueryPart> parts_from_json(const std::string& json, const std::string& subject)
{
    std::vector<QueryPart> parts;
    try {
        for (const auto& item : nlohmann::json::parse(json)) {
            QueryPart part;
            part.concept_name = item.value("concept", "");
            part.text = item.value("text", "");
            if (item.contains("file")) {
                const auto bytes = item["file"].get<std::vector<uint8_t>>();
                part.file = std::string(bytes.begin(), bytes.end());
            }
            if (item.contains("from"))
                part.from = item["from"].get<double>();
            if (item.contains("to"))
                part.to = item["to"].get<double>();
            part.weight = item.at("weight").get<double>();
            if (const std::string judged = item.value("judged", ""); !judged.empty())
                part.role = judged == "more" ? QueryPart::Role::More : QueryPart::Role::Less;
            part.literal = item.value("literal", false);
            parts.push_back(std::move(part));
        }
    } catch (const nlohmann::json::exception& error) {
        throw Error(ErrorKind::Malformed, subject, std::string("the saved concept cannot be read: ") + error.what(),
                    "Save it again");
    }
    return parts;
}

}  // namespace imprint::jobs
