// SPDX-License-Identifier: Apache-2.0
// `imprint model …` and `imprint eval`.
#include <cstdio>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "core/model/checkpoint_info.h"
#include "core/model/conversion.h"
#include "core/model/model_info.h"
#include "core/model/named_configs.h"
#include "training/evaluation/evaluate.h"

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

int run(const EvalCommand& command, const Session& session)
{
    evaluation::EvalOptions options;
    options.checkpoint = command.checkpoint;
    options.suites = command.suites;
    options.corpus = command.corpus;
    options.encoder = session.engine.encoder;
    options.cancel = session.cancel;
    options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", printable(line).c_str()); };
    const nlohmann::json result = evaluation::evaluate(options);
    if (session.json)
        print_json(result);
    else
        std::fputs(evaluation::readable_table(result).c_str(), stdout);
    return has_failures(result) ? kDoneWithFailures : kDone;
}

}  // namespace imprint::cli
