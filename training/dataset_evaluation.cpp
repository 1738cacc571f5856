// SPDX-License-Identifier: Apache-2.0
#include "training/dataset_evaluation.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/base/error.h"
#include "training/evaluation/linear_probe.h"
#include "training/evaluation/retrieval.h"
#include "training/evaluation/zero_shot.h"

namespace imprint::training {
namespace {

using nlohmann::json;

constexpr int64_t kChunk = 32;  // samples decoded before they go through the network
constexpr int kRounds = 1000;   // of the bootstrap

std::vector<float> floats_of(const at::Tensor& rows)
{
    const at::Tensor flat = rows.contiguous();
    return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

at::Tensor rows_of(const Looking& looking, const Inputs& inputs, const std::string& modality, const std::string& column)
{
    Wanted wanted;
    wanted.add(modality, column);
    auto lists = pass_lists(inputs, wanted, looking.network.config(), looking.trunks, looking.pass_tokens);
    return lists.at(modality).run(looking.network).to(at::kCPU, at::kFloat);
}

/// One evaluation, with the words that its messages need.
class Measure {
public:
    Measure(const Looking& looking, const model::ModelConfig& config, const EvaluationRecipe& recipe, VectorsOf vectors)
        : looking_(looking), config_(config), recipe_(recipe), vectors_(vectors)
    {
    }

    Measured measured()
    {
        switch (recipe_.kind) {
        case EvaluationKind::ZeroShot:
            zero_shot();
            break;
        case EvaluationKind::Retrieval:
            retrieval();
            break;
        case EvaluationKind::Probe:
            probe();
            break;
        }
        return std::move(out_);
    }

private:
    DatasetView view(const std::string& dataset, const std::string& modality, const std::string& column) const
    {
        return {dataset,       modality,    column, recipe_.resolution, recipe_.clips, recipe_.captions, recipe_.sound_seconds,
                text_tokens(), recipe_.most};
    }
    // Routing across items wants texts of one length, and 16 is the method's (imp_method.md 1.2).
    int text_tokens() const
    {
        return config_.sparse_layers > 0 && config_.routing_group == model::RoutingGroup::Batch
            ? std::min(16, config_.max_text_tokens)
            : 0;
    }
    const std::vector<std::string>& classes_of(const std::string& dataset) const
    {
        const auto& classes = looking_.sources.at(dataset)->classes();
        if (classes.empty())
            refuse("the data set \"" + dataset + "\" has no labels", "Name the label's column or part");
        return classes;
    }
    [[noreturn]] void refuse(const std::string& reason, const std::string& remedy) const
    {
        throw Error(ErrorKind::Usage, "the evaluation \"" + recipe_.name + "\"", reason, remedy);
    }
    Seen seen(const DatasetView& what) const
    {
        Seen found = look_at(looking_, what);
        if (found.samples.empty())
            refuse("no sample of \"" + what.dataset + "\" can be read", "Check the data");
        return found;
    }

    std::string column_against(const std::string& modality) const
    {
        return vectors_ == VectorsOf::Concepts ? "concept" : space_column(config_, modality);
    }
    void put(const std::string& name, std::vector<double> values)
    {
        const auto interval = evaluation::bootstrap(values, kRounds, 1);
        out_.figures[name] = evaluation::mean(values);
        out_.figures[name + "_interval"] = {interval.low, interval.high};
        out_.each[name] = std::move(values);
    }
    void count(const Seen& found)
    {
        out_.figures["samples"] = found.samples.size();
        out_.figures["unreadable"] = found.unreadable;
        out_.samples = found.samples;
    }

    void zero_shot()
    {
        const std::string& modality = recipe_.modalities.front();
        const auto& classes = classes_of(recipe_.dataset);
        const TextTemplates templates(recipe_.templates);
        std::vector<Vectors> prompts;
        for (const auto& name : classes) {
            Inputs inputs;
            inputs.texts = looking_.maker.text_batches(templates.all(class_words(name)), text_tokens());
            const at::Tensor rows = rows_of(looking_, inputs, "text", column_against(modality));
            prompts.push_back({static_cast<int>(rows.size(1)), floats_of(rows)});
        }
        const Vectors keys = evaluation::class_keys(prompts);
        const Seen found = seen(view(recipe_.dataset, modality, column_against("text")));
        std::vector<Vectors> items;
        for (int64_t i = 0; i < found.rows.size(0); ++i)
            items.push_back({keys.dim, floats_of(found.rows[i])});
        classified(evaluation::class_scores(items, keys), found, classes.size());
    }

    void classified(const evaluation::Scores& scores, const Seen& found, size_t classes)
    {
        auto accuracy = evaluation::accuracy(scores, found.labels);
        count(found);
        put("top1", std::move(accuracy.top1));
        put("top5", std::move(accuracy.top5));
        out_.figures["chance"] = 1.0 / static_cast<double>(classes);
    }

    evaluation::InstanceVectors instances(const Seen& found, const std::string& modality) const
    {
        evaluation::InstanceVectors vectors{static_cast<int>(found.rows.size(0)), static_cast<int>(found.rows.size(1)),
                                            static_cast<int>(found.rows.size(2)), floats_of(found.rows)};
        return modality == "text" ? vectors : evaluation::averaged(vectors);  // section 7: clips before anything is normalised
    }

    void retrieval()
    {
        const std::string &a = recipe_.modalities[0], &b = recipe_.modalities[1];
        Seen left = seen(view(recipe_.dataset, a, column_against(b))), right = seen(view(recipe_.dataset, b, column_against(a)));
        keep_common(left, right);
        const auto first = instances(left, a), second = instances(right, b);
        count(left);
        const auto way = [&](const std::string& name, const auto& queries, const auto& keys) {
            const auto ranks = evaluation::retrieval_ranks(queries, keys, evaluation::Instances::Boundary);
            const auto all = evaluation::recalls(ranks);
            for (const int k : {1, 5, 10}) {
                std::vector<double> hits;
                for (const int rank : ranks)
                    hits.push_back(rank < k ? 1 : 0);
                put(name + ".r" + std::to_string(k), std::move(hits));
            }
            out_.figures[name + ".median_rank"] = all.median_rank;
        };
        way("forwards", first, second);
        way("backwards", second, first);
        out_.figures["chance.r1"] = 1.0 / static_cast<double>(first.samples);
    }

    // A sample that only one modality can be read of has no pair.
    static void keep_common(Seen& a, Seen& b)
    {
        std::vector<int64_t> both;
        std::set_intersection(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(), std::back_inserter(both));
        for (Seen* seen : {&a, &b}) {
            std::vector<int64_t> rows;
            for (const int64_t sample : both)
                rows.push_back(std::lower_bound(seen->samples.begin(), seen->samples.end(), sample) - seen->samples.begin());
            seen->rows = seen->rows.index_select(0, at::tensor(rows, at::kLong));
            seen->unreadable += static_cast<int64_t>(seen->samples.size() - both.size());
            seen->samples = both;
        }
    }

    void probe()
    {
        const auto& classes = classes_of(recipe_.dataset);
        if (classes_of(recipe_.train_dataset) != classes)
            refuse("\"" + recipe_.train_dataset + "\" has other classes than \"" + recipe_.dataset + "\"",
                   "Give both the same list of classes");
        const std::string& modality = recipe_.modalities.front();
        const Seen train = seen(view(recipe_.train_dataset, modality, "pooled")),
                   test = seen(view(recipe_.dataset, modality, "pooled"));
        const auto table = [](const Seen& found) {
            return evaluation::FeatureTable{static_cast<int>(found.rows.size(2)), floats_of(found.rows)};
        };
        std::vector<int> labels;  // one per row
        for (const int label : train.labels)
            labels.insert(labels.end(), static_cast<size_t>(train.rows.size(1)), label);
        evaluation::ProbeOptions options;
        options.cancel = looking_.cancel;
        const evaluation::LinearProbe learned(table(train), labels, static_cast<int>(classes.size()), options);
        classified(learned(table(test), static_cast<int>(test.rows.size(1))), test, classes.size());
    }

    const Looking& looking_;
    const model::ModelConfig& config_;
    const EvaluationRecipe& recipe_;
    VectorsOf vectors_;
    Measured out_;
};

}  // namespace

Seen look_at(const Looking& looking, const DatasetView& view)
{
    const at::NoGradGuard guard;
    const Source& source = *looking.sources.at(view.dataset);
    const int64_t count = view.most > 0 ? std::min(view.most, source.size()) : source.size();
    ExampleOptions options;
    options.pictures = view.modality == "vision";
    options.sound = view.modality == "sound" || view.modality == "waveform";
    options.text = view.modality == "text";
    options.resolution = view.resolution;
    options.resolution.drop = 0;
    options.clips = view.clips;
    options.captions = view.captions;
    options.sound_seconds = view.sound_seconds;
    options.augment = false;
    Wanted wanted;
    wanted.add(view.modality, view.column);
    InputMaker::How how;
    how.text_tokens = view.text_tokens;
    how.sound_seconds = view.sound_seconds;
    how.training = false;

    Seen seen;
    std::vector<at::Tensor> parts;
    const int64_t instances = view.modality == "text" ? view.captions : view.clips;
    for (int64_t first = 0; first < count; first += kChunk) {
        looking.cancel.check();
        Batch batch{0, options.resolution, {}};
        for (int64_t i = first; i < std::min(count, first + kChunk); ++i) {
            try {
                const Sample sample = source.sample(i);
                batch.examples.push_back(make_example(sample, source.classes(), options, {1, 0, 0, i}, looking.decoder,
                                                      looking.cache, looking.cancel));
            } catch (const Error& error) {
                if (error.kind() == ErrorKind::Cancelled)
                    throw;
                ++seen.unreadable;
                continue;
            }
            seen.samples.push_back(i);
            seen.labels.push_back(batch.examples.back().label);
        }
        if (batch.examples.empty())
            continue;
        const at::Tensor rows = rows_of(looking, looking.maker.inputs(batch, nullptr, wanted, how), view.modality, view.column);
        parts.push_back(rows.view({static_cast<int64_t>(batch.examples.size()), instances, rows.size(1)}));
    }
    if (!parts.empty())
        seen.rows = at::cat(parts);
    return seen;
}

bool has_concepts(const model::ModelConfig& config, const EvaluationRecipe& evaluation)
{
    const bool stems = config.vision_stem == model::VisionStem::Hybrid && config.text_stem == model::TextStem::Hybrid;
    return stems && evaluation.kind != EvaluationKind::Probe
        && std::all_of(evaluation.modalities.begin(), evaluation.modalities.end(),
                       [](const std::string& modality) { return modality == "vision" || modality == "text"; });
}

Measured measure_dataset(const Looking& looking, const model::ModelConfig& config, const EvaluationRecipe& evaluation,
                         VectorsOf vectors)
{
    const at::NoGradGuard guard;
    return Measure(looking, config, evaluation, vectors).measured();
}

json evaluate_datasets(const Looking& looking, const model::ModelConfig& config, const std::vector<EvaluationRecipe>& evaluations)
{
    json all = json::object();
    for (const auto& evaluation : evaluations)
        all[evaluation.name] = measure_dataset(looking, config, evaluation).figures;
    return all;
}

}  // namespace imprint::training
