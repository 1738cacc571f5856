// SPDX-License-Identifier: Apache-2.0
// A checkpoint is whole: it loads with nothing beside it, tells what it is, and refuses damage.
#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "core/model/trunk.h"
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
        for (const char* key : {"name", "space", "parameters", "encoder_parameters", "active_parameters", "bytes", "config", "provenance"})
            QVERIFY2(info.contains(key), key);
        QVERIFY(info["active_parameters"] < info["encoder_parameters"]);
        QVERIFY(info["encoder_parameters"] < info["parameters"]);
    }

    void a_checkpoint_that_lacks_a_part_is_refused_by_its_name_data()
    {
        QTest::addColumn<QString>("part");
        for (const char* part : {"text.table", "encoder.1.ffn.router.kernel", "trunk.stem.weight", "tokenizer.model", "score.text_bank"})
            QTest::newRow(part) << part;
    }
    void a_checkpoint_that_lacks_a_part_is_refused_by_its_name()
    {
        QFETCH(QString, part);
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        const SafetensorsFile whole(tests::make_tiny_checkpoint(folder));
        std::vector<std::pair<std::string, TensorView>> rest;
        for (const auto& [name, view] : whole.tensors())
            if (name != part.toStdString())
                rest.emplace_back(name, view);
        write_safetensors(folder / "less.safetensors", whole.metadata(), rest);
        try {
            load_checkpoint(SafetensorsFile(folder / "less.safetensors"));
            QFAIL("loaded");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QVERIFY2(QString::fromUtf8(error.what()).contains(part) && QString::fromUtf8(error.what()).contains("less.safetensors"), error.what());
        }
    }

    void metadata_that_does_not_fit_is_refused_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<int>("kind");
        QTest::newRow("no Imprint checkpoint") << kFormatKey << "" << int(ErrorKind::Malformed);
        QTest::newRow("a newer format") << kFormatKey << "7" << int(ErrorKind::Unsupported);
        QTest::newRow("configuration is not JSON") << kConfigKey << "{" << int(ErrorKind::Malformed);
        QTest::newRow("another width") << kConfigKey << R"({"width": 128})" << int(ErrorKind::Malformed);
        QTest::newRow("another tokenizer") << kTokenizerKey << "00" << int(ErrorKind::Malformed);
    }
    void metadata_that_does_not_fit_is_refused()
    {
        QFETCH(QString, key);
        QFETCH(QString, value);
        QFETCH(int, kind);
        QTemporaryDir dir;
        const std::filesystem::path folder = dir.path().toStdString();
        const SafetensorsFile whole(tests::make_tiny_checkpoint(folder));
        auto metadata = whole.metadata();
        if (value.isEmpty())
            metadata.erase(key.toStdString());
        else
            metadata[key.toStdString()] = value.toStdString();
        std::vector<std::pair<std::string, TensorView>> tensors(whole.tensors().begin(), whole.tensors().end());
        write_safetensors(folder / "other.safetensors", metadata, tensors);
        try {
            load_checkpoint(SafetensorsFile(folder / "other.safetensors"));
            QFAIL("loaded");
        } catch (const Error& error) {
            QCOMPARE(int(error.kind()), kind);
            QVERIFY(error.subject().find("other.safetensors") != std::string::npos);
        }
    }

    void the_shipped_trunk_sees_what_the_reference_implementation_sees()
    {
        const SafetensorsFile file(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors");
        const Checkpoint checkpoint = load_checkpoint(file);
        const Trunk trunk([&](const std::string& name) { return checkpoint.trunk.at(name); });
        const auto difference = golden::compare(trunk, SafetensorsFile(IMPRINT_SOURCE_DIR "/tests/data/trunk/lite0.safetensors"));
        // The checkpoint holds the trunk in half precision.
        QVERIFY2(difference.map < 0.1, qPrintable(QString::number(difference.map)));
        QVERIFY2(difference.logits < 0.03, qPrintable(QString::number(difference.logits)));
    }
};

QTEST_APPLESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
