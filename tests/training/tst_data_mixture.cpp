// SPDX-License-Identifier: Apache-2.0
// Whole runs over data sets: the shipped recipe tiny-cpu with its golden losses, policies, shards that webdataset wrote, and what
// happens where the data is not as the recipe says.
#include <ATen/ATen.h>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "core/model/checkpoint.h"
#include "tests/support/tiny_checkpoint.h"
#include "tests/support/tiny_corpus.h"
#include "tests/training/data/files.h"
#include "training/recipe.h"
#include "training/suite.h"
#include "training/trainer.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = IMPRINT_SOURCE_DIR;

/// A network that trains in a moment, one picture manifest; %1 stands for the folder of the data.
constexpr const char* kTiny = R"(seed = 3
steps = 6
device = "cpu"
tokenizer = "%R/resources/recipes/english-8k.model"
[model]
name = "tiny"
width = 32
layers = 2
heads = 1
ffn_width = 48
sparse_layers = 1
experts = 2
head_width = 24
joint_dim = 16
vision_stem = "patch"
standardise_sound = false
classifiers = [{ modality = "vision", name = "kinds", classes = 3 }]
[data]
workers = 2
prefetch = 2
most_unreadable = 6
[optimizer]
warmup = 1
precision = "fp32"
[run]
log_every = 1
)";

const std::string kHybrid = std::string("[model]\nname = \"hybrid\"\n") + tests::kTinyNetwork + "[optimizer]\nwarmup = 1\n";

constexpr const char* kPictures = R"([[dataset]]
name = "pictures"
kind = "manifest"
path = "pictures.csv"
root = "%R/resources/samples"
texts = "caption"
label = "kind"
classes = ["animal", "food", "place"]
)";

constexpr const char* kTwoObjectives = R"([[objective]]
kind = "nce"
datasets = "pictures"
modalities = ["vision", "text"]
resolutions = "32x32"
batch = 3
[[objective]]
kind = "classify"
datasets = "pictures"
modalities = "vision"
resolutions = "32x32"
classifier = "kinds"
batch = 3
)";

constexpr const char* kManifest =
    "path,caption,kind\ncat.jpg,a cat,animal\ncoffee.jpg,a cup of coffee,food\npagoda.jpg,a pagoda,place\n";

QByteArray bytes_of(const fs::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("missing");
}

std::vector<nlohmann::json> steps_of(const fs::path& run)
{
    std::vector<nlohmann::json> lines;
    std::ifstream in(run / "metrics.jsonl");
    for (std::string line; std::getline(in, line);)
        if (auto json = nlohmann::json::parse(line); json.contains("objective"))
            lines.push_back(std::move(json));
    return lines;
}

}  // namespace

