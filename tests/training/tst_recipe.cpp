// SPDX-License-Identifier: Apache-2.0
// A recipe says everything a run does, and what is wrong with it is said with its line.
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/named_configs.h"
#include "training/draws.h"
#include "training/recipe.h"

using namespace imprint;
using namespace imprint::training;

namespace {

constexpr const char* kData = R"(steps = 200
tokenizer = "words.model"
[model]
width = 64
heads = 1
layers = 2
sparse_layers = 0
vision_stem = "patch"
max_frames = 16
classifiers = [
    { modality = "vision", name = "kinds", classes = 3 },
    { modality = "sound", name = "noises", classes = 2 },
]

[[dataset]]
name = "media"
kind = "manifest"
path = "media.csv"
texts = "caption"
label = "kind"

[[dataset]]
name = "vectors"
kind = "features"
path = "vectors.safetensors"
)";

}  // namespace

class TestRecipe : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void another_number_of_steps_leaves_a_schedule_data()
    {
        QTest::addColumn<qlonglong>("warmup");
        QTest::addColumn<qlonglong>("pre_warmup");
        QTest::addColumn<qlonglong>("steps");
        QTest::addColumn<qlonglong>("left");  // of the warm-up
        QTest::newRow("more steps") << 100LL << 0LL << 4000LL << 100LL;
        QTest::newRow("fewer, but more than the warm-up") << 100LL << 0LL << 101LL << 100LL;
        QTest::newRow("as many as the warm-up") << 100LL << 0LL << 100LL << 50LL;
        QTest::newRow("fewer than both warm-ups") << 100LL << 60LL << 20LL << 10LL;
        QTest::newRow("one") << 199LL << 0LL << 1LL << 0LL;
        QTest::newRow("none") << 100LL << 0LL << 0LL << 0LL;
    }
    void another_number_of_steps_leaves_a_schedule()
    {
        QFETCH(qlonglong, warmup);
        QFETCH(qlonglong, pre_warmup);
        QFETCH(qlonglong, steps);
        QFETCH(qlonglong, left);
        Recipe recipe;
        recipe.steps = 200;
        recipe.warmup = warmup;
        recipe.pre_warmup = pre_warmup;
        recipe.warmup_rate = 0;
        const Recipe other = with_steps(recipe, steps);
        QCOMPARE(other.steps, steps);
        QCOMPARE(other.warmup, left);
        if (steps > 0)
            schedule_of(other).check();
    }

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
        // What is stored with a run reads as the recipe that it was resolved from, wherever it lies.
        QTemporaryDir dir;
        const auto stored = dir.filePath("recipe.toml").toStdString();
        std::ofstream(stored) << to_toml(recipe);
        QCOMPARE(QString::fromStdString(to_json(read_recipe(stored)).dump(1)), QString::fromStdString(to_json(recipe).dump(1)));
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
        QTest::newRow("unknown objective") << "steps = 200\n[[objective]]\nkind = \"gan\"\n" << 3 << "gan";
        QTest::newRow("unknown key of an objective") << "steps = 200\n" + objective + "sise = 3\n" << 4 << "sise";
        QTest::newRow("unknown model field") << "steps = 200\n[model]\nwdith = 3\n" + objective << 2 << "field";
        QTest::newRow("impossible model") << "steps = 200\n[model]\nwidth = 100\nheads = 3\n" + objective << 2 << "width";
        const QString silent = "[[objective]]\nkind = \"sound-name\"\nkeep = 0\n";
        QTest::newRow("no tokens and no shortcut") << "steps = 200\n" + silent << 4 << "keep";
        const QString stem = "steps = 200\n[model]\nsound_shortcut = 4\nsound_stem_widths = [4]\n";
        const QString some = "[[objective]]\nkind = \"sound-text\"\nkeep = 0.5\n";
        QTest::newRow("convolutions that learn beside tokens") << stem + some << 7 << "keep";
        QTest::newRow("no objective") << "steps = 200\n" << 1 << "objective";
        QTest::newRow("warm-up longer than the run") << "steps = 50\n" + objective << 1 << "warmup";
        QTest::newRow("not TOML") << "steps = = 3\n" << 1 << "";
        QTest::newRow("unknown configuration") << "steps = 200\n[model]\nconfig = \"imp-huge\"\n" + objective << 3 << "imp-moe-l";
        QTest::newRow("unknown sampler") << "steps = 200\n[mixture]\nsampler = \"dice\"\n" + objective << 3
                                         << "weighted or interval";
        QTest::newRow("nothing that could learn")
            << "steps = 200\n[run]\nlearning = [\"vision.\", \"smell.\"]\n" + objective << 3 << "smell.";
        QTest::newRow("unknown device") << "steps = 200\ndevice = \"abacus\"\n" + objective << 2 << "abacus";
        QTest::newRow("interval beside weights") << "steps = 200\n" + objective + "interval = 3\n" << 4 << "interval";
        QTest::newRow("corpus policy") << "steps = 200\n[mixture]\npolicy = \"accumulate\"\n" + objective << 2 << "alternates";
        QTest::newRow("pre-warm-up to nowhere") << "steps = 400\n[optimizer]\npre_warmup = 9\n" + objective << 1 << "warmup_rate";
    }

    void a_combination_that_cannot_be_trained_is_refused_with_its_line_data()
    {
        QTest::addColumn<QString>("objective");  // after kData, which has 25 lines
        QTest::addColumn<int>("line");
        QTest::addColumn<QString>("word");
        const QString nce = "[[objective]]\nkind = \"nce\"\ndatasets = \"media\"\n";
        const QString two = nce + "modalities = [\"vision\", \"text\"]\n";
        const QString classify = "[[objective]]\nkind = \"classify\"\ndatasets = \"media\"\nmodalities = \"vision\"\n";
        QTest::newRow("no such data set") << "[[objective]]\nkind = \"nce\"\ndatasets = \"nothing\"\n" << 28 << "nothing";
        QTest::newRow("one modality to contrast") << nce + "modalities = \"text\"\n" << 29 << "at least 2";
        QTest::newRow("a modality twice") << nce + "modalities = [\"text\", \"text\"]\n" << 29 << "twice";
        QTest::newRow("a modality that is off") << nce + "modalities = [\"waveform\", \"text\"]\n" << 29 << "model.waveform";
        QTest::newRow("a picture that patches do not fill") << two + "resolutions = \"60x64\"\n" << 30 << "16";
        QTest::newRow("more frames than the model takes") << two + "resolutions = \"64x64x64\"\n" << 30 << "frames";
        QTest::newRow("no resolution") << two + "resolutions = \"large\"\n" << 30 << "HEIGHTxWIDTH";
        QTest::newRow("a classifier that is not there") << classify + "classifier = \"breeds\"\n" << 30 << "breeds";
        QTest::newRow("a classifier of another modality") << classify + "classifier = \"noises\"\n" << 30 << "noises";
        QTest::newRow("a key of another kind") << two + "smoothing = 0.1\n" << 30 << "smoothing";
        QTest::newRow("features to look at") << "[[objective]]\nkind = \"nce\"\ndatasets = \"vectors\"\n" << 28 << "features";
        QTest::newRow("a teacher that is no features")
            << "[[objective]]\nkind = \"distill\"\ndatasets = \"media\"\nmodalities = \"text\"\nteacher = \"media\"\n"
            << 30 << "features";
        QTest::newRow("a trunk from nowhere")
            << "[[objective]]\nkind = \"distill\"\ndatasets = \"media\"\nmodalities = \"vision\"\nteacher = \"trunk\"\n"
            << 30 << "stem";
        QTest::newRow("masked language without its head") << "[[objective]]\nkind = \"masked-language\"\ndatasets = \"media\"\n"
                                                          << 27 << "target_classifier";
        QTest::newRow("two of one name") << two + two << 30 << "another objective";
        QTest::newRow("a corpus beside data sets") << two + "[[objective]]\nkind = \"text-teacher\"\n" << 26 << "corpus";
        QTest::newRow("a window longer than the model's") << nce + "modalities = [\"sound\", \"text\"]\nsound_seconds = 60.0\n"
                                                          << 30 << "sound_seconds";
        QTest::newRow("an evaluation without sentences")
            << two + "[[evaluation]]\nkind = \"zero-shot\"\ndataset = \"media\"\nmodalities = \"vision\"\n"
            << 30 << "templates";
    }
    void a_combination_that_cannot_be_trained_is_refused_with_its_line()
    {
        QFETCH(QString, objective);
        QFETCH(int, line);
        QFETCH(QString, word);
        QTemporaryDir dir;
        const auto path = dir.filePath("r.toml").toStdString();
        std::ofstream(path) << kData << objective.toStdString();
        try {
            read_recipe(path);
            QFAIL("accepted");
        } catch (const Error& error) {
            const QString message = QString::fromUtf8(error.what());
            QVERIFY2(message.contains("r.toml:" + QString::number(line) + ":"), error.what());
            QVERIFY2(message.contains(word), error.what());
        }
    }

    void experts_that_cannot_share_a_batch_out_are_refused()
    {
        QTemporaryDir dir;
        const auto path = dir.filePath("r.toml").toStdString();
        std::string text(kData);
        text.replace(text.find("sparse_layers = 0"), 17, "sparse_layers = 1\nexperts = 7\nrouting_group = \"batch\"");
        std::ofstream(path) << text
                            << "[[objective]]\nkind = \"nce\"\ndatasets = \"media\"\nmodalities = [\"vision\", \"text\"]\n"
                               "resolutions = \"64x64\"\ntext_tokens = 8\nbatch = 16\n";
        QVERIFY_THROWS_EXCEPTION(Error, read_recipe(path));
    }

    void a_named_configuration_is_the_base_that_fields_change()
    {
        QTemporaryDir dir;
        const auto path = dir.filePath("r.toml").toStdString();
        std::ofstream(path) << "steps = 200\n[model]\nconfig = \"imp-moe-b\"\nlayers = 8\nvision_stem = \"hybrid\"\n"
                               "common_space = \"joint\"\n[[objective]]\nkind = \"concept\"\n";
        model::ModelConfig wanted = model::named_config("imp-moe-b");
        wanted.layers = 8;
        wanted.vision_stem = model::VisionStem::Hybrid;
        wanted.common_space = model::CommonSpace::Joint;
        QVERIFY(read_recipe(path).model == wanted);
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
        QVERIFY(std::abs(learning_rate(recipe, 100) - 1e-3) < 1e-12);
        QVERIFY(std::abs(learning_rate(recipe, 600) - (1e-5 + 0.5 * (1e-3 - 1e-5))) < 1e-9);
        QVERIFY(std::abs(learning_rate(recipe, 1100) - 1e-5) < 1e-12);
        for (int64_t step = 101; step < 1100; ++step)
            QVERIFY(learning_rate(recipe, step) <= learning_rate(recipe, step - 1));
    }

    void the_parity_recipes_have_the_papers_rates_data()
    {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<int>("step");
        QTest::addColumn<double>("rate");
        // imp_method.md section 5
        QTest::newRow("base, begin") << "parity-imp-moe-b" << 0 << 2e-5;
        QTest::newRow("base, pre-warm-up") << "parity-imp-moe-b" << 1000 << 1.25e-5;
        QTest::newRow("base, warm-up") << "parity-imp-moe-b" << 14500 << 5.025e-4;
        QTest::newRow("base, peak") << "parity-imp-moe-b" << 27000 << 1e-3;
        QTest::newRow("base, half") << "parity-imp-moe-b" << 250000 << 5.4833e-4;
        QTest::newRow("base, end") << "parity-imp-moe-b" << 500000 << 1.0437e-6;
        QTest::newRow("large, pre-warm-up") << "parity-imp-moe-l" << 5000 << 1e-6;
        QTest::newRow("large, warm-up") << "parity-imp-moe-l" << 27000 << 2.2056e-4;
        QTest::newRow("small, peak") << "parity-imp-moe-s" << 10000 << 8e-4;
    }
    void the_parity_recipes_have_the_papers_rates()
    {
        QFETCH(QString, recipe);
        QFETCH(int, step);
        QFETCH(double, rate);
        const Recipe read = read_recipe((IMPRINT_SOURCE_DIR "/resources/recipes/" + recipe + ".toml").toStdString());
        QVERIFY2(std::abs(learning_rate(read, step) / rate - 1) < 1e-4, qPrintable(QString::number(learning_rate(read, step))));
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
