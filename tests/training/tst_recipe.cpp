// SPDX-License-Identifier: Apache-2.0
// A recipe says everything a run does, and what is wrong with it is said with its line.
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "training/draws.h"
#include "training/recipe.h"

using namespace imprint;
using namespace imprint::training;

class TestRecipe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_shipped_recipe_reads_data()
    {
        QTest::addColumn<QString>("path");
        const QDir recipes(IMPRINT_SOURCE_DIR "/resources/recipes");
        for (const auto& name : recipes.entryList({"*.toml"}))
            QTest::newRow(name.toUtf8()) << recipes.filePath(name);
        QVERIFY(!recipes.entryList({"*.toml"}).isEmpty());
    }
    void every_shipped_recipe_reads()
    {
        QFETCH(QString, path);
        const Recipe recipe = read_recipe(path.toStdString());
        QVERIFY(!recipe.objectives.empty());
        QCOMPARE(to_json(recipe).at("objective").size(), recipe.objectives.size());
    }

    void a_mistake_is_refused_with_its_line_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("line");
        QTest::addColumn<QString>("word");
        const QString objective = "[[objective]]\nkind = \"text-teacher\"\n";
        QTest::newRow("unknown key") << "steps = 200\nstepps = 3\n" + objective << 2 << "stepps";
        QTest::newRow("wrong type") << "seed = 1\n\nsteps = \"many\"\n" + objective << 3 << "wrong type";
        QTest::newRow("out of range") << "steps = 200\n[optimizer]\nrate = 7.0\n" + objective << 3 << "rate";
        QTest::newRow("unknown objective") << "steps = 200\n[[objective]]\nkind = \"gan\"\n" << 2 << "gan";
        QTest::newRow("unknown key of an objective") << "steps = 200\n" + objective + "sise = 3\n" << 4 << "sise";
        QTest::newRow("unknown model field") << "steps = 200\n[model]\nwdith = 3\n" + objective << 2 << "field";
        QTest::newRow("impossible model") << "steps = 200\n[model]\nwidth = 100\nheads = 3\n" + objective << 2 << "width";
        QTest::newRow("no objective") << "steps = 200\n" << 1 << "objective";
        QTest::newRow("warm-up longer than the run") << "steps = 50\n" + objective << 1 << "warmup";
        QTest::newRow("not TOML") << "steps = = 3\n" << 1 << "";
    }
    void a_mistake_is_refused_with_its_line()
    {
        QFETCH(QString, text);
        QFETCH(int, line);
        QFETCH(QString, word);
        QTemporaryDir dir;
        const auto path = dir.filePath("r.toml").toStdString();
        std::ofstream(path) << text.toStdString();
        try {
            read_recipe(path);
            QFAIL("accepted");
        } catch (const Error& error) {
            const QString message = QString::fromUtf8(error.what());
            QVERIFY2(message.contains("r.toml:" + QString::number(line)), error.what());
            QVERIFY2(message.contains(word), error.what());
        }
    }

    void the_schedule_warms_up_and_ends_on_a_cosine()
    {
        Recipe recipe;
        recipe.steps = 1100;
        recipe.warmup = 100;
        recipe.rate = 1e-3;
        recipe.final_rate = 1e-5;
        QVERIFY(std::abs(learning_rate(recipe, 0) - 1e-5) < 1e-12);
        QVERIFY(std::abs(learning_rate(recipe, 99) - 1e-3) < 1e-12);
        QVERIFY(std::abs(learning_rate(recipe, 600) - (1e-5 + 0.5 * (1e-3 - 1e-5))) < 1e-9);
        QVERIFY(std::abs(learning_rate(recipe, 1100) - 1e-5) < 1e-12);
        for (int64_t step = 101; step < 1100; ++step)
            QVERIFY(learning_rate(recipe, step) <= learning_rate(recipe, step - 1));
    }

    void draws_depend_on_their_name_alone()
    {
        Draws a(1, 2, 3), same(1, 2, 3), other_step(1, 3, 3), other_seed(2, 2, 3), other_purpose(1, 2, 4);
        const uint64_t first = a.bits();
        QCOMPARE(same.bits(), first);
        QVERIFY(other_step.bits() != first && other_seed.bits() != first && other_purpose.bits() != first);
        std::vector<int> counts(10);
        for (int i = 0; i < 100000; ++i)
            ++counts[static_cast<size_t>(a.below(10))];
        for (const int count : counts)
            QVERIFY(std::abs(count - 10000) < 600);
    }
};

QTEST_APPLESS_MAIN(TestRecipe)
#include "tst_recipe.moc"