class TestDataMixture : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
        root_ = dir_.path().toStdString();
    }

    // Made by this test; a change that means to change them writes them anew with IMPRINT_WRITE_GOLDEN=1.
    void ten_steps_of_tiny_cpu_have_their_golden_losses()
    {
        const fs::path golden = kRoot / "tests/data/golden/tiny_cpu.json", run = root_ / "tiny";
        TrainOptions options = options_for(kRoot / "resources/recipes/tiny-cpu.toml", run);
        options.steps = 10;
        const TrainReport report = training::run(options);
        QVERIFY(report.finished);
        const auto lines = steps_of(run);
        QCOMPARE(lines.size(), size_t{10});
        nlohmann::json found = nlohmann::json::array();
        for (const auto& line : lines)
            found.push_back({{"objective", line.at("objective")}, {"loss", line.at("loss")}});
        if (qEnvironmentVariableIsSet("IMPRINT_WRITE_GOLDEN")) {
            fs::create_directories(golden.parent_path());
            std::ofstream(golden) << found.dump(1) << "\n";
        }
        std::ifstream in(golden);
        const auto wanted = nlohmann::json::parse(in);
        QCOMPARE(wanted.size(), size_t{10});
        for (size_t step = 0; step < 10; ++step) {
            QVERIFY(found[step].at("objective") == wanted[step].at("objective"));
            const double loss = found[step].at("loss"), golden_loss = wanted[step].at("loss");
            QVERIFY2(std::abs(loss / golden_loss - 1) < 1e-4,
                     qPrintable(QString("step %1: %2, golden %3").arg(step).arg(loss).arg(golden_loss)));
        }
    }

    void the_run_keeps_its_recipe_its_evaluations_and_a_model()
    {
        const fs::path run = root_ / "tiny";
        const Recipe stored = read_recipe(run / "recipe.toml");
        QCOMPARE(stored.steps, int64_t{10});
        QCOMPARE(stored.objectives.size(), size_t{6});
        const QByteArray metrics = bytes_of(run / "metrics.jsonl");
        for (const char* wanted : {"picture-kinds", "top1_interval", "forwards.r1", "backwards.median_rank"})
            QVERIFY2(metrics.contains(wanted), wanted);
        const auto checkpoint = model::load_checkpoint(model::SafetensorsFile(run / "tiny.safetensors"));
        QVERIFY(checkpoint.text_bank.size(0) > 1 && checkpoint.background_picture.size(0) > 1
                && checkpoint.background_sound.size(0) > 1);
        QVERIFY(checkpoint.provenance.dump().find(kRoot.string()) == std::string::npos);  // says nothing of this machine
    }

    void routers_are_probed_where_the_log_looks()
    {
        const auto steps = steps_of(root_ / "tiny");
        QVERIFY(!steps[1].contains("expert_use"));  // tiny-cpu logs every tenth
        const auto& layers = steps[0].at("expert_use");
        QCOMPARE(layers.size(), size_t{2});
        for (const auto& layer : layers) {
            QCOMPARE(layer.size(), size_t{4});
            double sum = 0;
            for (const double share : layer)
                sum += share;
            QVERIFY(std::abs(sum - 1) < 1e-6);
        }
        QVERIFY(steps[0].at("left_behind") >= 0 && steps[0].at("left_behind") < 1 && steps[0].at("confidence") > 0);
    }

    void a_recipe_is_a_suite_for_its_checkpoint()
    {
        SuiteOptions options;
        options.checkpoint = root_ / "tiny/tiny.safetensors";
        options.suite = kRoot / "resources/recipes/tiny-cpu.toml";
        const auto result = evaluate_suite(options);
        const auto& kinds = result.at("evaluations").at("picture-kinds");
        QCOMPARE(kinds.at("samples").get<int>(), 26);
        QCOMPARE(kinds.at("unreadable").get<int>(), 0);
        QVERIFY(kinds.at("top1").get<double>() >= 0 && kinds.at("top1") <= kinds.at("top5"));
        const auto& pictures = result.at("evaluations").at("pictures-by-text");
        QVERIFY(pictures.at("forwards.r1") <= pictures.at("forwards.r10"));
        const QString table = QString::fromStdString(suite_table(result));
        for (const char* wanted :
             {"tiny.safetensors on tiny-cpu.toml", "picture-kinds: 26 samples", "chance", "backwards.median_rank"})
            QVERIFY2(table.contains(wanted), qPrintable(table));
    }

    void a_checkpoint_is_compared_with_another_on_the_same_samples()
    {
        SuiteOptions options;
        options.checkpoint = options.against = root_ / "tiny/tiny.safetensors";
        options.suite = kRoot / "resources/recipes/tiny-cpu.toml";
        const auto result = evaluate_suite(options);
        for (const auto& [name, figures] : result.at("evaluations").items()) {
            const auto& same = figures.at("compared").at("tiny.safetensors");
            QCOMPARE(same.size(), name == "picture-kinds" ? size_t{2} : size_t{6});
            for (const auto& [figure, one] : same.items()) {
                QVERIFY2(one.at("theirs") == figures.at(figure) && one.at("difference") == 0, figure.c_str());
                QVERIFY2(one.at("interval") == nlohmann::json({0.0, 0.0}) && one.at("p") == 1, figure.c_str());
            }
        }
    }

    void the_shipped_model_stands_beside_what_is_untrained()
    {
        const fs::path suite = written("beside.toml",
                                       std::string(kPictures)
                                           + "[[evaluation]]\nkind = \"retrieval\"\nname = \"found\"\ndataset = \"pictures\"\n"
                                             "modalities = [\"text\", \"vision\"]\n");
        SuiteOptions options;
        options.checkpoint = kRoot / "resources/models/imprint-small.safetensors";
        options.suite = suite;
        const auto result = evaluate_suite(options);
        const auto& found = result.at("evaluations").at("found");
        const auto& conse = found.at("compared").at("untrained ConSE");
        QCOMPARE(found.at("samples").get<int>(), 3);
        QCOMPARE(conse.size(), size_t{6});
        // A cat, a coffee and a pagoda are told apart by the classifier alone.
        QCOMPARE(conse.at("forwards.r1").at("theirs").get<double>(), 1.0);
        const QString table = QString::fromStdString(suite_table(result));
        QVERIFY2(table.contains("beside untrained ConSE:"), qPrintable(table));
    }

    void a_run_that_was_stopped_goes_on_bit_for_bit()
    {
        const fs::path recipe = written("resume.toml", std::string(kTiny) + kPictures + kTwoObjectives);
        training::run(options_for(recipe, root_ / "whole"));
        TrainOptions first = options_for(recipe, root_ / "parts");
        first.log = [&](const std::string&) {
            if (steps_of(root_ / "parts").size() >= 3)
                first.cancel.cancel();
        };
        QVERIFY(!training::run(first).finished);
        TrainOptions second = options_for(recipe, root_ / "parts");
        second.resume = true;
        QVERIFY(training::run(second).finished);
        // The finished models also say how long they took.
        for (const char* file : {"checkpoints/step-6/model.safetensors", "checkpoints/step-6/optimizer.safetensors"})
            QVERIFY2(bytes_of(root_ / "parts" / file) == bytes_of(root_ / "whole" / file), file);
    }

    void a_disk_that_fills_up_costs_the_new_state_alone()
    {
        const fs::path run = root_ / "full";
        std::string recipe = std::string(kTiny) + kPictures + kTwoObjectives;
        recipe.replace(recipe.find("log_every = 1"), 13, "log_every = 1\ncheckpoint_every = 2");
        // From the third step on no file can grow past some kilobytes: writes fail half way, as on a full disk.
        const auto before = std::signal(SIGXFSZ, SIG_IGN);
        rlimit old{};
        ::getrlimit(RLIMIT_FSIZE, &old);
        TrainOptions options = options_for(written("full.toml", recipe), run);
        options.log = [&](const std::string&) {
            const rlimit small{65536, old.rlim_max};
            if (steps_of(run).size() >= 3)
                ::setrlimit(RLIMIT_FSIZE, &small);
        };
        const QString said = test::thrown([&] { training::run(options); });
        ::setrlimit(RLIMIT_FSIZE, &old);
        std::signal(SIGXFSZ, before);
        QVERIFY2(said.startsWith("disk-full|") && said.contains("step-4"), qPrintable(said));
        QVERIFY(fs::exists(run / "checkpoints/step-2") && !fs::exists(run / "checkpoints/step-4"));
        TrainOptions again = options_for(root_ / "full.toml", run);
        again.resume = true;
        QVERIFY(training::run(again).finished);
        const char* last = "checkpoints/step-6/model.safetensors";
        QVERIFY(bytes_of(run / last) == bytes_of(root_ / "whole" / last));
    }

    void fewer_steps_than_the_warm_up_leave_a_run_that_goes_on()
    {
        std::string recipe = std::string(kTiny) + kPictures + kTwoObjectives;
        recipe.replace(recipe.find("warmup = 1"), 10, "warmup = 4");
        const fs::path run = root_ / "short";
        TrainOptions first = options_for(written("short.toml", recipe), run);
        first.steps = 3;
        first.log = [&](const std::string&) {
            if (!steps_of(run).empty())
                first.cancel.cancel();
        };
        QVERIFY(!training::run(first).finished);
        const Recipe stored = read_recipe(run / "recipe.toml");
        QCOMPARE(stored.steps, int64_t{3});
        QCOMPARE(stored.warmup, int64_t{2});
        TrainOptions second = options_for(run / "recipe.toml", run);
        second.resume = true;
        const TrainReport report = training::run(second);
        QVERIFY(report.finished);
        QCOMPARE(report.step, int64_t{3});
    }

    void every_evaluation_is_made_once()
    {
        std::string recipe = std::string(kTiny) + kPictures + kTwoObjectives
            + "[[evaluation]]\nkind = \"retrieval\"\nname = \"found\"\ndataset = \"pictures\"\n"
              "modalities = [\"text\", \"vision\"]\nresolution = \"32x32\"\n";
        recipe.replace(recipe.find("log_every = 1"), 13, "log_every = 1\nevaluate_every = 3");
        const fs::path run = root_ / "evaluated";
        QStringList log;
        TrainOptions options = options_for(written("evaluated.toml", recipe), run);
        options.log = [&](const std::string& line) { log << QString::fromStdString(line); };
        training::run(options);
        std::vector<int64_t> steps;
        std::ifstream in(run / "metrics.jsonl");
        for (std::string line; std::getline(in, line);)
            if (const auto json = nlohmann::json::parse(line); json.contains("found"))
                steps.push_back(json.at("step"));
        QCOMPARE(steps, (std::vector<int64_t>{3, 6}));
        QCOMPARE(log.filter("found: ").size(), 2);
    }

    void a_policy_decides_what_a_step_is_data()
    {
        QTest::addColumn<QString>("policy");
        QTest::addColumn<QStringList>("names");
        QTest::addColumn<int>("lines");
        QTest::newRow("alternate") << "alternate" << QStringList{"nce", "classify"} << 6;
        QTest::newRow("combine") << "combine" << QStringList{"nce+classify"} << 6;
        QTest::newRow("accumulate") << "accumulate" << QStringList{"nce", "classify"} << 12;
    }
    void a_policy_decides_what_a_step_is()
    {
        QFETCH(QString, policy);
        QFETCH(QStringList, names);
        QFETCH(int, lines);
        const fs::path run = root_ / policy.toStdString();
        training::run(options_for(
            written(policy.toStdString() + ".toml",
                    std::string(kTiny) + "[mixture]\npolicy = \"" + policy.toStdString() + "\"\n" + kPictures + kTwoObjectives),
            run));
        const auto steps = steps_of(run);
        QCOMPARE(int(steps.size()), lines);
        for (const auto& line : steps) {
            QVERIFY2(names.contains(QString::fromStdString(line.at("objective"))), line.dump().c_str());
            if (policy != "combine")
                continue;
            QVERIFY(line.contains("nce.loss") && line.contains("classify.accuracy"));
            const double parts = line.at("nce.loss").get<double>() + line.at("classify.loss").get<double>();
            QVERIFY(line.at("loss").get<double>() >= parts - 1e-6);  // beside them the router's z-loss
        }
    }

    void the_hybrid_stem_takes_its_trunk_from_a_checkpoint()
    {
        const std::string stem = tests::make_tiny_checkpoint(root_).string();
        const fs::path run = root_ / "hybrid";
        training::run(options_for(
            written("hybrid.toml",
                    "seed = 3\nsteps = 4\ndevice = \"cpu\"\ntokenizer = \"" + stem + "\"\nstem = \"" + stem + "\"\n" + kHybrid
                        + kPictures
                        + "[[objective]]\nkind = \"nce\"\ndatasets = \"pictures\"\nmodalities = [\"vision\", \"text\"]\n"
                          "resolutions = [\"64x64\", \"2x64x64 drop 0.5\"]\nbatch = 3\n"),
            run));
        QCOMPARE(steps_of(run).size(), size_t{4});
        const auto trained = model::load_checkpoint(model::SafetensorsFile(run / "hybrid.safetensors"));
        const auto given = model::load_checkpoint(model::SafetensorsFile(stem));
        QVERIFY(!trained.trunk.empty());
        for (const auto& [name, tensor] : given.trunk)
            QVERIFY2(at::equal(trained.trunk.at(name), tensor), name.c_str());
        QVERIFY(at::equal(trained.parameters.at("concept.class_text"), given.parameters.at("concept.class_text")));
    }

    void a_network_learns_from_teachers()
    {
        const std::string stem = tests::make_tiny_checkpoint(root_).string();
        const std::vector<float> vectors(3 * 16, 0.5f);
        model::write_safetensors(root_ / "teacher.safetensors", {},
                                 {{"features", {model::DType::F32, {3, 16}, std::as_bytes(std::span(vectors))}}});
        std::string recipe = kTiny;
        recipe.replace(recipe.find("[model]"), 7,
                       "stem = \"" + stem + "\"\n[model]\ntrunk_channels = 24\ntrunk_classes = 12\ntarget_classifier = true");
        recipe.replace(recipe.find("classes = 3 }"), 13,
                       "classes = 3 }, { modality = \"vision\", name = \"trunk\", classes = 24 }");
        recipe += std::string("[mixture]\npolicy = \"accumulate\"\n") + kPictures
            + "[[dataset]]\nname = \"teacher\"\nkind = \"features\"\npath = \"teacher.safetensors\"\n"
              "[[objective]]\nkind = \"distill\"\nname = \"vectors\"\ndatasets = \"pictures\"\nmodalities = \"text\"\nteacher = "
              "\"teacher\"\nbatch = 3\n"
              "[[objective]]\nkind = \"distill\"\nname = \"activations\"\ndatasets = \"pictures\"\nmodalities = "
              "\"vision\"\nteacher = \"trunk\"\n"
              "classifier = \"trunk\"\nresolutions = \"64x64\"\nbatch = 3\n"
              "[[objective]]\nkind = \"masked-language\"\ndatasets = \"pictures\"\nbatch = 3\n";
        const fs::path run = root_ / "taught";
        training::run(options_for(written("taught.toml", recipe), run));
        std::map<std::string, std::vector<double>> losses;
        for (const auto& line : steps_of(run))
            losses[line.at("objective")].push_back(line.at("loss"));
        QCOMPARE(losses.size(), size_t{3});
        QVERIFY(losses.at("vectors").back() < losses.at("vectors").front());

        // One row too many.
        const std::vector<float> more(4 * 16, 0.5f);
        model::write_safetensors(root_ / "teacher.safetensors", {},
                                 {{"features", {model::DType::F32, {4, 16}, std::as_bytes(std::span(more))}}});
        const QString said = test::thrown([&] { training::run(options_for(root_ / "taught.toml", root_ / "taught-again")); });
        QVERIFY2(said.contains("3 samples and its teacher 4 rows"), qPrintable(said));
    }

    void shards_that_webdataset_wrote_are_trained_on()
    {
        const std::string shards =
            "[[dataset]]\nname = \"shards\"\nkind = \"shards\"\npath = \"%R/tests/data/webdataset/golden-{000000..000001}.tar\"\n"
            "texts = [\"txt\", \"json.captions\"]\nlabel = \"cls\"\nclasses = [\"a\", \"b\", \"c\"]\n"
            "[[objective]]\nkind = \"nce\"\ndatasets = \"shards\"\nmodalities = [\"vision\", \"text\"]\nresolutions = "
            "\"32x32\"\nbatch = 4\n";
        const fs::path run = root_ / "shards";
        QStringList log;
        TrainOptions options = options_for(written("shards.toml", kTiny + shards), run);
        options.log = [&](const std::string& line) { log << QString::fromStdString(line); };
        QVERIFY(training::run(options).finished);
        QCOMPARE(steps_of(run).size(), size_t{6});
        // One sample has no media, one a label outside the set: counted, said, recorded, replaced.
        const QStringList unreadable = log.filter("unreadable sample");
        QCOMPARE(unreadable.size(), 2);
        QVERIFY2(unreadable.join("\n").contains("no-media") && unreadable.join("\n").contains("outside"),
                 qPrintable(unreadable.join("\n")));
    }

    void data_that_is_not_as_the_recipe_says_is_refused_data()
    {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<QString>("manifest");
        QTest::addColumn<QString>("word");
        const QString good = QString(kTiny) + kPictures + kTwoObjectives, manifest = kManifest;
        const auto with = [&](const char* what, const char* instead) { return QString(good).replace(what, instead); };
        QTest::newRow("no such column") << with("texts = \"caption\"", "texts = \"title\"") << manifest << "title";
        QTest::newRow("a class without sample") << with("\"place\"]", "\"place\", \"music\"]") << manifest << "music";
        QTest::newRow("a label outside the set") << good << manifest + "cat.jpg,a cat,beast\n"
                                                 << "pictures.csv:5";
        QTest::newRow("another number of classes") << with("classes = 3", "classes = 4") << manifest << "model.classifiers";
        QTest::newRow("no manifest") << with("pictures.csv", "nothing.csv") << manifest << "nothing.csv";
        QTest::newRow("no tokenizer") << with("english-8k.model", "nobody.model") << manifest << "nobody";
        QTest::newRow("a GPU that is not there") << with("\"cpu\"", "\"cuda:63\"") << manifest << "wants the GPU cuda:63";
        QTest::newRow("pictures that are not there")
            << with("%R/resources/samples", "%R/resources") << manifest << "no readable sample";
    }
    void data_that_is_not_as_the_recipe_says_is_refused()
    {
        QFETCH(QString, recipe);
        QFETCH(QString, manifest);
        QFETCH(QString, word);
        const fs::path run = root_ / "refused";
        fs::remove_all(run);
        const fs::path path = written("refused.toml", recipe.toStdString(), manifest.toStdString());
        try {
            training::run(options_for(path, run));
            QFAIL("accepted");
        } catch (const Error& error) {
            QVERIFY2(QString::fromUtf8(error.what()).contains(word), error.what());
        }
        QVERIFY(steps_of(run).empty());
    }

private:
    TrainOptions options_for(const fs::path& recipe, const fs::path& run) const
    {
        TrainOptions options;
        options.recipe = recipe;
        options.run = run;
        options.encoder.threads = 1;
        return options;
    }
    fs::path written(const std::string& name, std::string text, const std::string& manifest = kManifest) const
    {
        for (size_t at = 0; (at = text.find("%R")) != std::string::npos;)
            text.replace(at, 2, kRoot.string());
        std::ofstream(root_ / name) << text;
        std::ofstream(root_ / "pictures.csv") << manifest;
        return root_ / name;
    }

    QTemporaryDir dir_;
    fs::path root_;
};

QTEST_APPLESS_MAIN(TestDataMixture)
#include "tst_data_mixture.moc"
