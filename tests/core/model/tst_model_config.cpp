// SPDX-License-Identifier: Apache-2.0
// Configurations by name, what they cost, and their JSON across versions.
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/model_info.h"
#include "core/model/named_configs.h"

using namespace imprint;
using namespace imprint::model;

class TestModelConfig : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void encoder_counts_are_those_of_section_1_7_data()
    {
        QTest::addColumn<double>("millions");
        QTest::addColumn<double>("active");
        QTest::addColumn<double>("last_digit");
        QTest::newRow("imp-b") << 84.954624 << 84.954624 << 1e-6;
        QTest::newRow("imp-s") << 21.24 << 21.24 << 0.01;
        QTest::newRow("imp-m") << 151.0 << 151.0 << 0.1;
        QTest::newRow("imp-l") << 302.0 << 302.0 << 0.1;
        QTest::newRow("imp-xl") << 529.0 << 529.0 << 1.0;
        QTest::newRow("imp-xxl") << 705.0 << 705.0 << 1.0;
        QTest::newRow("imp-h") << 1110.0 << 1110.0 << 10.0;
        QTest::newRow("imp-moe-s") << 42.5 << 21.3 << 0.1;
        QTest::newRow("imp-moe-b") << 509.7 << 85.0 << 0.1;
        QTest::newRow("imp-moe-l") << 1057.0 << 302.1 << 1.0;
    }
    void encoder_counts_are_those_of_section_1_7()
    {
        QFETCH(double, millions);
        QFETCH(double, active);
        QFETCH(double, last_digit);
        const auto info = model_info(named_config(QTest::currentDataTag()));
        const auto all = info.at("encoder_parameters").get<double>(), met = info.at("active_parameters").get<double>();
        QVERIFY2(std::abs(all / 1e6 - millions) <= last_digit / 2 + 1e-9, qPrintable(QString::number(all, 'f', 0)));
        QVERIFY2(std::abs(met / 1e6 - active) <= last_digit / 2 + 1e-9, qPrintable(QString::number(met, 'f', 0)));
    }

    void modality_counts_of_base_are_those_of_section_1_7_data()
    {
        QTest::addColumn<QString>("prefix");
        QTest::addColumn<double>("millions");
        QTest::newRow("text table and positions") << "text.table|text.position" << 27.8;
        QTest::newRow("vision input") << "vision.input" << 2.4;
        QTest::newRow("each projection") << "vision.pre" << 0.59;
        QTest::newRow("each pair's network") << "vision.to_text" << 1.84;
    }
    void modality_counts_of_base_are_those_of_section_1_7()
    {
        QFETCH(QString, prefix);
        QFETCH(double, millions);
        int64_t count = 0;
        for (const auto& spec : parameter_specs(named_config("imp-b")))
            for (const QString& wanted : prefix.split('|'))
                if (spec.name.rfind(wanted.toStdString(), 0) == 0 && spec.name.find("norm") == std::string::npos)
                    count += spec.count();
        QVERIFY2(std::abs(double(count) / 1e6 - millions) < 0.05, qPrintable(QString::number(count)));
    }

    void tokens_are_those_of_section_1_2_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<qint64>("tokens");
        QTest::newRow("an image") << "picture" << qint64{256};
        QTest::newRow("16 frames of 256 pixels") << "clip" << qint64{1024};
        QTest::newRow("128 frames of log-mel") << "sound" << qint64{64};
        QTest::newRow("131072 samples") << "waveform" << qint64{512};
        QTest::newRow("a caption") << "text" << qint64{16};
    }
    void tokens_are_those_of_section_1_2()
    {
        QFETCH(QString, kind);
        QFETCH(qint64, tokens);
        QCOMPARE(qint64{tokens_per_item(named_config("imp-moe-l")).at(kind.toStdString())}, tokens);
    }

    void a_sparse_network_costs_hardly_more_than_a_dense_one_and_weighs_more()
    {
        const auto dense = model_info(named_config("imp-b")), sparse = model_info(named_config("imp-moe-b"));
        const double ratio = sparse["flops"]["picture"].get<double>() / dense["flops"]["picture"].get<double>();
        QVERIFY2(ratio > 1 && ratio < 1.01, qPrintable(QString::number(ratio)));
        QVERIFY(sparse["memory"]["weights_fp32"] > dense["memory"]["weights_fp32"]);
        // 2 · 84,934,656 block parameters in products · 256 tokens, attention's 2 · 2 · 256² · 768 · 12, and the ends.
        const double blocks = 2.0 * 84'934'656 * 256 + 4.0 * 256 * 256 * 768 * 12;
        const double ends = 2.0 * 256 * (3072 + 768) * 768 + 2.0 * 768 * 768 + 3 * 2.0 * (768 + 1024) * 1024;
        QCOMPARE(dense["flops"]["picture"].get<double>(), blocks + ends);
    }

    void the_ways_past_the_blocks_are_counted_for_the_items_that_take_them()
    {
        ModelConfig plain;
        plain.sound_shortcut = plain.vision_shortcut = 0;
        plain.sound_stem_widths.clear();
        plain.mel_bands = 128;
        plain.sound_patch = 16;
        plain.max_sound_patches = 8;
        ModelConfig statistics = plain, convolutions = plain, picture = plain;
        statistics.sound_shortcut = convolutions.sound_shortcut = 10;
        convolutions.sound_stem_widths = {4, 6};
        picture.vision_shortcut = 10;
        const auto more = [&](const ModelConfig& config, const char* kind) {
            return qint64{forward_flops(config, kind) - forward_flops(plain, kind)};
        };
        // 128 frames of 128 bands are 64 × 64 places, then 32 × 32. Two operations a product.
        const qint64 out = plain.joint_dim, opening = 64 * 64 * 9 * 4, block = 32 * 32 * (9 * 4 * 6 + 9 * 6 * 6 + 4 * 6);
        QCOMPARE(more(statistics, "sound"), 2 * 10 * (4 * 128 + out));
        QCOMPARE(more(convolutions, "sound"), 2 * (opening + block + 10 * (2 * 6 + out)));
        QCOMPARE(more(picture, "picture"), 2 * 10 * (plain.trunk_channels + out + out));
        for (const char* kind : {"picture", "text"})
            QCOMPARE(more(convolutions, kind), qint64{0});
    }

    void every_named_configuration_survives_json()
    {
        for (const auto& name : config_names()) {
            const ModelConfig config = named_config(name);
            QCOMPARE(config.name, name);
            QVERIFY2(config_from_json(to_json(config), "file") == config, name.c_str());
        }
        QVERIFY_THROWS_EXCEPTION(Error, named_config("imp-tiny"));
    }

    void a_network_without_new_options_is_written_as_the_first_checkpoints_were()
    {
        const auto json = to_json(named_config("imprint-small"));
        QVERIFY(!json.contains("format") && !json.contains("router") && !json.contains("lora_rank"));
        ModelConfig changed;
        changed.lora_rank = 4;
        QCOMPARE(to_json(changed).at("format").get<int>(), 2);
        QCOMPARE(to_json(changed).size(), json.size() + 2);
        changed.text_stem = TextStem::Hybrid;
        QCOMPARE(to_json(changed).at("format").get<int>(), 3);
        changed.vision_shortcut = 8;
        QCOMPARE(to_json(changed).at("format").get<int>(), 4);
        changed.vision_tail_rank = 8;
        QCOMPARE(to_json(changed).at("format").get<int>(), 5);
        changed.sound_shortcut = 8;
        QCOMPARE(to_json(changed).at("format").get<int>(), 6);
        changed.sound_stem_widths = {4, 8};
        QCOMPARE(to_json(changed).at("format").get<int>(), 7);
        changed.sound_blocks_share = 0.5;
        QCOMPARE(to_json(changed).at("format").get<int>(), kConfigFormat);
    }

    void a_newer_format_is_unsupported()
    {
        auto json = to_json(ModelConfig{});
        json["format"] = kConfigFormat + 1;
        try {
            config_from_json(json, "new-file");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Unsupported);
            QCOMPARE(error.subject(), std::string("new-file"));
        }
    }

    void impossible_options_are_refused_data()
    {
        QTest::addColumn<QString>("fields");
        QTest::newRow("more choices than experts") << R"({"router": "tokens", "router_top_k": 7})";
        QTest::newRow("uneven spread") << R"({"sparse_placement": "uniform", "sparse_layers": 4})";
        QTest::newRow("no such matrix") << R"({"lora_rank": 2, "lora_matrices": ["router"]})";
        QTest::newRow("rank above the width") << R"({"lora_rank": 1000})";
        QTest::newRow("frozen temperature") << R"({"temperature": 0})";
        QTest::newRow("a concept in a disjoint space") << R"({"common_space": "disjoint"})";
        QTest::newRow("more patches than rows") << R"({"max_sound_patches": 65})";
        QTest::newRow("classifier of no modality") << R"({"classifiers": [{"modality": "smell", "name": "a", "classes": 2}]})";
        QTest::newRow("classifier twice")
            << R"({"classifiers": [{"modality": "text", "name": "a", "classes": 2}, {"modality": "text", "name": "a", "classes": 3}]})";
        QTest::newRow("classifier without a name") << R"({"classifiers": [{"modality": "text", "name": "", "classes": 2}]})";
        QTest::newRow("half a classifier") << R"({"classifiers": [{"modality": "text"}]})";
        QTest::newRow("a shortcut into no one space")
            << R"({"common_space": "disjoint", "vision_stem": "patch", "sound_shortcut": 4})";
        QTest::newRow("convolutions that nothing hears through") << R"({"sound_stem_widths": [4, 8]})";
        QTest::newRow("convolutions of no channels") << R"({"sound_shortcut": 4, "sound_stem_widths": [4, 0]})";
        QTest::newRow("silence louder than any sound") << R"({"sound_stem_floor": 11})";
        QTest::newRow("a share of the blocks without a shortcut") << R"({"sound_blocks_share": 0.5})";
        QTest::newRow("a share below nothing") << R"({"sound_shortcut": 4, "sound_blocks_share": -0.5})";
        QTest::newRow("a tail of no trunk") << R"({"vision_stem": "patch", "vision_tail_rank": 4})";
        QTest::newRow("a tail of two widths") << R"({"vision_tail_widths": [112, 192]})";
        QTest::newRow("a tail whose maps look like last ones") << R"({"vision_tail_widths": [1280, 192, 320]})";
        QTest::newRow("format of words") << R"({"format": "two"})";
    }
    void impossible_options_are_refused()
    {
        QFETCH(QString, fields);
        try {
            config_from_json(nlohmann::json::parse(fields.toStdString()), "a-file");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), std::string("a-file"));
        }
    }

    void sparse_blocks_are_the_last_or_spread_from_the_end()
    {
        ModelConfig config;
        const auto list = [&] {
            std::string text;
            for (int layer = 0; layer < config.layers; ++layer)
                text += config.sparse(layer) ? 's' : 'd';
            return text;
        };
        QCOMPARE(list(), std::string("dddsss"));
        config.sparse_placement = SparsePlacement::Uniform;
        QCOMPARE(list(), std::string("dsdsds"));
    }
};

QTEST_APPLESS_MAIN(TestModelConfig)
#include "tst_model_config.moc"
