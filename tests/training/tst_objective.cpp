// SPDX-License-Identifier: Apache-2.0
// The objectives over data sets: what they compute, and that the whole step of each runs on device `meta`, which has shapes and
// no memory.
#include <ATen/ATen.h>
#include <QTest>

#include "core/model/named_configs.h"
#include "training/inputs.h"
#include "training/objective.h"
#include "training/objectives.h"

using namespace imprint;
using namespace imprint::training;

namespace {

ObjectiveRecipe recipe_of(ObjectiveKind kind, std::vector<std::string> modalities)
{
    ObjectiveRecipe recipe;
    recipe.kind = kind;
    recipe.modalities = std::move(modalities);
    return recipe;
}

model::ModelConfig small_model(bool disjoint)
{
    model::ModelConfig config;
    config.width = 32;
    config.layers = 2;
    config.heads = 2;
    config.ffn_width = 48;
    config.sparse_layers = 1;
    config.experts = 2;
    config.head_width = 24;
    config.joint_dim = 16;
    config.vocabulary = 40;
    config.vision_stem = model::VisionStem::Patch;
    config.max_frames = 16;
    config.waveform = true;
    config.target_classifier = true;
    config.standardise_sound = false;
    config.common_space = disjoint ? model::CommonSpace::Disjoint : model::CommonSpace::Joint;
    config.classifiers = {{"vision", "kinds", 5}, {"sound", "kinds", 5}, {"waveform", "kinds", 5}, {"text", "kinds", 5}};
    return config;
}

struct Case {
    const char* name;
    ObjectiveRecipe recipe;
    QStringList learns;
};

std::vector<Case> cases()
{
    std::vector<Case> all = {
        {"nce picture-text",
         recipe_of(ObjectiveKind::Nce, {"vision", "text"}),
         {"vision.input.kernel", "text.table", "temperature.picture_text"}},
        {"nce sound-text", recipe_of(ObjectiveKind::Nce, {"sound", "text"}), {"sound.input.kernel", "temperature.sound_text"}},
        {"nce picture-sound",
         recipe_of(ObjectiveKind::Nce, {"sound", "vision"}),
         {"sound.input.kernel", "temperature.picture_sound"}},
        {"nce waveform-text",
         recipe_of(ObjectiveKind::Nce, {"text", "waveform"}),
         {"waveform.input.kernel", "temperature.waveform_text"}},
        {"nce picture-waveform", recipe_of(ObjectiveKind::Nce, {"vision", "waveform"}), {"temperature.picture_waveform"}},
        {"nce of three",
         recipe_of(ObjectiveKind::Nce, {"vision", "sound", "text"}),
         {"temperature.sound_text", "temperature.picture_sound"}},
        {"masked language", recipe_of(ObjectiveKind::MaskedLanguage, {"text"}), {"text.target.kernel", "text.table"}},
        {"trunk", recipe_of(ObjectiveKind::Distill, {"vision"}), {"classifier.vision.kinds.kernel"}},
    };
    all.back().recipe.teacher = "trunk";
    all.back().recipe.classifier = "kinds";
    for (const char* modality : {"vision", "sound", "waveform", "text"}) {
        for (const bool sigmoid : {false, true}) {
            ObjectiveRecipe classify = recipe_of(ObjectiveKind::Classify, {modality});
            classify.classifier = "kinds";
            classify.smoothing = 0.1;
            classify.labels = sigmoid ? LabelLoss::Sigmoid : LabelLoss::Softmax;
            all.push_back({sigmoid ? "classify, sigmoid" : "classify, softmax",
                           classify,
                           {QString("classifier.%1.kinds.kernel").arg(modality)}});
        }
        all.push_back({"distill", recipe_of(ObjectiveKind::Distill, {modality}), {QString("%1.post.kernel").arg(modality)}});
    }
    return all;
}

/// Inputs of every modality for four samples with two clips and two captions each.
Inputs inputs_on(at::Device device)
{
    const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(device),
                            ids = at::TensorOptions(at::kLong).device(device);
    Inputs inputs;
    inputs.pixels = at::empty({8, 4, 64, 64, 3}, at::TensorOptions(at::kByte).device(device));
    inputs.kept = at::empty({8, 10}, ids);
    inputs.spectrogram = at::empty({8, 32, 128}, floats);
    inputs.waveform = at::empty({8, 1024}, floats);
    inputs.texts = {{{0, 2, 4, 5}, at::empty({4, 3}, ids), {}, {}, {}},
                    {{1, 3, 6, 7}, at::empty({4, 6}, ids), at::empty({4, 6}, ids.dtype(at::kBool)), {}, {}}};
    inputs.masked_texts = {
        {{0, 1, 2, 3, 4, 5, 6, 7}, at::empty({8, 5}, ids), {}, at::empty({8, 5}, ids), at::empty({8, 5}, floats)}};
    return inputs;
}

}  // namespace

