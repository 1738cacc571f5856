// SPDX-License-Identifier: Apache-2.0
// `imprint model …` and `imprint eval`.
#include <algorithm>
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/jobs/calibrate_job.h"
#include "app/jobs/resources.h"
#include "core/model/checkpoint_info.h"
#include "core/model/conversion.h"
#include "core/model/model_info.h"
#include "core/model/named_configs.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/failure_page.h"
#include "training/suite.h"

namespace imprint::cli {
namespace {

/// "key: value" lines; what is nested is indented.
void print_fields(const nlohmann::json& fields, int depth)
{
    for (const auto& [key, value] : fields.items()) {
        std::printf("%*s%s:", depth * 2, "", printable(key).c_str());
        if (value.is_object()) {
            std::printf("\n");
            print_fields(value, depth + 1);
        } else if (value.is_string()) {
            std::printf(" %s\n", printable(value.get<std::string>()).c_str());
        } else {
            std::printf(" %s\n", value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
        }
    }
}

/// A checkpoint tells of itself what no configuration can, and costs what its configuration costs.
nlohmann::json info_of(const ModelInfoCommand& command)
{
    if (!command.config.empty())
        return model::model_info(model::named_config(command.config));
    nlohmann::json info = model::checkpoint_info(command.checkpoint);
    const nlohmann::json costs = model::model_info(model::config_from_json(info.at("config"), command.checkpoint.string()));
    for (const char* key : {"flops", "memory"})
        info[key] = costs.at(key);
    return info;
}

int report_written(const std::filesystem::path& checkpoint, const Session& session)
{
    if (session.json) {
        Json document;
        put_path(document, "checkpoint", checkpoint);
        print_json(document);
    } else {
        std::printf("%s\n", printable(checkpoint.native()).c_str());
    }
    return kDone;
}

bool has_failures(const nlohmann::json& result)
{
    for (const auto& pool : result.value("pools", nlohmann::json::array()))
        if (pool.contains("failed") && !pool["failed"].empty())
            return true;
    return false;
}

}  // namespace

int run(const ModelInfoCommand& command, const Session& session)
{
    const nlohmann::json info = info_of(command);
    if (session.json)
        print_json(info);
    else
        print_fields(info, 0);
    return kDone;
}

int run(const ModelCalibrateCommand& command, const Session& session)
{
    jobs::CalibrateOptions options;
    options.engine = session.engine;
    options.engine.checkpoint = command.checkpoint;
    options.corpus = command.corpus;
    options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", printable(line).c_str()); };
    const jobs::Calibration done = jobs::calibrate(options, session.cancel);
    Json document{{"space", done.space}};
    put_path(document, "file", done.file);
    for (const Modality modality : {Modality::Picture, Modality::Sound}) {
        const index::Reliability& kind = done.reliability.of[static_cast<int>(modality)];
        document[modality_name(modality)] = {{"questions", done.questions[static_cast<int>(modality)]},
                                             {"maybe", kind.maybe},
                                             {"likely", kind.likely},
                                             {"intercept", kind.intercept},
                                             {"slope", kind.slope},
                                             {"rank_slope", kind.rank_slope}};
    }
    if (session.json)
        print_json(document);
    else
        print_fields(nlohmann::json(document), 0);
    return kDone;
}

int run(const ModelUpcycleCommand& command, const Session& session)
{
    model::UpcycleOptions options = command.options;
    options.normalise_gates = !command.raw_gates;
    model::upcycle_checkpoint(command.in, command.out, options);
    return report_written(command.out, session);
}

int run(const ModelMergeCommand& command, const Session& session)
{
    model::merge_checkpoint(command.in, command.out);
    return report_written(command.out, session);
}

/// Suites that are files are measured on their own data sets, apart from the corpus's pools.
int run_suites(const EvalCommand& command, const Session& session)
{
    nlohmann::json results = nlohmann::json::array();
    for (const auto& suite : command.suites) {
        training::SuiteOptions options;
        options.checkpoint = command.checkpoint;
        options.suite = suite;
        options.against = command.against;
        options.encoder = session.engine.encoder;
        options.cancel = session.cancel;
        options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", printable(line).c_str()); };
        const nlohmann::json result = training::evaluate_suite(options);
        results.push_back(result);
        if (!session.json)
            std::fputs(training::suite_table(result).c_str(), stdout);
    }
    if (session.json)
        print_json(results);
    return kDone;
}

int run(const EvalCommand& command, const Session& session)
{
    const auto files = std::count_if(command.suites.begin(), command.suites.end(),
                                     [](const std::string& suite) { return suite.ends_with(".toml"); });
    if (files > 0 && files < static_cast<std::ptrdiff_t>(command.suites.size()))
        throw Error(ErrorKind::Usage, "imprint eval", "takes pools of the corpus or suites of your own (.toml), not both at once",
                    "Call it twice");
    if (files > 0 && !command.html.empty())
        throw Error(ErrorKind::Usage, "--html", "shows the corpus's pools alone", "Leave it out for suites of your own");
    if (files > 0)
        return run_suites(command, session);
    if (!command.against.empty())
        throw Error(ErrorKind::Usage, "--against", "compares on suites of your own (.toml) alone",
                    "Name such a suite; `imprint eval` of a pool stands beside its baselines anyway");
    evaluation::EvalOptions options;
    options.checkpoint = command.checkpoint;
    options.suites = command.suites;
    options.corpus = command.corpus;
    options.lexicon = jobs::resource_folder("lexicon");
    options.encoder = session.engine.encoder;
    options.cancel = session.cancel;
    options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", printable(line).c_str()); };
    const nlohmann::json result = evaluation::evaluate(options);
    if (!command.html.empty())
        evaluation::write_failure_page(result, command.html);
    if (session.json)
        print_json(result);
    else
        std::fputs(evaluation::readable_table(result).c_str(), stdout);
    return has_failures(result) ? kDoneWithFailures : kDone;
}

}  // namespace imprint::cli
