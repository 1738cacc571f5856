// SPDX-License-Identifier: Apache-2.0
// The objectives over data sets.
#include "training/objective.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/base/error.h"
#include "kernels/contrastive.h"
#include "training/objectives.h"

namespace imprint::training {
namespace {

at::Tensor unit(const at::Tensor& x) { return x / (x.norm(2, {-1}, true) + 1e-6); }

/// Share of rows whose own column is the best.
at::Tensor first_right(const at::Tensor& scores)
{
    const at::Tensor own = at::arange(scores.size(0), scores.options().dtype(at::kLong));
    return (scores.detach().argmax(-1) == own).to(scores.scalar_type()).mean();
}

int64_t instances(const Targets& targets, const std::string& modality)
{
    return modality == "text" ? targets.captions : targets.clips;
}

class NceObjective final : public Objective {
public:
    NceObjective(const ObjectiveRecipe& recipe, const Recipe& whole) : recipe_(recipe), config_(whole.model)
    {
        for (size_t i = 0; i < recipe.modalities.size(); ++i)
            for (size_t j = i + 1; j < recipe.modalities.size(); ++j)
                pairs_.emplace_back(recipe.modalities[i], recipe.modalities[j]);
        gated_ = config_.vision_stem == model::VisionStem::Hybrid;
    }

    void want(Wanted& wanted) const override
    {
        for (const auto& [a, b] : pairs_) {
            wanted.add(a, space_column(config_, b));
            wanted.add(b, space_column(config_, a));
            for (const auto& modality : {a, b})
                if (gated_ && modality == "vision")
                    wanted.add(modality, "own");
        }
    }

    StepLoss loss(const Rows& rows, const Targets& targets, const model::Network& network) const override
    {
        StepLoss result;
        at::Tensor sum, right;
        for (const auto& [a, b] : pairs_) {
            const at::Tensor temperature = network.temperature(pair_name(a, b)).squeeze(0);
            const at::Tensor left = vectors(rows, targets, a, space_column(config_, b));
            const at::Tensor other = vectors(rows, targets, b, space_column(config_, a));
            at::Tensor loss = contrast(left, other, temperature);
            // The head learns whatever the gate does.
            if (gated_ && a == "vision")
                loss = (loss + contrast(vectors(rows, targets, a, "own"), other, temperature)) / 2;
            if (gated_ && b == "vision")
                loss = (loss + contrast(left, vectors(rows, targets, b, "own"), temperature)) / 2;
            result.figures["nce." + a + "_" + b] = loss.detach();
            sum = sum.defined() ? sum + loss : loss;
            const at::Tensor found = first_right(at::matmul(left.select(1, 0), other.select(1, 0).t()));
            right = right.defined() ? right + found : found;
        }
        const double share = 1.0 / static_cast<double>(pairs_.size());
        result.total = sum * (share * recipe_.loss_weight);
        result.figures["accuracy"] = right * share;
        return result;
    }

private:
    /// [batch, instances, dim] unit vectors
    at::Tensor vectors(const Rows& rows, const Targets& targets, const std::string& modality, const std::string& column) const
    {
        const at::Tensor own = rows.of(modality, column);
        return (config_.common_space == model::CommonSpace::Joint ? own : unit(own))
            .reshape({targets.batch, instances(targets, modality), config_.joint_dim});
    }
    at::Tensor contrast(const at::Tensor& a, const at::Tensor& b, const at::Tensor& temperature) const
    {
        kernels::ContrastiveOptions options;
        options.margin = recipe_.margin;
        return kernels::contrastive_loss(a.contiguous(), b.contiguous(), temperature.to(a.scalar_type()), options);
    }

    ObjectiveRecipe recipe_;
    model::ModelConfig config_;
    std::vector<std::pair<std::string, std::string>> pairs_;
    bool gated_;
};

class ClassifyObjective final : public Objective {
public:
    explicit ClassifyObjective(const ObjectiveRecipe& recipe) : recipe_(recipe), column_("classifier." + recipe.classifier) { }

    void want(Wanted& wanted) const override { wanted.add(recipe_.modalities.front(), column_); }
    bool wants_labels() const override { return true; }

