// SPDX-License-Identifier: Apache-2.0
// `imprint search`.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/scan.h"

namespace imprint::cli {
namespace {

Json parts_json(const std::vector<jobs::QueryPart>& query)
{
    Json parts = Json::array();
    for (const jobs::QueryPart& part : query) {
        Json item;
        if (!part.concept_name.empty())
            item["concept"] = part.concept_name;
        else if (part.file.empty())
            item["text"] = part.text;
        else
            put_path(item, "file", part.file);
        if (part.from)
            item["from"] = *part.from;
        if (part.to)
            item["to"] = *part.to;
        item["weight"] = part.weight;
        if (part.role != jobs::QueryPart::Role::Part)
            item["judged"] = part.role == jobs::QueryPart::Role::More ? "more" : "less";
        parts.push_back(std::move(item));
    }
    return parts;
}

void put_times(Json& item, const index::Moment& moment)
{
    item["start"] = moment.start ? Json(*moment.start) : Json();
    item["end"] = moment.end ? Json(*moment.end) : Json();
    item["modality"] = modality_name(moment.modality);
}

/// `shares`: the hits have an expected share of wrong ones; what follows something else has none.
Json result_json(const index::FileHit& hit, bool shares)
{
    Json item;
    put_path(item, "path", hit.path);
    item["kind"] = media::kind_name(hit.probe.kind);
    put_times(item, hit.moments.front().moment);
    item["score"] = hit.score;
    item["band"] = index::band_name(hit.band);
    item["wrong_share"] = shares ? Json(hit.wrong_share) : Json();
    item["named"] = hit.coverage;
    item["labels"] = Json::array();
    for (const index::Label& label : hit.labels)
        if (std::find(item["labels"].begin(), item["labels"].end(), label.name) == item["labels"].end())
            item["labels"].push_back(label.name);
    item["stars"] = hit.stars;
    for (const index::MomentHit& moment : hit.moments) {
        Json part;
        put_times(part, moment.moment);
        part["score"] = moment.score;
        part["band"] = index::band_name(moment.band);
        item["moments"].push_back(std::move(part));
    }
    return item;
}

void print_table(const std::vector<index::FileHit>& files, bool shares)
{
    for (const index::FileHit& hit : files) {
        std::printf("%6.2f  %-8s  ", static_cast<double>(hit.score), index::band_name(hit.band));
        if (shares)
            std::printf("%3.0f %%  ", 100 * static_cast<double>(hit.wrong_share));
        std::printf("%-5s  %s\n", media::kind_name(hit.probe.kind), printable(hit.path.native()).c_str());
        for (const index::MomentHit& moment : hit.moments)
            if (moment.moment.start)
                std::printf("%8s%6.2f  %-8s  %-7s  %s\n", "", static_cast<double>(moment.score), index::band_name(moment.band),
                            modality_name(moment.moment.modality), clock_span(moment.moment).c_str());
    }
}

const char* why_nothing(bool all, bool meaningless)
{
    if (all)
        return "Nothing passes the filters.";
    if (meaningless)
        return "The model does not know these words, and no name, folder or label has them; use --all to see the nearest all "
               "the same.";
    return "Nothing here is likely to match; use --all to see the nearest all the same.";
}

}  // namespace

void tell_respellings(const jobs::SearchResult& result)
{
    for (const Respelling& word : result.read_as)
        std::fprintf(stderr, "Showing results for \"%s\"; --literal searches for \"%s\" as typed.\n", word.read.c_str(),
                     printable(word.typed).c_str());
}

jobs::SearchRequest request_of(const SearchCommand& command)
{
    jobs::SearchRequest request;
    request.k = command.k;
    request.all = command.all;
    request.parts = jobs::parse_words(command.words);
    for (const std::string& like : command.likes)
        request.parts.push_back(jobs::parse_file_part(like));
    for (const std::string& name : command.concepts) {
        jobs::QueryPart part = jobs::parse_words({name}).front();
        part.concept_name = std::exchange(part.text, {});
        request.parts.push_back(std::move(part));
    }
    const size_t wanted = request.parts.size();
    for (const std::vector<std::string>& phrase : command.nots)
        for (jobs::QueryPart& part : jobs::parse_words(phrase, jobs::kNotWeight))
            request.parts.push_back(std::move(part));
    for (const std::string& file : command.unlikes)
        request.parts.push_back(jobs::parse_file_part(file, jobs::kNotWeight));
    for (size_t i = wanted; i < request.parts.size(); ++i)
        request.parts[i].weight = -request.parts[i].weight;
    for (const auto role : {jobs::QueryPart::Role::More, jobs::QueryPart::Role::Less})
        for (const std::string& file : role == jobs::QueryPart::Role::More ? command.more : command.less) {
            request.parts.push_back(jobs::parse_file_part(file));
            request.parts.back().role = role;
        }
    for (const std::string& name : command.kinds) {
        const auto kind = media::kind_from_name(name);
        if (!kind)
            throw Error(ErrorKind::Usage, "--kind " + name, "is no kind", "Use image, video or audio");
        request.filter.kinds.push_back(*kind);
    }
    if (command.by != "both")
        request.filter.modalities = {command.by == "sound" ? Modality::Sound : Modality::Picture};
    for (const std::filesystem::path& folder : command.folders)
        request.filter.folders.push_back(jobs::catalog_path(folder));
    if (!command.after.empty())
        request.filter.after = jobs::parse_date(command.after);
    if (!command.before.empty())
        request.filter.before = jobs::parse_date(command.before) - 1;
    request.filter.longer = command.longer;
    request.filter.shorter = command.shorter;
    request.filter.labels = command.labels;
    request.filter.stars = command.stars;
    request.order = command.sort == "date" ? index::Order::NewestFirst
        : command.sort == "oldest"         ? index::Order::OldestFirst
                                           : index::Order::Relevance;
    for (const std::vector<std::string>& phrase : command.then)
        for (jobs::QueryPart& part : jobs::parse_words(phrase))
            request.then.push_back(std::move(part));
    request.within = command.within;
    for (std::vector<jobs::QueryPart>* parts : {&request.parts, &request.then})
        for (jobs::QueryPart& part : *parts)
            part.literal = command.literal && part.file.empty() && part.concept_name.empty();
    return request;
}

int run(const SearchCommand& command, const Session& session)
{
    const jobs::SearchRequest request = request_of(command);
    jobs::Engine engine(session.engine);
    {
        const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
        if (library.counts().moments == 0)
            throw Error(ErrorKind::NotFound, engine.library_folder().native(), "the library is empty",
                        "Run 'imprint index FOLDER' first");
    }
    index::Searcher searcher(engine.library_folder(), jobs::searcher_options(engine, false));
    const jobs::SearchResult result = jobs::search(engine, searcher, request, session.cancel);
    if (!command.save.empty())
        jobs::save_concept(engine, searcher, command.save, request.parts, session.cancel);
    tell_respellings(result);
    const bool shares = request.then.empty();
    if (session.json) {
        Json document{{"query", parts_json(request.parts)}, {"space", result.space}, {"took_ms", result.took_ms}};
        if (!shares)
            document["then"] = parts_json(request.then);
        document["read_as"] = Json::array();
        for (const Respelling& word : result.read_as)
            document["read_as"].push_back({{"typed", word.typed}, {"read", word.read}});
        document["results"] = Json::array();
        for (const index::FileHit& hit : result.files)
            document["results"].push_back(result_json(hit, shares));
        print_json(document);
    } else {
        print_table(result.files, shares);
    }
    if (result.files.empty())
        std::fprintf(stderr, "%s\n", why_nothing(command.all, result.meaningless));
    return kDone;
}

}  // namespace imprint::cli
