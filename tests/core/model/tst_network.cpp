// SPDX-License-Identifier: Apache-2.0
// Sizes, positions, stems and DropToken of the network.
#include <ATen/ATen.h>
#include <QTest>
#include <c10/core/InferenceMode.h>

#include <map>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/model_info.h"
#include "core/model/named_configs.h"
#include "core/model/network.h"
#include "tests/core/model/small_config.h"
#include "tests/support/allocation_meter.h"

using namespace imprint;
using namespace imprint::model;
using imprint::tests::small_config;

namespace {

Network make_network(const ModelConfig& config)
{
    auto parameters = initial_parameters(config, 3);
    if (config.vision_stem == VisionStem::Hybrid)
        parameters["concept.class_text"].normal_();
    return Network(config, parameters);
}

bool unit_rows(const at::Tensor& vectors)
{
    return at::allclose(vectors.norm(2, {-1}), at::ones({vectors.size(0)}), 1e-4, 1e-4);
}

}  // namespace

class TestNetwork : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initial_deviations_are_those_of_section_1_5_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("deviation");
        QTest::newRow("queries") << "encoder.0.attention.q.kernel" << 1 / std::sqrt(768.0 * 12);
        QTest::newRow("keys") << "encoder.0.attention.k.kernel" << 1 / std::sqrt(768.0 * 12);
        QTest::newRow("values") << "encoder.0.attention.v.kernel" << 1 / std::sqrt(768.0 * 12);
        QTest::newRow("output") << "encoder.0.attention.o.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("feed-forward in") << "encoder.0.ffn.in.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("feed-forward out") << "encoder.0.ffn.out.kernel" << 1 / std::sqrt(3072.0);
        QTest::newRow("experts in") << "encoder.1.ffn.in.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("experts out") << "encoder.1.ffn.out.kernel" << 1 / std::sqrt(3072.0);
        QTest::newRow("router") << "encoder.1.ffn.router.kernel" << 0.02;
        QTest::newRow("text table") << "text.table" << 1 / std::sqrt(768.0);
        QTest::newRow("text positions") << "text.position" << 1 / std::sqrt(768.0);
        QTest::newRow("rows of a picture") << "vision.position.row" << 1 / std::sqrt(768.0);
        QTest::newRow("patches") << "vision.input.kernel" << 1 / std::sqrt(3072.0);
        QTest::newRow("projection") << "text.pre.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("head in") << "vision.to_text.hidden.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("head out") << "vision.to_text.out.kernel" << 1 / std::sqrt(1024.0);
        QTest::newRow("classifier") << "classifier.vision.kinds.kernel" << 1 / std::sqrt(768.0);
        QTest::newRow("biases") << "text.pre.bias" << 0.0;
        QTest::newRow("norms") << "encoder.norm.scale" << 0.0;
    }
    void initial_deviations_are_those_of_section_1_5()
    {
        QFETCH(QString, name);
        QFETCH(double, deviation);
        static const Parameters parameters = [] {
            ModelConfig config = named_config("imp-moe-b");
            config.layers = 2;
            config.sparse_layers = 1;
            config.experts = 3;
            config.classifiers = {{"vision", "kinds", 100}};
            return initial_parameters(config, 1);
        }();
        const at::Tensor& parameter = parameters.at(name.toStdString());
        const double found = parameter.std().item<double>();
        // Four times what a sample of this size is off by.
        const double tolerance = deviation * 4 / std::sqrt(2.0 * static_cast<double>(parameter.numel()));
        QVERIFY2(std::abs(found - deviation) <= tolerance, qPrintable(QString::number(found)));
    }

    void temperatures_start_where_the_paper_lets_them()
    {
        for (const auto& [name, wanted] : {std::pair("imp-s", 0.2), std::pair("imp-moe-s", 1.0)}) {
            const ModelConfig config = named_config(name);
            size_t temperatures = 0;
            for (const auto& spec : parameter_specs(config))
                if (spec.name.rfind("temperature.", 0) == 0) {
                    QCOMPARE(spec.scale, wanted);
                    ++temperatures;
                }
            QCOMPARE(temperatures, temperature_pairs(config).size());
        }
    }

    void the_same_seed_gives_the_same_weights_and_another_gives_others()
    {
        const auto one = initial_parameters(small_config(), 1), same = initial_parameters(small_config(), 1), other = initial_parameters(small_config(), 2);
        for (const auto& [name, tensor] : one)
            QVERIFY2(at::equal(tensor, same.at(name)), name.c_str());
        QVERIFY(!at::equal(one.at("text.table"), other.at("text.table")));
    }

    void every_modality_gives_unit_vectors_of_the_joint_space()
    {
        const auto config = small_config();
        const Network network = make_network(config);
        const at::Tensor concept_vector = network.concept_of(at::randn({3, 2, config.trunk_classes}));
        QVERIFY(unit_rows(concept_vector));
        const auto picture = network.encode_map(at::rand({3, 2, 6, 8, config.trunk_channels}), concept_vector);
        const auto sound = network.encode_spectrogram(at::randn({2, 48, config.mel_bands}));
        const auto text = network.encode_text(at::randint(0, 50, {5, 4}, at::kLong));
        for (const auto* encoding : {&picture, &sound, &text}) {
            QVERIFY(unit_rows(encoding->vectors));
            QCOMPARE(encoding->vectors.size(1), int64_t{config.joint_dim});
            QCOMPARE(encoding->pooled.size(1), int64_t{config.width});
        }
        QVERIFY((picture.gate > 0).all().item<bool>() && (picture.gate < 1).all().item<bool>());
    }

    void an_open_gate_gives_nine_parts_concept_and_a_shut_one_a_tenth_data()
    {
        QTest::addColumn<double>("bias");
        QTest::addColumn<double>("floor");  // below 0: a ceiling
        QTest::addColumn<double>("share");
        QTest::newRow("open") << 50.0 << 0.0 << 0.9;
        QTest::newRow("shut") << -50.0 << 0.0 << 0.1;
        QTest::newRow("shut, above a floor") << -50.0 << 0.5 << 0.5;
        QTest::newRow("open, above a floor") << 50.0 << 0.5 << 0.9;
        QTest::newRow("open, in a clip under a ceiling") << 50.0 << -0.6 << 0.6;
    }
    void an_open_gate_gives_nine_parts_concept_and_a_shut_one_a_tenth()
    {
        QFETCH(double, bias);
        QFETCH(double, floor);
        QFETCH(double, share);
        auto config = small_config();
        (floor < 0 ? config.clip_gate_ceiling : config.concept_gate_floor) = std::abs(floor);
        auto parameters = initial_parameters(config, 3);
        parameters["concept.class_text"].normal_();
        parameters["concept.gate.bias"].fill_(bias);
        const Network network(config, parameters);
        const int64_t frames = floor < 0 ? 2 : 1;
        const at::Tensor concept_vector = network.concept_of(at::randn({2, frames, config.trunk_classes}));
        const auto encoding = network.encode_map(at::rand({2, frames, 7, 7, config.trunk_channels}), concept_vector);
        const at::Tensor mixed = share * concept_vector + (1 - share) * encoding.own;
        QVERIFY(at::allclose(encoding.vectors, mixed / mixed.norm(2, {-1}, true), 1e-4, 1e-5));
    }

    void a_hidden_concept_reaches_the_output_only_through_the_gate()
    {
        const auto config = small_config();
        const Network network = make_network(config);
        const at::Tensor map = at::rand({2, 1, 7, 7, config.trunk_channels});
        const at::Tensor one = network.concept_of(at::randn({2, 1, config.trunk_classes})), other = network.concept_of(at::randn({2, 1, config.trunk_classes}));
        const at::Tensor hidden = at::zeros({2, 1});
        QVERIFY(at::equal(network.encode_map(map, one, {}, {hidden, {}}).own, network.encode_map(map, other, {}, {hidden, {}}).own));
        QVERIFY(!at::allclose(network.encode_map(map, one).own, network.encode_map(map, other).own, 1e-4, 1e-5));
        QVERIFY(!at::allclose(network.encode_map(map, one, {}, {hidden, {}}).vectors, network.encode_map(map, other, {}, {hidden, {}}).vectors, 1e-4, 1e-5));
    }

    void a_still_clip_has_no_change_and_one_that_moves_is_told_by_it()
    {
        auto config = small_config();
        config.vision_change = true;
        auto parameters = initial_parameters(config, 3);
        const Network with(config, parameters);
        parameters.at("vision.change.kernel") = at::zeros_like(parameters.at("vision.change.kernel"));
        const Network without(config, parameters);
        const at::Tensor idea = at::zeros({1, config.joint_dim});
        const at::Tensor one = at::rand({1, 1, 2, 3, config.trunk_channels}), other = at::rand({1, 1, 2, 3, config.trunk_channels});
        const auto differ = [&](const at::Tensor& clip) {
            return !at::allclose(with.encode_map(clip, idea).own, without.encode_map(clip, idea).own, 1e-4, 1e-5);
        };
        QVERIFY(!differ(one));
        QVERIFY(!differ(at::cat({one, one, one}, 1)));
        QVERIFY(differ(at::cat({one, other, one}, 1)));
    }

    void the_shortcut_sees_the_whole_map_whatever_tokens_are_dropped()
    {
        auto config = small_config();
        config.vision_shortcut = 16;
        auto parameters = initial_parameters(config, 3);
        for (const char* name : {"vision.head.out.kernel", "vision.head.norm.scale"})
            parameters.at(name).zero_();  // the blocks fall silent: what is left is the shortcut's
        const Network network(config, parameters);
        const at::Tensor idea = network.concept_of(at::randn({2, 1, config.trunk_classes}));
        const at::Tensor map = at::rand({2, 1, 2, 4, config.trunk_channels});
        const at::Tensor few = at::tensor({0, 5, 2, 7}, at::kLong).view({2, 2});
        QVERIFY(at::allclose(network.encode_map(map, idea, few).own, network.encode_map(map, idea).own, 1e-4, 1e-5));
        QVERIFY(at::allclose(network.encode_map(map, idea, few).gate, network.encode_map(map, idea).gate, 1e-4, 1e-5));
        const at::Tensor none = at::zeros({2, config.vision_shortcut});
        QVERIFY(!at::allclose(network.encode_map(map, idea, {}, {{}, none}).own, network.encode_map(map, idea).own, 1e-3, 1e-4));
    }

    void the_sounds_shortcut_hears_all_of_it_whatever_tokens_are_dropped()
    {
        auto config = small_config();
        config.sound_shortcut = 16;
        auto parameters = initial_parameters(config, 3);
        for (const char* name : {"sound.head.out.kernel", "sound.head.norm.scale"})
            parameters.at(name).zero_();  // the blocks fall silent: what is left is the shortcut's
        const Network network(config, parameters);
        const at::Tensor sound = at::randn({2, 32, config.mel_bands});
        const at::Tensor few = at::tensor({0, 1}, at::kLong).view({2, 1});
        const auto whole = network.encode_spectrogram(sound);
        QVERIFY(at::equal(whole.vectors, whole.own));
        QVERIFY(at::allclose(network.encode_spectrogram(sound, few).own, whole.own, 1e-4, 1e-5));
        const at::Tensor none = at::zeros({2, config.sound_shortcut});
        QVERIFY(!at::allclose(network.encode_spectrogram(sound, {}, none).own, whole.own, 1e-3, 1e-4));
        // Where nothing is kept the shortcut speaks alone: with silent blocks it is all that there is anyway.
        QVERIFY(at::allclose(network.encode_spectrogram(sound, at::empty({2, 0}, at::kLong)).vectors, whole.own, 1e-4, 1e-5));
        // Mean, deviation and maximum know no order, but a sound that rises is no sound that falls.
        QVERIFY(!at::allclose(network.encode_spectrogram(sound.flip({1})).own, whole.own, 1e-3, 1e-4));
    }

    void the_shortcuts_gate_is_not_moved_by_what_the_captions_want()
    {
        auto config = small_config();
        config.vision_shortcut = 16;
        auto parameters = initial_parameters(config, 3);
        at::Tensor& gate = parameters.at("concept.gate.kernel");
        gate.requires_grad_(true);
        const Network network(config, parameters);
        const at::Tensor idea = network.concept_of(at::randn({2, 1, config.trunk_classes}));
        const auto seen = network.encode_map(at::rand({2, 1, 2, 4, config.trunk_channels}), idea);
        QVERIFY(!seen.vectors.requires_grad());
        seen.gate_logit.sum().backward();
        QVERIFY(gate.grad().defined() && gate.grad().abs().sum().item<double>() > 0);
    }

    void dropping_nothing_changes_nothing_and_order_of_tokens_is_kept()
    {
        const auto config = small_config();
        const Network network = make_network(config);
        const at::Tensor map = at::rand({2, 1, 7, 7, config.trunk_channels});
        const at::Tensor concept_vector = network.concept_of(at::randn({2, 1, config.trunk_classes}));
        const at::Tensor all = at::arange(49, at::kLong).expand({2, 49});
        QVERIFY(at::equal(network.encode_map(map, concept_vector, all).vectors, network.encode_map(map, concept_vector).vectors));
        // Tokens that are dropped have no say: changing them changes nothing.
        const at::Tensor half = all.slice(1, 0, 49, 2);
        at::Tensor changed = map.clone();
        changed.view({2, 49, config.trunk_channels}).slice(1, 1, 49, 2).fill_(100);
        QVERIFY(at::equal(network.encode_map(map, concept_vector, half).vectors, network.encode_map(changed, concept_vector, half).vectors));
    }

    void the_patch_stem_sees_an_image_as_one_repeated_frame()
    {
        auto config = small_config();
        config.vision_stem = VisionStem::Patch;
        const Network network = make_network(config);
        const at::Tensor image = at::randint(0, 256, {2, 1, 64, 96, 3}, at::kByte);
        const auto single = network.encode_pixels(image), repeated = network.encode_pixels(image.repeat({1, 4, 1, 1, 1}));
        QVERIFY(at::equal(single.vectors, repeated.vectors));
        QVERIFY(!at::allclose(network.encode_pixels(image.flip({3})).vectors, single.vectors, 1e-3, 1e-4));
    }

    void a_token_keeps_its_place_when_others_are_dropped_data()
    {
        QTest::addColumn<QString>("modality");
        for (const char* modality : {"picture", "sound", "waveform", "text"})
            QTest::newRow(modality) << modality;
    }
    void a_token_keeps_its_place_when_others_are_dropped()
    {
        QFETCH(QString, modality);
        auto config = small_config();
        config.waveform = true;
        const Network network = make_network(config);
        // Eight equal tokens: what is left of them tells itself apart by place alone.
        const auto encode = [&](const at::Tensor& kept) {
            if (modality == "picture")
                return network.encode_map(at::ones({1, 1, 2, 4, config.trunk_channels}), at::ones({1, config.joint_dim}), kept).vectors;
            if (modality == "sound")
                return network.encode_spectrogram(at::ones({1, 16, config.mel_bands}), kept).vectors;
            if (modality == "waveform")
                return network.encode_waveform(at::ones({1, 8 * config.waveform_patch}), kept).vectors;
            return network.encode_text(at::full({1, 8}, 3, at::kLong), kept).vectors;
        };
        const auto at_places = [](std::vector<int64_t> places) { return at::tensor(places, at::kLong).unsqueeze(0); };
        const at::Tensor first = encode(at_places({0, 1, 2})), last = encode(at_places({5, 6, 7}));
        QVERIFY(at::equal(first, encode(at_places({0, 1, 2}))));
        QVERIFY(!at::allclose(first, last, 1e-4, 1e-5));
    }

    void more_tokens_than_rows_share_rows_data()
    {
        QTest::addColumn<QString>("modality");
        for (const char* modality : {"picture", "sound", "sound by share", "waveform", "text"})
            QTest::newRow(modality) << modality;
    }
    void more_tokens_than_rows_share_rows()
    {
        QFETCH(QString, modality);
        auto config = small_config();
        config.waveform = true;
        config.sparse_layers = 0;  // experts tell equal tokens apart
        config.mel_bands = 16;
        config.time_buckets = config.row_buckets = 1;
        config.column_buckets = 2;
        config.sound_time_buckets = 2;
        config.sound_time_by_share = modality == "sound by share";
        config.sound_frequency_buckets = 1;
        config.waveform_buckets = 2;
        config.text_rows = 2;
        const Network network = make_network(config);
        at::Tensor features;
        if (modality == "picture")
            features = network.encode_map(at::ones({1, 1, 1, 8, config.trunk_channels}), at::ones({1, config.joint_dim})).features.narrow(1, 1, 8);
        else if (modality.startsWith("sound"))
            features = network.encode_spectrogram(at::ones({1, 8 * 16, 16})).features;
        else if (modality == "waveform")
            features = network.encode_waveform(at::ones({1, 8 * config.waveform_patch})).features;
        else
            features = network.encode_text(at::full({1, 8}, 3, at::kLong)).features;
        // Equal tokens on one row stay equal: shares make two rows of four, counting makes 0, 1, 1, 1 …
        const bool counts = modality == "sound" || modality == "text";
        const auto equal = [&](int64_t a, int64_t b) { return at::allclose(features[0][a], features[0][b], 1e-4, 1e-4); };
        QCOMPARE(equal(1, 3), true);
        QCOMPARE(equal(0, 1), !counts);
        QCOMPARE(equal(3, 4), counts);
        QCOMPARE(equal(0, 7), false);
    }

    void the_smallest_and_the_dullest_items_have_vectors_too_data()
    {
        QTest::addColumn<bool>("tokens_choose");
        QTest::newRow("experts choose") << false;
        QTest::newRow("tokens choose") << true;
    }
    void the_smallest_and_the_dullest_items_have_vectors_too()
    {
        QFETCH(bool, tokens_choose);
        auto config = small_config();
        config.router = tokens_choose ? Router::Tokens : Router::Experts;
        const Network network = make_network(config);
        const at::Tensor one = network.encode_text(at::full({1, 1}, 4, at::kLong)).vectors;
        QVERIFY(unit_rows(one));
        QVERIFY(!at::allclose(one, network.encode_text(at::full({1, 1}, 5, at::kLong)).vectors, 1e-3, 1e-3));
        // Every token equal: an empty picture, silence, one piece again and again.
        QVERIFY(unit_rows(network.encode_text(at::full({2, 20}, 4, at::kLong)).vectors));
        QVERIFY(unit_rows(network.encode_spectrogram(at::full({2, 64, config.mel_bands}, std::log(1e-6))).vectors));
        const at::Tensor idea = network.concept_of(at::zeros({1, 1, config.trunk_classes}));
        QVERIFY(unit_rows(network.encode_map(at::zeros({1, 1, 7, 7, config.trunk_channels}), idea).vectors));
    }

    void without_a_least_capacity_one_token_meets_no_expert()
    {
        auto config = small_config();
        config.min_capacity = 0;
        const Network none = make_network(config);
        const at::Tensor ids = at::full({1, 1}, 4, at::kLong);
        auto mute = none.parameters();
        mute["encoder.1.ffn.out.kernel"] = at::zeros_like(mute["encoder.1.ffn.out.kernel"]);
        QVERIFY(at::allclose(none.encode_text(ids).vectors, Network(config, mute).encode_text(ids).vectors, 0, 1e-6));
        config.min_capacity = 1;
        QVERIFY(!at::allclose(none.encode_text(ids).vectors, Network(config, none.parameters()).encode_text(ids).vectors, 0, 1e-6));
    }

    void classifiers_and_the_target_classifier_read_what_they_are_named_after()
    {
        auto config = small_config();
        config.classifiers = {{"text", "topics", 5}, {"sound", "kinds", 7}};
        config.target_classifier = true;
        config.aggregation_token = true;
        const Network network = make_network(config);
        const auto text = network.encode_text(at::randint(0, 50, {3, 6}, at::kLong));
        QCOMPARE(network.classify(text, "text", "topics").sizes(), at::IntArrayRef({3, 5}));
        QCOMPARE(network.target_logits(text).sizes(), at::IntArrayRef({3, 6, 50}));
        const auto& kernel = network.parameters().at("classifier.text.topics.kernel");
        QVERIFY(at::allclose(network.classify(text, "text", "topics"), at::matmul(text.pooled, kernel.t()), 1e-4, 1e-5));
        // The aggregation token stands in front and for the item.
        QCOMPARE(text.features.size(1), int64_t{7});
        QVERIFY(at::allclose(network.token_features(text, "text").select(1, 0), text.pooled, 1e-4, 1e-5));
        QVERIFY(at::allclose(network.target_logits(text).select(1, 0),
                             at::matmul(network.token_features(text, "text").select(1, 1), network.parameters().at("text.target.kernel").t()), 1e-4, 1e-5));
    }

    void every_modality_tells_what_its_routers_did_data()
    {
        QTest::addColumn<QString>("modality");
        for (const char* modality : {"picture", "sound", "waveform", "text"})
            QTest::newRow(modality) << modality;
    }
    void every_modality_tells_what_its_routers_did()
    {
        QFETCH(QString, modality);
        auto config = small_config();
        config.layers = 4;
        config.sparse_layers = 2;
        config.waveform = true;
        Network network = make_network(config);
        const at::Tensor map = at::randn({3, 1, 3, 3, config.trunk_channels}), idea = at::ones({3, config.joint_dim});
        const at::Tensor sound = at::randn({3, 32, config.mel_bands}), wave = at::randn({3, 9 * config.waveform_patch});
        const at::Tensor ids = at::randint(0, 50, {3, 9}, at::kLong);
        const auto encode = [&](const Network& net) {
            return modality == "picture" ? net.encode_map(map, idea)
                : modality == "sound"    ? net.encode_spectrogram(sound)
                : modality == "waveform" ? net.encode_waveform(wave)
                                         : net.encode_text(ids);
        };
        const auto quiet = encode(network);
        QVERIFY(quiet.auxiliary.probes.empty());
        network.set_probing(true);
        const auto told = encode(network.with_converted_matrices());
        QVERIFY(at::equal(told.vectors, quiet.vectors));
        QCOMPARE(told.auxiliary.probes.size(), size_t{2});
        double z_loss = 0;
        for (int i = 0; i < 2; ++i) {
            const RouterProbe& probe = told.auxiliary.probes[static_cast<size_t>(i)];
            QCOMPARE(probe.layer, 2 + i);
            QCOMPARE(probe.expert_use.size(0), int64_t{config.experts});
            QVERIFY(std::abs(probe.expert_weight.sum().item<double>() - 1) < 1e-5);
            const auto left = probe.left_behind.item<double>(), sure = probe.confidence.item<double>();
            QVERIFY(left >= 0 && left < 1 && sure > 0 && sure <= 1);
            z_loss += probe.z_loss.item<double>();
        }
        QVERIFY(std::abs(z_loss - told.auxiliary.z_loss.item<double>()) < 1e-4);
    }

    void a_pass_holds_no_more_memory_than_its_plan_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<bool>("sparse");
        for (const char* kind : {"picture", "clip", "sound", "text_longest"})
            for (const bool sparse : {false, true})
                QTest::addRow("%s, %s", kind, sparse ? "sparse" : "dense") << kind << sparse;
    }
    void a_pass_holds_no_more_memory_than_its_plan()
    {
        QFETCH(QString, kind);
        QFETCH(bool, sparse);
        ModelConfig config = named_config("imprint-small");
        config.vision_stem = VisionStem::Patch;
        if (!sparse)
            config.sparse_layers = 0;
        static std::map<bool, Network> networks;
        const Network& network = networks.try_emplace(sparse, config, initial_parameters(config, 1)).first->second;
        const auto size = config.picture_sizes.front();
        const at::Tensor pixels = at::zeros({1, kind == "clip" ? config.max_frames : 1, size.height, size.width, 3}, at::kByte);
        const at::Tensor sound = at::zeros({1, config.max_sound_patches * config.sound_patch, config.mel_bands});
        const at::Tensor ids = at::zeros({1, config.max_text_tokens}, at::kLong);
        const c10::InferenceMode guard;
        const auto peak = tests::AllocationMeter::peak_of([&] {
            if (kind == "sound")
                network.encode_spectrogram(sound);
            else if (kind == "text_longest")
                network.encode_text(ids);
            else
                network.encode_pixels(pixels);
        });
        const auto plan = model_info(config)["memory"]["inference"][kind.toStdString()].get<int64_t>();
        QVERIFY2(peak <= plan && plan < 2 * peak, qPrintable(QString("planned %1, held %2").arg(plan).arg(peak)));
    }

    void position_counts_data()
    {
        QTest::addColumn<bool>("picture");
        QTest::newRow("a picture's tokens are not a bag") << true;
        QTest::newRow("a text's pieces are not a bag") << false;
    }
    void position_counts()
    {
        QFETCH(bool, picture);
        const auto config = small_config();
        const Network network = make_network(config);
        if (picture) {
            const at::Tensor map = at::rand({1, 1, 7, 7, config.trunk_channels});
            const at::Tensor concept_vector = network.concept_of(at::randn({1, 1, config.trunk_classes}));
            QVERIFY(!at::allclose(network.encode_map(map.flip({2}), concept_vector).vectors, network.encode_map(map, concept_vector).vectors, 1e-4, 1e-5));
        } else {
            const at::Tensor ids = at::tensor({3, 7, 9, 20}, at::kLong).view({1, 4});
            QVERIFY(!at::allclose(network.encode_text(ids.flip({1})).vectors, network.encode_text(ids).vectors, 1e-4, 1e-5));
        }
    }

    void the_papers_batch_groups_let_items_see_each_other()
    {
        auto config = small_config();
        config.routing_group = RoutingGroup::Batch;
        config.layers = config.sparse_layers = 1;
        const Network network = make_network(config);
        const at::Tensor ids = at::randint(0, 50, {6, 6}, at::kLong);
        const at::Tensor alone = network.encode_text(ids.narrow(0, 0, 3)).vectors;
        const at::Tensor together = network.encode_text(ids).vectors.narrow(0, 0, 3);
        QVERIFY(!at::allclose(alone, together, 1e-5, 1e-6));
    }

    void a_configuration_survives_json_and_refuses_nonsense_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::newRow("unknown field") << "wdith" << "256";
        QTest::newRow("wrong type") << "layers" << "\"six\"";
        QTest::newRow("fraction") << "layers" << "2.5";
        QTest::newRow("zero") << "width" << "0";
        QTest::newRow("not a multiple of heads") << "heads" << "7";
        QTest::newRow("more sparse layers than layers") << "sparse_layers" << "99";
        QTest::newRow("unknown stem") << "vision_stem" << "\"conv\"";
        QTest::newRow("odd picture size") << "picture_sizes" << "[[225, 224]]";
        QTest::newRow("huge") << "vocabulary" << "99999999999";
    }
    void a_configuration_survives_json_and_refuses_nonsense()
    {
        QFETCH(QString, key);
        QFETCH(QString, value);
        auto json = to_json(small_config());
        QVERIFY(config_from_json(json, "file") == small_config());
        json[key.toStdString()] = nlohmann::json::parse(value.toStdString());
        try {
            config_from_json(json, "some-file");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), std::string("some-file"));
        }
    }
};

QTEST_APPLESS_MAIN(TestNetwork)
#include "tst_network.moc"
