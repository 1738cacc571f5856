// SPDX-License-Identifier: Apache-2.0
#include "training/suite.h"

#include <ATen/Parallel.h>

#include <optional>

#include "core/model/device.h"
#include "training/dataset_evaluation.h"
#include "training/evaluation/comparison.h"
#include "training/log/line_of.h"

namespace imprint::training {
namespace {

using nlohmann::json;

constexpr int kRounds = 1000;  // of the bootstrap

/// A checkpoint and the data that a suite names, ready to be looked at.
class Examined {
public:
    Examined(const std::filesystem::path& checkpoint, const SuiteOptions& options, at::Device device,
             const model::Precision& precision)
        : config_(model::read_config(model::SafetensorsFile(checkpoint))), suite_(read_suite(options.suite, config_)),
          stem_(checkpoint, config_, precision, device), network_(network(device, precision)),
          tokenizer_(stem_.checkpoint().tokenizer, config_.vocabulary, config_.max_text_tokens, checkpoint.string()),
          log_mel_(config_), maker_(config_, &tokenizer_, log_mel_, device), cancel_(options.cancel)
    {
        for (const auto& dataset : suite_.datasets)
            for (const auto& evaluation : suite_.evaluations)
                if ((dataset.name == evaluation.dataset || dataset.name == evaluation.train_dataset)
                    && !sources_.contains(dataset.name))
                    sources_.emplace(dataset.name, open_source(dataset));
    }

    const std::vector<EvaluationRecipe>& evaluations() const { return suite_.evaluations; }
    bool has_concepts(size_t evaluation) const { return training::has_concepts(config_, suite_.evaluations[evaluation]); }
    Measured measure(size_t evaluation, VectorsOf vectors)
    {
        const Looking looking{network_, sources_, maker_, stem_.trunks(), decoder_, nullptr, 2048, cancel_};
        return measure_dataset(looking, config_, suite_.evaluations[evaluation], vectors);
    }

private:
    model::Network network(at::Device device, const model::Precision& precision) const
    {
        model::Parameters parameters = stem_.checkpoint().parameters;
        for (auto& [name, tensor] : parameters)
            tensor = tensor.to(device);
        model::Network network(config_, std::move(parameters));
        network.set_precision(precision);
        return network.with_converted_matrices();
    }

    model::ModelConfig config_;
    Recipe suite_;
    Stem stem_;
    model::Network network_;
    tokens::TextTokenizer tokenizer_;
    tokens::LogMel log_mel_;
    InputMaker maker_;
    media::Decoder decoder_;
    Sources sources_;
    CancelToken cancel_;
};

/// Query by query; the queries of one sample are resampled together. Null where the two could not read the same samples.
json compared(const Measured& ours, const Measured& theirs)
{
    if (ours.samples != theirs.samples)
        return nullptr;
    json all = json::object();
    for (const auto& [figure, values] : ours.each) {
        const auto& others = theirs.each.at(figure);
        const size_t per_sample = values.size() / ours.samples.size();
        std::vector<int> groups;
        for (size_t query = 0; query < values.size(); ++query)
            groups.push_back(static_cast<int>(query / per_sample));
        const auto result = evaluation::compare(values, others, kRounds, 1, groups);
        all[figure] = {{"theirs", result.second},
                       {"difference", result.difference},
                       {"interval", {result.interval.low, result.interval.high}},
                       {"p", result.p}};
    }
    return all;
}

}  // namespace

json evaluate_suite(const SuiteOptions& options)
{
    const at::Device device = model::choose_device(options.encoder.device, "--device");
    // Figures are compared: one precision on every machine, unless another is asked for.
    const std::string& asked = options.encoder.precision;
    const model::Precision precision{model::choose_precision(asked == "auto" ? "fp32" : asked, device, "--precision")};
    if (options.encoder.threads > 0)
        at::set_num_threads(options.encoder.threads);
    Examined ours(options.checkpoint, options, device, precision);
    std::optional<Examined> theirs;
    if (!options.against.empty())
        theirs.emplace(options.against, options, device, precision);
    json evaluations = json::object();
    for (size_t i = 0; i < ours.evaluations().size(); ++i) {
        const std::string& name = ours.evaluations()[i].name;
        if (options.log)
            options.log("measuring " + name);
        const Measured own = ours.measure(i, VectorsOf::Network);
        json& figures = evaluations[name] = own.figures;
        json beside = json::object();
        if (ours.has_concepts(i))
            beside["untrained ConSE"] = compared(own, ours.measure(i, VectorsOf::Concepts));
        if (theirs)
            beside[options.against.filename().string()] = compared(own, theirs->measure(i, VectorsOf::Network));
        if (!beside.empty())
            figures["compared"] = beside;
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
        const json compared = figures.value("compared", json::object());
        for (const auto& [other, differences] : compared.items()) {
            table += "  beside " + other + (differences.is_null() ? ", which reads other samples: not compared\n" : ":\n");
            for (const auto& [figure, one] : differences.items())
                table += line_of("    %-22s %7.1f %%  %+.1f  [%+.1f %+.1f], p %.3f\n", figure.c_str(),
                                 100 * one.at("theirs").get<double>(), 100 * one.at("difference").get<double>(),
                                 100 * one.at("interval")[0].get<double>(), 100 * one.at("interval")[1].get<double>(),
                                 one.at("p").get<double>());
        }
    }
    return table;
}

}  // namespace imprint::training
