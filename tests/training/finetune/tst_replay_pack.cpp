// SPDX-License-Identifier: Apache-2.0
// The pack of things to be reminded of: what is written is read, only by a model that it fits; the shipped one fits the shipped
// model.
#include <ATen/ATen.h>

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "core/base/error.h"
#include "tests/support/tiny_checkpoint.h"
#include "training/finetune/replay_pack.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

class TestReplayPack : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path root_;
    model::Checkpoint checkpoint_;

    static ReplayPack some(const model::ModelConfig& config)
    {
        ReplayPack pack;
        for (int i = 0; i < 3; ++i)
            pack.pictures.push_back({at::rand({1, 2, 2, config.trunk_channels}) * 6, "thing " + std::to_string(i), i > 0,
                                     at::randn({config.joint_dim}) / 4});
        for (int i = 0; i < 2; ++i)
            pack.sounds.push_back({at::rand({16 * (i + 1), config.mel_bands}) * 12 - 9, i ? "" : "a \"quoted\" näme", false});
        pack.texts = {"one", "two"};
        return pack;
    }

private Q_SLOTS:
    void initTestCase()
    {
        root_ = dir_.path().toStdString();
        checkpoint_ = model::load_checkpoint(model::SafetensorsFile(tests::make_tiny_checkpoint(root_)));
    }

    void what_is_written_is_read_within_half_a_byte()
    {
        const ReplayPack pack = some(checkpoint_.config);
        write_replay_pack(root_ / "pack.safetensors", pack, checkpoint_);
        const ReplayPack read = read_replay_pack(root_ / "pack.safetensors", checkpoint_);
        QCOMPARE(read.texts, pack.texts);
        for (const auto& [a, b] : {std::pair{&pack.pictures, &read.pictures}, std::pair{&pack.sounds, &read.sounds}}) {
            QCOMPARE(a->size(), b->size());
            for (size_t i = 0; i < a->size(); ++i) {
                QCOMPARE((*a)[i].text, (*b)[i].text);
                QCOMPARE((*a)[i].held, (*b)[i].held);
                QVERIFY((*a)[i].values.sizes() == (*b)[i].values.sizes());
                const double off = ((*a)[i].values - (*b)[i].values).abs().max().item<double>();
                QVERIFY2(off <= 12.0 / 255 / 2 * 1.01, qPrintable(QString::number(off)));
                QCOMPARE((*a)[i].concept_vector.defined(), (*b)[i].concept_vector.defined());
                if ((*a)[i].concept_vector.defined())
                    QVERIFY(at::allclose((*a)[i].concept_vector, (*b)[i].concept_vector, 0, 0.01));
            }
        }
    }

    void a_model_reads_only_what_it_made_itself_or_hears_alike()
    {
        write_replay_pack(root_ / "pack.safetensors", some(checkpoint_.config), checkpoint_);
        model::Checkpoint other = checkpoint_;
        other.trunk["classifier.bias"] = other.trunk.at("classifier.bias") + 1;
        QVERIFY(read_replay_pack(root_ / "pack.safetensors", other).pictures.empty());
        QCOMPARE(read_replay_pack(root_ / "pack.safetensors", other).sounds.size(), size_t(2));
        other = checkpoint_;  // the same trunk, and last stages of its own
        other.config.vision_tail_rank = 2;
        other.parameters["vision.tail.head.bias"] = at::zeros({other.config.trunk_channels});
        QVERIFY(read_replay_pack(root_ / "pack.safetensors", other).pictures.empty());
        other = checkpoint_;
        other.config.hop = 256;
        QVERIFY(read_replay_pack(root_ / "pack.safetensors", other).sounds.empty());
        QCOMPARE(read_replay_pack(root_ / "pack.safetensors", other).pictures.size(), size_t(3));
        other.trunk.clear();
        QVERIFY(read_replay_pack(root_ / "pack.safetensors", other).pictures.empty());
    }

    void the_shipped_pack_is_small_and_fits_the_shipped_model()
    {
        const fs::path resources = fs::path(IMPRINT_SOURCE_DIR) / "resources", file = resources / "replay/replay.safetensors";
        QVERIFY(fs::file_size(file) <= 2u << 20);
        const auto shipped = model::load_checkpoint(model::SafetensorsFile(resources / "models/imprint-small.safetensors"));
        const ReplayPack pack = read_replay_pack(file, shipped);
        for (const auto* items : {&pack.pictures, &pack.sounds}) {
            int held = 0, named = 0;
            for (const PackItem& item : *items) {
                held += item.held;
                named += item.held && !item.text.empty();
            }
            QVERIFY(held >= 50 && held == named);
            QVERIFY(static_cast<int>(items->size()) - held >= 50);
        }
    }

    void damage_is_named_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::newRow("no facts") << QByteArray("imprint.replay") << QByteArray("imprint.repeat");
        QTest::newRow("fewer items than it says") << QByteArray("{\\\"held\\\":false,\\\"text\\\":\\\"thing 0\\\"},")
                                                  << QByteArray("                                      ");
        QTest::newRow("facts that are none")
            << QByteArray("\\\"texts\\\":[\\\"one\\\",") << QByteArray("\\\"texts\\\":[7,      ");
        QTest::newRow("a tensor under another name") << QByteArray("\"sound.range\"") << QByteArray("\"sound.ranks\"");
        QTest::newRow("bytes that are called signed") << QByteArray("\"dtype\":\"U8\"") << QByteArray("\"dtype\":\"I8\"");
    }
    void damage_is_named()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        const fs::path file = root_ / "damaged.safetensors";
        write_replay_pack(file, some(checkpoint_.config), checkpoint_);
        std::ifstream in(file, std::ios::binary);
        QByteArray bytes = QByteArray::fromStdString({std::istreambuf_iterator<char>(in), {}});
        QVERIFY2(bytes.contains(from), bytes.left(1200).constData());
        QCOMPARE(from.size(), to.size());
        bytes.replace(from, to);
        std::ofstream(file, std::ios::binary) << bytes.toStdString();
        try {
            read_replay_pack(file, checkpoint_);
            QFAIL("read");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
        }
    }
};

QTEST_GUILESS_MAIN(TestReplayPack)
#include "tst_replay_pack.moc"
