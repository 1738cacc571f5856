// SPDX-License-Identifier: Apache-2.0
// `imprint review`.
#include <algorithm>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/finetune_job.h"
#include "app/jobs/label_review.h"
#include "app/jobs/scan.h"

namespace imprint::cli {
namespace {

std::string label_name(const jobs::LabelSet& set, int label)
{
    return label < 0 ? jobs::kNoneLabel : set.classes[static_cast<size_t>(label)].name;
}

/// The moment that a `FILE[@FROM-TO]` means: the only one of the file, or the one that shares most with the span.
size_t moment_of(const jobs::LabelRun& run, const std::string& named)
{
    const jobs::QueryPart part = jobs::parse_file_part(named);
    const std::filesystem::path path = jobs::catalog_path(part.file);
    std::optional<size_t> best;
    double most = 0;
    int of_file = 0;
    for (size_t i = 0; i < run.moments.size(); ++i) {
        const jobs::LabelledMoment& one = run.moments[i];
        if (run.files[one.file].path != path)
            continue;
        ++of_file;
        const double common = part.from && one.moment.start
            ? std::min(*one.moment.end, part.to.value_or(*one.moment.end)) - std::max(*one.moment.start, *part.from)
            : 1;
        if (!best || common > most) {
            best = i;
            most = common;
        }
    }
    if (!best || most <= 0)
        throw Error(ErrorKind::NotFound, named, "the library has no such moment under this set",
                    "'imprint review' lists moments");
    if (of_file > 1 && !part.from)
        throw Error(ErrorKind::Usage, named, "this file has several moments", "Name one, as FILE@FROM-TO in seconds");
    return *best;
}

int label_of(const jobs::LabelSet& set, const std::string& said)
{
    const int label = set.find(said);
    if (label < 0 && said != jobs::kNoneLabel)
        throw Error(ErrorKind::Usage, said, "is no label of the set", "Give one of its labels, or none");
    return label < 0 ? jobs::LabelledMoment::kNone : label;
}

Json item_json(const jobs::LabelRun& run, const jobs::ReviewItem& item)
{
    const jobs::LabelledMoment& moment = run.moments[item.moment];
    Json json;
    put_path(json, "path", run.files[moment.file].path);
    json["start"] = moment.moment.start ? Json(*moment.moment.start) : Json();
    json["end"] = moment.moment.end ? Json(*moment.moment.end) : Json();
    json["modality"] = modality_name(moment.moment.modality);
    json["abstained"] = moment.abstained();
    json["by_chance"] = item.drawn;
    json["likeliest"] = Json::array();
    for (const auto& [label, probability] : moment.likeliest)
        json["likeliest"].push_back({{"label", label_name(run.set, label)}, {"probability", probability}});
    return json;
}

}  // namespace

int run(const ReviewCommand& command, const Session& session)
{
    jobs::Engine engine(session.engine);
    const jobs::LabelSet set = jobs::read_label_set(jobs::find_label_set(engine, command.set));
    const index::Filter filter = request_of(command.where).filter;
    jobs::LabelRun run = jobs::label(engine, set, filter, {}, {}, session.cancel);
    // Which of the verdicts are on moments that chance would show next: those count for the estimate.
    std::vector<size_t> by_chance;
    for (const jobs::ReviewItem& item :
         jobs::review_queue(engine, run, static_cast<size_t>(command.count) + command.say.size() * 3))
        if (item.drawn)
            by_chance.push_back(item.moment);
    for (const std::string& said : command.say) {
        const size_t split = said.rfind('=');
        if (split == std::string::npos)
            throw Error(ErrorKind::Usage, "--say " + said, "names no label", "Write it as FILE[@FROM-TO]=LABEL");
        const size_t moment = moment_of(run, said.substr(0, split));
        const bool drawn = std::find(by_chance.begin(), by_chance.end(), moment) != by_chance.end();
        jobs::review(engine, run, {moment, drawn}, label_of(set, said.substr(split + 1)));
    }
    for (const std::string& undone : command.undo)
        jobs::review(engine, run, {moment_of(run, undone), false}, std::nullopt);

    const std::vector<jobs::ReviewItem> queue = jobs::review_queue(engine, run, static_cast<size_t>(command.count));
    const jobs::ReviewState state = jobs::review_state(run);
    if (session.json) {
        Json document{{"set", set.name}, {"reviewed", state.reviewed}, {"sample", state.sample}, {"accuracy", nullptr}};
        if (state.accuracy)
            document["accuracy"] = {
                {"share", state.accuracy->share}, {"low", state.accuracy->low}, {"high", state.accuracy->high}};
        document["queue"] = Json::array();
        for (const jobs::ReviewItem& item : queue)
            document["queue"].push_back(item_json(run, item));
        print_json(document);
        return kDone;
    }
    for (const jobs::ReviewItem& item : queue) {
        const jobs::LabelledMoment& moment = run.moments[item.moment];
        std::printf("%s  %s  ", printable(run.files[moment.file].path.native()).c_str(), clock_span(moment.moment).c_str());
        for (size_t i = 0; i < std::min<size_t>(3, moment.likeliest.size()); ++i)
            std::printf("%s%s %.0f %%", i > 0 ? ", " : "", printable(label_name(set, moment.likeliest[i].first)).c_str(),
                        100 * moment.likeliest[i].second);
        std::printf("\n");
    }
    if (state.accuracy)
        std::fprintf(stderr, "%d reviewed; of the answers %.0f %% are right, between %.0f and %.0f, from %d drawn by chance\n",
                     state.reviewed, 100 * state.accuracy->share, 100 * state.accuracy->low, 100 * state.accuracy->high,
                     state.sample);
    else
        std::fprintf(stderr, "%d reviewed, %d of them drawn by chance; from %d such on the accuracy is estimated\n",
                     state.reviewed, state.sample, jobs::kLeastSample);
    return kDone;
}

}  // namespace imprint::cli