    StepLoss loss(const Rows& rows, const Targets& targets, const model::Network&) const override
    {
        const std::string& modality = recipe_.modalities.front();
        const at::Tensor all = rows.of(modality, column_);
        const at::Tensor logits = all.reshape({targets.batch, instances(targets, modality), all.size(1)}).mean(1);
        const at::Tensor classes = at::arange(logits.size(1), targets.labels.options());
        const at::Tensor hot = (targets.labels.unsqueeze(1) == classes.unsqueeze(0)).to(logits.scalar_type());
        const at::Tensor loss = recipe_.labels == LabelLoss::Softmax ? softmax_cross_entropy(logits, hot, recipe_.smoothing)
                                                                     : sigmoid_cross_entropy(logits, hot, recipe_.smoothing);
        StepLoss result;
        result.total = loss * recipe_.loss_weight;
        result.figures["accuracy"] = (logits.detach().argmax(-1) == targets.labels).to(logits.scalar_type()).mean();
        return result;
    }

private:
    ObjectiveRecipe recipe_;
    std::string column_;
};

class DistillObjective final : public Objective {
public:
    DistillObjective(const ObjectiveRecipe& recipe, const Recipe& whole)
        : recipe_(recipe), sharpness_(whole.target_sharpness), modality_(recipe.modalities.front()),
          column_(space_column(whole.model, modality_ == "text" ? "vision" : "text"))
    {
    }

    void want(Wanted& wanted) const override { wanted.add(modality_, column_); }

    StepLoss loss(const Rows& rows, const Targets& targets, const model::Network&) const override
    {
        const int64_t each = instances(targets, modality_);
        const at::Tensor all = unit(rows.of(modality_, column_));
        const at::Tensor teacher = unit(targets.teacher.to(all.scalar_type()));
        const at::Tensor student = unit(all.reshape({targets.batch, each, all.size(1)}).mean(1));
        // The student must point where the teacher points, and tell the batch apart as the teacher does.
        const at::Tensor temperature = at::full({1}, 1 / sharpness_, student.options());
        const at::Tensor relations = nce(student, teacher, temperature, {teacher, sharpness_});
        const at::Tensor distance = cosine_distance(student, teacher);
        StepLoss result;
        result.total = (relations * recipe_.nce + distance * recipe_.cosine) * recipe_.loss_weight;
        result.figures = {{"nce", relations.detach()},
                          {"cosine", distance.detach()},
                          {"accuracy", first_right(at::matmul(student, teacher.t()))}};
        return result;
    }

private:
    ObjectiveRecipe recipe_;
    double sharpness_;
    std::string modality_, column_;
};

class TrunkObjective final : public Objective {
public:
    explicit TrunkObjective(const ObjectiveRecipe& recipe) : recipe_(recipe), column_("classifier." + recipe.classifier) { }

    void want(Wanted& wanted) const override { wanted.add("vision", column_); }
    bool wants_trunk() const override { return true; }

    StepLoss loss(const Rows& rows, const Targets& targets, const model::Network&) const override
    {
        const at::Tensor outputs = rows.of("vision", column_);
        const at::Tensor error = (outputs - targets.trunk.to(outputs.scalar_type())).square().mean();
        StepLoss result;
        result.total = error * recipe_.loss_weight;
        result.figures["error"] = error.detach();
        return result;
    }

private:
    ObjectiveRecipe recipe_;
    std::string column_;
};

class MaskedLanguageObjective final : public Objective {
public:
    explicit MaskedLanguageObjective(const ObjectiveRecipe& recipe) : recipe_(recipe) { }

    void want(Wanted& wanted) const override { wanted.add("masked_text", "masked"); }

    StepLoss loss(const Rows& rows, const Targets&, const model::Network&) const override
    {
        const at::Tensor sums = rows.of("masked_text", "masked").sum(0);
        StepLoss result;
        result.total = sums.select(0, 0) / sums.select(0, 1).detach().clamp_min(1) * recipe_.loss_weight;
        return result;
    }

private:
    ObjectiveRecipe recipe_;
};

}  // namespace

std::string pair_name(const std::string& a, const std::string& b)
{
    static const std::vector<std::string> order = {"vision", "sound", "waveform", "text"};  // of the parts of a pair's name
    const auto place = [&](const std::string& modality) {
        return std::find(order.begin(), order.end(), modality) - order.begin();
    };
    const auto word = [](const std::string& modality) { return modality == "vision" ? std::string("picture") : modality; };
    return place(a) < place(b) ? word(a) + "_" + word(b) : word(b) + "_" + word(a);
}

std::unique_ptr<Objective> make_objective(const ObjectiveRecipe& recipe, const Recipe& whole)
{
    switch (recipe.kind) {
    case ObjectiveKind::Nce:
        return std::make_unique<NceObjective>(recipe, whole);
    case ObjectiveKind::Classify:
        return std::make_unique<ClassifyObjective>(recipe);
    case ObjectiveKind::Distill:
        if (recipe.teacher == "trunk")
            return std::make_unique<TrunkObjective>(recipe);
        return std::make_unique<DistillObjective>(recipe, whole);
    case ObjectiveKind::MaskedLanguage:
        return std::make_unique<MaskedLanguageObjective>(recipe);
    default:
        break;
    }
    IMPRINT_ASSERT(!"an objective over data sets");
    return nullptr;
}

}  // namespace imprint::training