Q_DECLARE_METATYPE(Case)

class TestObjective : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void the_whole_step_of_every_objective_runs_on_meta_data()
    {
        QTest::addColumn<Case>("one");
        QTest::addColumn<bool>("disjoint");
        for (const Case& one : cases())
            for (const bool disjoint : {false, true})
                QTest::addRow("%s of %s, %s", one.name, one.recipe.modalities.front().c_str(), disjoint ? "disjoint" : "joint")
                    << one << disjoint;
    }
    void the_whole_step_of_every_objective_runs_on_meta()
    {
        QFETCH(Case, one);
        QFETCH(bool, disjoint);
        Recipe whole;
        whole.model = small_model(disjoint);
        model::Parameters parameters = model::meta_parameters(whole.model);
        for (auto& [name, tensor] : parameters)
            tensor.requires_grad_(true);
        const model::Network network(whole.model, parameters);
        const auto objective = make_objective(one.recipe, whole);
        Wanted wanted;
        objective->want(wanted);
        const Inputs inputs = inputs_on(at::kMeta);
        Rows rows(whole.model, wanted);
        at::Tensor z_loss;
        for (const auto& [modality, list] : pass_lists(inputs, wanted, whole.model, {}, 60)) {
            std::vector<at::Tensor> parts;
            for (const Pass& pass : list.passes()) {
                PassOutput output = pass.forward(network);
                parts.push_back(output.rows);
                z_loss = z_loss.defined() ? z_loss + output.z_loss : output.z_loss;
            }
            rows.set(modality, at::cat(parts));  // in the passes' order: there are no values to tell
        }
        const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(at::kMeta);
        const Targets targets{
            at::empty({4}, floats.dtype(at::kLong)), at::empty({4, 16}, floats), at::empty({8, 5}, floats), 4, 2, 2};
        const StepLoss loss = objective->loss(rows, targets, network);
        QVERIFY(loss.total.is_meta() && loss.total.numel() == 1);
        for (const auto& [name, figure] : loss.figures)
            QVERIFY2(figure.numel() == 1 && !figure.requires_grad(), name.c_str());
        (loss.total + z_loss).backward();
        QStringList must = one.learns;
        must << "encoder.0.attention.q.kernel"
             << "encoder.1.ffn.router.kernel";
        for (const QString& name : must)
            QVERIFY2(parameters.at(name.toStdString()).grad().defined(), qPrintable(name));
    }

    void nce_is_the_mean_over_its_pairs_of_the_papers_loss()
    {
        Recipe whole;
        whole.model = small_model(true);
        at::manual_seed(3);
        const model::Network network(whole.model, model::initial_parameters(whole.model, 1));
        ObjectiveRecipe recipe = recipe_of(ObjectiveKind::Nce, {"vision", "sound", "text"});
        recipe.margin = 0.05;
        recipe.loss_weight = 0.5;
        const auto objective = make_objective(recipe, whole);
        Wanted wanted;
        objective->want(wanted);
        Rows rows(whole.model, wanted);
        for (const char* modality : {"vision", "sound", "text"})
            rows.set(modality, at::randn({6, 32}));  // two columns each: one for each other modality
        const Targets targets{{}, {}, {}, 3, 2, 2};
        const auto part = [&](const char* modality, const char* column) { return rows.of(modality, column).view({3, 2, 16}); };
        const auto pair = [&](const char* a, const char* b, const char* name) {
            return multi_instance_nce(part(a, (std::string("to_") + b).c_str()), part(b, (std::string("to_") + a).c_str()),
                                      network.temperature(name), 0.05);
        };
        const at::Tensor wanted_loss = (pair("vision", "sound", "picture_sound") + pair("vision", "text", "picture_text")
                                        + pair("sound", "text", "sound_text"))
            / 6;
        const StepLoss loss = objective->loss(rows, targets, network);
        QVERIFY(std::abs(loss.total.item<double>() - wanted_loss.item<double>()) < 1e-5);
        QVERIFY(loss.figures.contains("nce.sound_text"));
    }

    void clips_vote_for_one_class()
    {
        Recipe whole;
        whole.model = small_model(false);
        const model::Network network(whole.model, model::initial_parameters(whole.model, 1));
        ObjectiveRecipe recipe = recipe_of(ObjectiveKind::Classify, {"vision"});
        recipe.classifier = "kinds";
        const auto objective = make_objective(recipe, whole);
        QVERIFY(objective->wants_labels());
        Wanted wanted;
        objective->want(wanted);
        Rows rows(whole.model, wanted);
        // The first sample's clips disagree, and the surer one wins.
        rows.set("vision",
                 at::tensor({0.f, 3.f, 0.f, 0.f, 0.f, 1.f, 0.f, 0.f, 0.f, 0.f, 9.f, 0.f, 0.f, 0.f, 0.f, 9.f, 0.f, 0.f, 0.f, 0.f})
                     .view({4, 5}));
        const Targets targets{at::tensor(std::vector<int64_t>{1, 0}), {}, {}, 2, 2, 1};
        const StepLoss loss = objective->loss(rows, targets, network);
        QCOMPARE(loss.figures.at("accuracy").item<double>(), 1.0);
        const at::Tensor mean = rows.whole("vision").view({2, 2, 5}).mean(1);
        const at::Tensor wanted_loss = at::cross_entropy_loss(mean, targets.labels);
        QVERIFY(std::abs(loss.total.item<double>() - wanted_loss.item<double>()) < 1e-6);
    }

    void a_student_that_says_what_its_teacher_says_has_no_distance()
    {
        Recipe whole;
        whole.model = small_model(false);
        const model::Network network(whole.model, model::initial_parameters(whole.model, 1));
        ObjectiveRecipe recipe = recipe_of(ObjectiveKind::Distill, {"text"});
        recipe.nce = 0;
        const auto objective = make_objective(recipe, whole);
        Wanted wanted;
        objective->want(wanted);
        Rows rows(whole.model, wanted);
        const at::Tensor vectors = at::randn({4, 16});
        rows.set("text", vectors);
        const StepLoss same = objective->loss(rows, {{}, vectors * 3, {}, 4, 1, 1}, network);
        const StepLoss opposite = objective->loss(rows, {{}, -vectors, {}, 4, 1, 1}, network);
        QVERIFY(std::abs(same.total.item<double>()) < 1e-5);
        QVERIFY(std::abs(opposite.total.item<double>() - 2) < 1e-5);
        QCOMPARE(same.figures.at("accuracy").item<double>(), 1.0);
    }

    void pairs_have_one_name_in_either_order()
    {
        QCOMPARE(pair_name("text", "vision"), std::string("picture_text"));
        QCOMPARE(pair_name("sound", "vision"), std::string("picture_sound"));
        QCOMPARE(pair_name("text", "waveform"), std::string("waveform_text"));
        const auto pairs = model::temperature_pairs(small_model(true));
        for (const char* a : {"vision", "sound", "waveform", "text"})
            for (const char* b : {"vision", "sound", "waveform", "text"})
                if (std::string(a) != b)
                    QVERIFY2(std::find(pairs.begin(), pairs.end(), pair_name(a, b)) != pairs.end(), pair_name(a, b).c_str());
    }

    void passes_of_routing_across_items_are_equal_and_shared_out()
    {
        model::ModelConfig config = small_model(true);
        config.routing_group = model::RoutingGroup::Batch;
        config.experts = 4;
        Wanted wanted;
        wanted.add("vision", "to_text");
        Inputs inputs = inputs_on(at::kMeta);  // 8 items of 10 tokens
        const auto lists = pass_lists(inputs, wanted, config, {}, 35);
        int64_t items = 0;
        for (const Pass& pass : lists.at("vision").passes()) {
            QCOMPARE(pass.tokens % config.experts, int64_t{0});
            QCOMPARE(pass.tokens, lists.at("vision").passes().front().tokens);
            items += pass.tokens / 10;
        }
        QCOMPARE(items, int64_t{8});
    }
};

QTEST_APPLESS_MAIN(TestObjective)
#include "tst_objective.moc"
