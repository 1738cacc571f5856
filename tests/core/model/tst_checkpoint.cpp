// SPDX-License-Identifier: Apache-2.0
// A checkpoint is whole: it loads with nothing beside it, tells what it is, and refuses damage.
#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>
#include <limits>
#include <span>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"
#include "core/tokens/text_tokenizer.h"
#include "tests/core/model/trunk_golden.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;
using namespace imprint::model;

class TestCheckpoint : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_checkpoint_survives_saving_and_loading()
    {
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        const SafetensorsFile file(tests::make_tiny_checkpoint(folder));
        const Checkpoint first = load_checkpoint(file);
        save_checkpoint(folder / "again.safetensors", first);
        const SafetensorsFile again(folder / "again.safetensors");
        const Checkpoint second = load_checkpoint(again);
        QVERIFY(first.config == second.config);
        QCOMPARE(first.tokenizer, second.tokenizer);
        for (const auto& [name, tensor] : first.parameters)
            QVERIFY2(at::equal(tensor, second.parameters.at(name)), name.c_str());
        for (const auto& [name, tensor] : first.trunk)
            QVERIFY2(at::equal(tensor, second.trunk.at(name)), name.c_str());
        QCOMPARE(space_of(file, first.config), space_of(again, second.config));
    }

    void eight_bit_rows_are_off_by_at_most_half_their_scale_and_survive_again()
    {
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        Checkpoint first = load_checkpoint(SafetensorsFile(tests::make_tiny_checkpoint(folder)));
        first.eight_bit = true;
        save_checkpoint(folder / "bytes.safetensors", first);
        const Checkpoint second = load_checkpoint(SafetensorsFile(folder / "bytes.safetensors"));
        QVERIFY(second.eight_bit);
        int matrices = 0;
        for (const auto& spec : parameter_specs(first.config)) {
            const at::Tensor &was = first.parameters.at(spec.name), &is = second.parameters.at(spec.name);
            if (spec.full_precision || was.dim() < 2)
                continue;
            const at::Tensor half_a_step = was.abs().amax(-1, true) / 127 / 2;
            QVERIFY2(((was - is).abs() <= half_a_step * 1.001 + 1e-12).all().item<bool>(), spec.name.c_str());
            ++matrices;
        }
        QVERIFY(matrices > 20);
        int given = 0;
        for (const auto& [name, was] : first.trunk) {
            const at::Tensor& is = second.trunk.at(name);
            const double most = was.dim() == 2 ? was.abs().amax().item<double>() / 127 / 2 : 0;  // filters stay as they are
            QVERIFY2((was - is).abs().amax().item<double>() <= most * 1.001 + 1e-12, name.c_str());
            given += was.dim() == 2 && !at::equal(was, is);
        }
        QVERIFY(given > 10);
        save_checkpoint(folder / "again.safetensors", second);
        const Checkpoint third = load_checkpoint(SafetensorsFile(folder / "again.safetensors"));
        for (const auto& [name, tensor] : second.parameters)
            QVERIFY2(at::allclose(tensor, third.parameters.at(name), 1e-6, 1e-9), name.c_str());
        QVERIFY(std::filesystem::file_size(folder / "bytes.safetensors")
                < std::filesystem::file_size(folder / "tiny.safetensors"));
    }

    void a_row_scale_that_cannot_be_is_refused_data()
    {
        QTest::addColumn<std::vector<float>>("scales");
        QTest::newRow("missing") << std::vector<float>{};
        QTest::newRow("too few") << std::vector<float>{1};
        QTest::newRow("zero") << std::vector<float>{1, 0};
        QTest::newRow("negative") << std::vector<float>{1, -1};
        QTest::newRow("no number") << std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()};
        QTest::newRow("infinite") << std::vector<float>{1, std::numeric_limits<float>::infinity()};
    }
    void a_row_scale_that_cannot_be_is_refused()
    {
        QFETCH(std::vector<float>, scales);
        QTemporaryDir dir;
        const std::filesystem::path path = dir.path().toStdString() + "/rows.safetensors";
        const std::vector<int8_t> values = {1, 2, 3, 4, 5, 6};
        const auto bytes = [](const auto& list) { return std::as_bytes(std::span(list)); };
        std::vector<std::pair<std::string, TensorView>> tensors = {{"m", {DType::I8, {2, 3}, bytes(values)}}};
        if (!scales.empty())
            tensors.push_back({"m.row_scale", {DType::F32, {static_cast<int64_t>(scales.size())}, bytes(scales)}});
        write_safetensors(path, {}, tensors);
        try {
            read_tensor(SafetensorsFile(path), "m");
            QFAIL("was taken");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::Malformed);
            QVERIFY2(std::string(error.what()).find("m.row_scale") != std::string::npos, error.what());
        }
    }

    void the_same_seed_gives_the_same_file_and_another_seed_another_space()
    {
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        const auto path = tests::make_tiny_checkpoint(folder, 1);
        const auto space = checkpoint_info(path).at("space").get<std::string>();
        QCOMPARE(checkpoint_info(tests::make_tiny_checkpoint(folder, 1)).at("space").get<std::string>(), space);
        QVERIFY(checkpoint_info(tests::make_tiny_checkpoint(folder, 2)).at("space").get<std::string>() != space);
    }

    void a_checkpoint_tells_what_it_is()
    {
        QTemporaryDir dir;
        const auto info = checkpoint_info(tests::make_tiny_checkpoint(dir.path().toStdString()));
        for (const char* key :
             {"name", "space", "parameters", "encoder_parameters", "active_parameters", "bytes", "config", "provenance"})
            QVERIFY2(info.contains(key), key);
        QVERIFY(info["active_parameters"] < info["encoder_parameters"]);
        QVERIFY(info["encoder_parameters"] < info["parameters"]);
    }

    void the_shipped_trunk_sees_what_the_reference_implementation_sees()
    {
        const SafetensorsFile file(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors");
        const Checkpoint checkpoint = load_checkpoint(file);
        const Trunk trunk([&](const std::string& name) { return checkpoint.trunk.at(name); });
        const auto difference = golden::compare(trunk, SafetensorsFile(IMPRINT_SOURCE_DIR "/tests/data/trunk/lite0.safetensors"));
        // 8-bit rows turn what it sees a little; a layer that is not the reference's turns it by far more. That the trunk computes
        // what the reference does, to the last digits, is tst_trunk's.
        QVERIFY2(difference.map_cosine > 0.995, qPrintable(QString::number(difference.map_cosine)));
        QVERIFY2(difference.logits_cosine > 0.998, qPrintable(QString::number(difference.logits_cosine)));
    }

    void the_shipped_text_trunk_says_what_the_sentence_encoder_says_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("pieces");
        QTest::addColumn<std::vector<float>>("vector");
        std::ifstream in(IMPRINT_SOURCE_DIR "/tests/data/text_trunk/minilm.json");
        for (const auto& row : nlohmann::json::parse(in)) {
            const auto text = row.at("text").get<std::string>();
            QTest::newRow(text.c_str()) << QString::fromStdString(text) << static_cast<int>(row.at("pieces").size())
                                        << row.at("vector").get<std::vector<float>>();
        }
    }
    void the_shipped_text_trunk_says_what_the_sentence_encoder_says()
    {
        QFETCH(QString, text);
        QFETCH(int, pieces);
        QFETCH(std::vector<float>, vector);
        static const Checkpoint checkpoint =
            load_checkpoint(SafetensorsFile(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors"));
        static const tokens::TextTokenizer tokenizer(checkpoint.tokenizer, checkpoint.config.vocabulary,
                                                     checkpoint.config.max_text_tokens, "the shipped checkpoint");
        static const TextTrunk trunk(checkpoint.config, {},
                                     [](const std::string& name) { return checkpoint.text_trunk.at(name); });
        const auto ids = tokenizer.ids(text.toStdString());
        QCOMPARE(static_cast<int>(ids.size()), pieces + 2);  // with the marks of begin and end
        const double cosine = at::dot(trunk.forward(at::tensor(ids).unsqueeze(0)).sentence[0], at::tensor(vector)).item<double>();
        // 8-bit rows turn a vector a little; another piece anywhere turns it by far more.
        QVERIFY2(cosine > 0.998, qPrintable(QString::number(cosine)));
    }
};

QTEST_APPLESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
