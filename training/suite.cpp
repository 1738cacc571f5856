// SPDX-License-Identifier: Apache-2.0
#include "training/suite.h"

#include <ATen/Parallel.h>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/model/device.h"
#include "training/dataset_evaluation.h"
#include "training/log/line_of.h"

namespace imprint::training {
namespace {

using nlohmann::json;

model::Precision precision_of(const EncoderOptions& options)
{
    if (options.precision == "auto" || options.precision == "fp32")
        return {at::kFloat};
    if (options.precision == "bf16")
        return {at::kBFloat16};
    throw Error(ErrorKind::Usage, "--precision " + options.precision, "is not a precision", "Use auto, fp32 or bf16");
}

}  // namespace

json evaluate_suite(const SuiteOptions& options)
{
    const at::Device device = model::choose_device(options.encoder.device, "--device");
    const model::Precision precision = precision_of(options.encoder);
    const model::ModelConfig config = model::read_config(model::SafetensorsFile(options.checkpoint));
    const Recipe suite = read_suite(options.suite, config);
    const Stem stem(options.checkpoint, config, precision, device);
    model::Parameters parameters = stem.checkpoint().parameters;
    for (auto& [name, tensor] : parameters)
        tensor = tensor.to(device);
    model::Network network(config, std::move(parameters));
    network.set_precision(precision);
    network = network.with_converted_matrices();
    if (options.encoder.threads > 0)
        at::set_num_threads(options.encoder.threads);

    Sources sources;
    for (const auto& dataset : suite.datasets)
        for (const auto& evaluation : suite.evaluations)
            if ((dataset.name == evaluation.dataset || dataset.name == evaluation.train_dataset)
                && !sources.contains(dataset.name))
                sources.emplace(dataset.name, open_source(dataset));
    const tokens::TextTokenizer tokenizer(stem.checkpoint().tokenizer, config.vocabulary, config.max_text_tokens,
                                          options.checkpoint.string());
    const tokens::LogMel log_mel(config);
    const InputMaker maker(config, &tokenizer, log_mel, device);
    media::Decoder decoder;
    const Looking looking{network, sources, maker, stem.trunks(), decoder, 2048, options.cancel};
    json evaluations = json::object();
    for (const auto& evaluation : suite.evaluations) {
        if (options.log)
            options.log("measuring " + evaluation.name);
        evaluations.update(evaluate_datasets(looking, config, {evaluation}));
    }
    return {{"checkpoint", options.checkpoint.filename().string()},
            {"suite", options.suite.filename().string()},
            {"precision", precision.products == at::kFloat ? "fp32" : "bf16"},
            {"evaluations", evaluations}};
}

std::string suite_table(const json& result)
{
    std::string table = result.at("checkpoint").get<std::string>() + " on " + result.at("suite").get<std::string>() + "\n";
    for (const auto& [name, figures] : result.at("evaluations").items()) {
        table += "\n" + name + ": " + std::to_string(figures.at("samples").get<int64_t>()) + " samples";
        if (const auto left_out = figures.at("unreadable").get<int64_t>(); left_out > 0)
            table += ", " + std::to_string(left_out) + " unreadable ones left out";
        table += "\n";
        for (const auto& [figure, value] : figures.items()) {
            if (!value.is_number() || figure == "samples" || figure == "unreadable")
                continue;
            if (figure.ends_with("median_rank")) {
                table += line_of("  %-24s %8.1f\n", figure.c_str(), value.get<double>());
                continue;
            }
            table += line_of("  %-24s %7.1f %%", figure.c_str(), 100 * value.get<double>());
            if (const auto interval = figures.find(figure + "_interval"); interval != figures.end())
                table += line_of("  [%.1f %.1f]", 100 * (*interval)[0].get<double>(), 100 * (*interval)[1].get<double>());
            table += "\n";
        }
    }
    return table;
}

}  // namespace imprint::training
