// SPDX-License-Identifier: Apache-2.0
// Token counts against the tables of imp_method.md sections 1.2 and 3, and DropToken.
#include <QTest>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "training/token_table.h"

using namespace imprint;
using namespace imprint::training;
using model::ModelConfig;
using model::VisionStem;

namespace {

ModelConfig paper()
{
    ModelConfig config;
    config.vision_stem = VisionStem::Patch;
    config.max_frames = 16;
    config.hop = 1024;
    return config;
}

}  // namespace

class TestTokenTable : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_resolution_costs_its_tokens_data()
    {
        QTest::addColumn<bool>("patch");
        QTest::addColumn<int>("frames");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::addColumn<double>("drop");
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("kept");
        QTest::addColumn<QString>("name");
        QTest::newRow("image") << true << 1 << 256 << 256 << 0.0 << 256 << 256 << "256x256";
        QTest::newRow("image as four frames") << true << 4 << 256 << 256 << 0.0 << 256 << 256 << "4x256x256";
        QTest::newRow("video") << true << 16 << 256 << 256 << 0.75 << 1024 << 256 << "16x256x256 drop 0.75";
        QTest::newRow("low-res video") << true << 16 << 128 << 128 << 0.0 << 256 << 256 << "16x128x128";
        QTest::newRow("rounding must not empty it") << true << 1 << 32 << 80 << 0.9 << 10 << 1 << "32x80 drop 0.9";
        QTest::newRow("hybrid picture") << false << 1 << 224 << 224 << 0.0 << 49 << 49 << "224x224";
        QTest::newRow("hybrid clip of wide frames") << false << 4 << 160 << 320 << 0.5 << 200 << 100 << "4x160x320 drop 0.5";
    }
    void a_resolution_costs_its_tokens()
    {
        QFETCH(bool, patch);
        QFETCH(int, frames);
        QFETCH(int, height);
        QFETCH(int, width);
        QFETCH(double, drop);
        const Resolution resolution{frames, height, width, drop};
        const TokenGrid grid = vision_grid(patch ? paper() : ModelConfig(), resolution);
        QTEST(static_cast<int>(grid.tokens()), "tokens");
        QTEST(static_cast<int>(kept_tokens(grid, drop)), "kept");
        QTEST(QString::fromStdString(name_of(resolution)), "name");
        QCOMPARE(grid.beside, patch ? 0 : 1);
    }

    void sound_costs_its_patches()
    {
        QCOMPARE(sound_grid(paper(), 131072).tokens(), 64);
        QCOMPARE(sound_grid(paper(), 1).tokens(), 8);
        QCOMPARE(sound_grid(ModelConfig(), 8193).tokens(), 16);
        QVERIFY_EXCEPTION_THROWN(sound_grid(paper(), 131073), Error);
        QVERIFY_EXCEPTION_THROWN(sound_grid(paper(), 0), Error);
    }

    void every_entry_of_the_menu_leaves_equally_many()
    {
        for (const auto& [config, entries, kept] : {std::tuple{paper(), 3, 256}, std::tuple{ModelConfig(), 3, 49}}) {
            const auto table = token_table(config, constant_token_menu(config));
            QCOMPARE(static_cast<int>(table.size()), entries);
            for (const TokenRow& row : table)
                QCOMPARE(static_cast<int>(row.kept), kept);
        }
        ModelConfig stills = paper();
        stills.max_frames = 4;
        QCOMPARE(constant_token_menu(stills).size(), 1u);
    }

    void drop_token_keeps_a_uniform_ascending_choice()
    {
        const TokenGrid grid{1, 4, 10, 0};
        std::vector<int> seen(40);
        for (uint64_t step = 0; step < 4000; ++step) {
            Draws draws(3, step, 1), again(3, step, 1);
            const auto kept = kept_indices(grid, 0.75, draws);
            QCOMPARE(kept.size(), 10u);
            QVERIFY(std::is_sorted(kept.begin(), kept.end()));
            QCOMPARE(std::set<int64_t>(kept.begin(), kept.end()).size(), kept.size());
            QVERIFY(kept.front() >= 0 && kept.back() < 40);
            QCOMPARE(kept_indices(grid, 0.75, again), kept);
            for (const int64_t token : kept)
                ++seen[static_cast<size_t>(token)];
        }
        for (const int count : seen)  // 1000 expected, with a deviation of 27
            QVERIFY(std::abs(count - 1000) < 140);
        Draws draws(3, 0, 1);
        QCOMPARE(kept_indices(grid, 0, draws).size(), 40u);
    }

    void what_the_model_cannot_take_is_refused_data()
    {
        QTest::addColumn<int>("frames");
        QTest::addColumn<int>("height");
        QTest::addColumn<double>("drop");
        QTest::newRow("not a multiple") << 1 << 250 << 0.0;
        QTest::newRow("smaller than a patch") << 1 << 0 << 0.0;
        QTest::newRow("too many frames") << 32 << 256 << 0.0;
        QTest::newRow("frames that fill no patch") << 6 << 256 << 0.0;
        QTest::newRow("all dropped") << 1 << 256 << 1.0;
    }
    void what_the_model_cannot_take_is_refused()
    {
        QFETCH(int, frames);
        QFETCH(int, height);
        QFETCH(double, drop);
        try {
            vision_grid(paper(), {frames, height, 256, drop});
            QFAIL("was accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Usage);
            QVERIFY(!error.remedy().empty());
        }
    }
};

QTEST_APPLESS_MAIN(TestTokenTable)
#include "tst_token_table.moc"
