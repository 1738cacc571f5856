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
