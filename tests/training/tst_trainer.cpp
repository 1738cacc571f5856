// SPDX-License-Identifier: Apache-2.0
// Whole runs over a tiny real corpus: they learn, they stop and go on bit for bit, and they leave a model that works.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/encoder.h"
#include "core/model/checkpoint.h"
#include "tests/support/tiny_corpus.h"
#include "training/corpus.h"
#include "training/log/run_metrics.h"
#include "training/trainer.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

namespace {

QByteArray bytes_of(const fs::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("missing");
}

std::vector<nlohmann::json> metrics_of(const fs::path& run)
{
    std::vector<nlohmann::json> lines;
    std::ifstream in(run / "metrics.jsonl");
    std::string line;
    while (std::getline(in, line)) {
        auto json = nlohmann::json::parse(line);
        json.erase("seconds");
        json.erase("overhead");
        lines.push_back(json);
    }
    return lines;
}

}  // namespace

class TestTrainer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        root_ = fs::path(dir_.path().toStdString());
        qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
        tests::make_tiny_corpus(root_ / "corpus");
        write_recipe("recipe.toml", true);
    }

    void a_run_that_was_stopped_goes_on_bit_for_bit_data()
    {
        QTest::addColumn<int>("stop");
        QTest::newRow("at a state") << 4;
        QTest::newRow("between two states") << 7;
        QTest::newRow("right away") << 0;
    }
    void a_run_that_was_stopped_goes_on_bit_for_bit()
    {
        QFETCH(int, stop);
        const fs::path whole = root_ / "whole";
        if (!fs::exists(whole)) {
            const TrainReport report = run(options(whole));
            QVERIFY(report.finished);
            QCOMPARE(report.step, int64_t{12});
        }
        const fs::path parts = root_ / ("parts-" + std::to_string(stop));
        TrainOptions first = options(parts);
        // The log tells of each step once it is done; cancelling there is what SIGTERM does.
        first.log = [&](const std::string&) {
            if (static_cast<int>(metrics_of(parts).size()) >= stop)
                first.cancel.cancel();
        };
        const TrainReport begun = run(first);
        QVERIFY(!begun.finished);
        TrainOptions second = options(parts);
        second.resume = true;
        const TrainReport report = run(second);
        QVERIFY(report.finished);
        for (const char* file : {"checkpoints/step-12/model.safetensors", "checkpoints/step-12/optimizer.safetensors"})
            QVERIFY2(bytes_of(parts / file) == bytes_of(whole / file), file);
        QVERIFY(metrics_of(parts) == metrics_of(whole));
    }

    void every_step_draws_one_objective_and_all_are_drawn()
    {
        std::set<std::string> names;
        for (const auto& line : metrics_of(root_ / "whole"))
            if (line.contains("objective"))
                names.insert(line.at("objective"));
        QVERIFY2(names.size() >= 4, qPrintable(QString::number(names.size())));
    }

    void every_start_leaves_its_events_and_a_run_its_report()
    {
        const auto events = [](const fs::path& run) {
            return std::distance(fs::directory_iterator(run / "events"), fs::directory_iterator());
        };
        QCOMPARE(int(events(root_ / "whole")), 1);
        QCOMPARE(int(events(root_ / "parts-7")), 2);
        const RunMetrics metrics = read_run_metrics(root_ / "whole");
        QCOMPARE(metrics.last_step, int64_t{11});
        QCOMPARE(metrics.damaged_lines, int64_t{0});
        QVERIFY(!metrics.steps.at("tokens/s").empty());
        for (const auto& line : metrics_of(root_ / "whole"))
            if (line.contains("objective"))
                QVERIFY2(line.at("tokens") >= line.at("samples"), line.dump().c_str());
    }

    void every_objective_tells_what_its_routers_do()
    {
        const RunMetrics metrics = read_run_metrics(root_ / "whole");
        for (const auto& line : metrics_of(root_ / "whole")) {
            if (!line.contains("objective"))
                continue;
            const std::string name = line.at("objective");
            QVERIFY2(line.contains("left_behind") && metrics.expert_use.contains(name), name.c_str());
            const auto& layers = metrics.expert_use.at(name);
            QCOMPARE(layers.size(), size_t{1});
            QCOMPARE(layers[0].size(), size_t{3});
            QVERIFY(std::abs(std::accumulate(layers[0].begin(), layers[0].end(), 0.0) - 1) < 1e-6);
        }
    }

    void losses_fall()
    {
        write_recipe("longer.toml", false);
        TrainOptions longer = options(root_ / "longer");
        longer.recipe = root_ / "longer.toml";
        longer.steps = 360;
        run(longer);
        std::map<std::string, std::vector<double>> losses;
        for (const auto& line : metrics_of(root_ / "longer"))
            if (line.contains("objective"))
                losses[line.at("objective")].push_back(line.at("loss"));
        for (const char* name : {"picture-text", "sound-text", "text-teacher"}) {
            const auto& all = losses.at(name);
            const auto mean = [](auto begin, auto end) { return std::accumulate(begin, end, 0.0) / double(end - begin); };
            const auto third = static_cast<std::ptrdiff_t>(all.size() / 3);
            QVERIFY2(mean(all.end() - third, all.end()) < 0.8 * mean(all.begin(), all.begin() + third), name);
        }
    }

    void no_steps_write_the_model_it_goes_on_from_with_another_gate_floor()
    {
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        QVERIFY(fs::exists(before));
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 0\ninitial = \"" + before.string() + "\"");
        recipe.replace(recipe.find("[model]"), 7, "[model]\nconcept_gate_floor = 0.5");
        recipe.replace(recipe.find("warmup = 2"), 10, "warmup = 0");
        std::ofstream(root_ / "again.toml") << recipe;
        TrainOptions again = options(root_ / "again");
        again.recipe = root_ / "again.toml";
        const TrainReport report = run(again);
        const model::SafetensorsFile old_file(before), new_file(report.checkpoint);
        QCOMPARE(model::read_config(new_file).concept_gate_floor, 0.5);
        QVERIFY(model::read_provenance(new_file).contains("initial"));
        for (const auto& [name, view] : old_file.tensors())
            if (!name.starts_with("score."))  // measured anew, from the weights as they were stored
                QVERIFY2(std::ranges::equal(view.data, new_file.at(name).data), name.c_str());
    }

    void the_gate_of_what_is_written_is_moved_and_nothing_else()
    {
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 0\ninitial = \"" + before.string() + "\"");
        recipe.replace(recipe.find("[run]"), 5, "[run]\ngate_shift = 0.75");
        recipe.replace(recipe.find("warmup = 2"), 10, "warmup = 0");
        std::ofstream(root_ / "moved.toml") << recipe;
        TrainOptions moved = options(root_ / "moved");
        moved.recipe = root_ / "moved.toml";
        const auto was = model::load_checkpoint(model::SafetensorsFile(before)).parameters;
        const auto is = model::load_checkpoint(model::SafetensorsFile(run(moved).checkpoint)).parameters;
        for (const auto& [name, tensor] : was) {
            const at::Tensor wanted = name == "concept.gate.bias" ? tensor + 0.75 : tensor;
            QVERIFY2(at::equal(is.at(name), wanted), name.c_str());
        }
    }

    void a_network_that_gains_a_shortcut_keeps_the_rest_of_what_it_had()
    {
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        QVERIFY(fs::exists(before));
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 0\ninitial = \"" + before.string() + "\"");
        recipe.replace(recipe.find("[model]"), 7, "[model]\nvision_shortcut = 20\nvision_change = true\nsound_shortcut = 12");
        recipe.replace(recipe.find("warmup = 2"), 10, "warmup = 0");
        std::ofstream(root_ / "grown.toml") << recipe;
        TrainOptions grown = options(root_ / "grown");
        grown.recipe = root_ / "grown.toml";
        const TrainReport report = run(grown);
        const model::SafetensorsFile old_file(before), new_file(report.checkpoint);
        QCOMPARE(model::read_config(new_file).vision_shortcut, 20);
        for (const auto& [name, view] : old_file.tensors())
            if (!name.starts_with("score.") && name != "concept.gate.kernel")  // that one reads another thing now
                QVERIFY2(std::ranges::equal(view.data, new_file.at(name).data), name.c_str());
        for (const char* name : {"vision.shortcut.hidden.kernel", "vision.change.kernel", "sound.shortcut.hidden.kernel"})
            QVERIFY2(new_file.contains(name), name);
        Encoder encoder(report.checkpoint);
        QCOMPARE(encoder.dim(), int(tests::kTinyDim));
    }

    void a_network_that_gains_a_tail_learns_in_what_is_named_alone_and_is_blended_with_what_it_was()
    {
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        QVERIFY(fs::exists(before));
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 12\ninitial = \"" + before.string() + "\"");
        recipe.replace(recipe.find("[model]"), 7,
                       "[model]\nvision_tail_rank = 4\nvision_tail_widths = [16, 16, 24]\nvision_tail_expansion = 2");
        std::map<double, model::Parameters> written;
        for (const double blend : {0.0, 0.5, 1.0}) {
            const std::string name = "tail-" + std::to_string(blend);
            std::string own = recipe;
            own.replace(own.find("[run]"), 5, "[run]\nlearning = [\"vision.\"]\nblend = " + std::to_string(blend));
            std::ofstream(root_ / (name + ".toml")) << own;
            TrainOptions grown = options(root_ / name);
            grown.recipe = root_ / (name + ".toml");
            written[blend] = model::load_checkpoint(model::SafetensorsFile(run(grown).checkpoint)).parameters;
        }
        std::ifstream without(root_ / "longer.toml");
        recipe.assign(std::istreambuf_iterator<char>(without), {});
        recipe.replace(recipe.find("[run]"), 5, "[run]\nblend = 0.5");
        std::ofstream(root_ / "nothing.toml") << recipe;
        TrainOptions nothing = options(root_ / "nothing");
        nothing.recipe = root_ / "nothing.toml";
        QVERIFY_THROWS_EXCEPTION(Error, run(nothing));
        const auto had = model::load_checkpoint(model::SafetensorsFile(before)).parameters;
        for (const auto& [name, tensor] : had)
            QVERIFY2(at::equal(written.at(1.0).at(name), tensor) != name.starts_with("vision.") || name.ends_with("_mean")
                         || name.ends_with("_deviation"),
                     name.c_str());
        for (const auto& [name, tensor] : written.at(0.5)) {
            const at::Tensor &old = written.at(0.0).at(name), &learned = written.at(1.0).at(name);
            QVERIFY2(at::allclose(tensor, (old + learned) / 2, 1e-2, 1e-4), name.c_str());
            if (had.contains(name))
                QVERIFY2(at::equal(old, had.at(name)), name.c_str());
        }
        const at::Tensor& up = written.at(1.0).at("vision.tail.blocks.12.expand.up");
        QVERIFY(up.abs().max().item<double>() > 1e-3
                && !written.at(0.0).at("vision.tail.blocks.12.expand.up").any().item<bool>());
        Encoder encoder(root_ / "tail-0.500000/imprint-test.safetensors");
        QCOMPARE(encoder.dim(), int(tests::kTinyDim));
    }

    void a_fresh_network_with_a_tail_takes_the_trunks_stages()
    {
        write_recipe("fresh-tail.toml", false);
        std::ifstream in(root_ / "fresh-tail.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("[model]"), 7,
                       "[model]\nvision_tail_rank = 4\nvision_tail_widths = [16, 16, 24]\nvision_tail_expansion = 2");
        std::ofstream(root_ / "fresh-tail.toml") << recipe;
        TrainOptions fresh = options(root_ / "fresh-tail");
        fresh.recipe = root_ / "fresh-tail.toml";
        const auto made = model::load_checkpoint(model::SafetensorsFile(run(fresh).checkpoint));
        QVERIFY(at::equal(made.parameters.at("trunk.blocks.11.expand.weight"), made.trunk.at("blocks.11.expand.weight")));
        // The statistics of maps are those of the last map, whatever lies in the cache.
        QCOMPARE(made.parameters.at("vision.map_mean").numel(), int64_t{24});
        QVERIFY(made.parameters.at("vision.map_mean").abs().sum().item<double>() > 0);
    }

    void seeds_share_the_features_of_pictures_that_are_not_cropped()
    {
        const std::string whole = tests::tiny_recipe(root_ / "corpus", "fp32");
        std::string recipe = whole.substr(0, whole.find("[[objective]]"));
        recipe.replace(recipe.find("views_per_picture = 1"), 21, "views_per_picture = 0");
        recipe += "[[objective]]\nkind = \"picture-text\"\nbatch = 4\nviews = 0\n";
        for (const char seed : {'1', '2'}) {
            recipe[recipe.find("seed = ") + 7] = seed;
            TrainOptions uncropped = options(root_ / (std::string("uncropped-") + seed));
            uncropped.recipe = root_ / "uncropped.toml";
            std::ofstream(uncropped.recipe) << recipe;
            uncropped.steps = 1;
            run(uncropped);
        }
        const auto caches =
            std::count_if(fs::directory_iterator(root_ / "corpus"), fs::directory_iterator(), [](const auto& entry) {
                const std::string name = entry.path().filename().string();
                return name.starts_with("views-") && name.ends_with("-0");
            });
        QCOMPARE(caches, 1);
    }

    void films_are_told_apart_by_motion_and_sounds_by_name()
    {
        write_recipe("choices.toml", false);
        std::ifstream in(root_ / "choices.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("[model]"), 7, "[model]\nvision_change = true");
        recipe.resize(recipe.find("[[objective]]"));
        recipe += "[[objective]]\nkind = \"film-motion\"\nbatch = 8\n[[objective]]\nkind = \"sound-name\"\nbatch = 8\n";
        std::ofstream(root_ / "choices.toml") << recipe;
        TrainOptions chosen = options(root_ / "choices");
        chosen.recipe = root_ / "choices.toml";
        chosen.steps = 300;
        run(chosen);
        std::map<std::string, std::vector<double>> right, surprise;
        for (const auto& line : metrics_of(root_ / "choices"))
            if (line.contains("objective")) {
                right[line.at("objective")].push_back(line.at("accuracy"));
                surprise[line.at("objective")].push_back(line.at("nce"));
            }
        const auto last = [](const std::vector<double>& all) { return std::accumulate(all.end() - 20, all.end(), 0.0) / 20; };
        QVERIFY2(last(right.at("sound-name")) > 0.8, qPrintable(QString::number(last(right.at("sound-name")))));
        // The tiny random trunk hardly sees the square: what is learned is how many motions there are, three.
        QVERIFY2(last(surprise.at("film-motion")) < std::log(3) + 0.05,
                 qPrintable(QString::number(last(surprise.at("film-motion")))));
    }

    void the_sounds_shortcut_learns_alone_where_no_token_is_kept_data()
    {
        QTest::addColumn<QString>("parts");
        QTest::addColumn<QString>("learning");
        QTest::newRow("what bands do over time") << "sound_shortcut = 12" << R"(["sound.shortcut."])";
        QTest::newRow("convolutions") << "sound_shortcut = 12\nsound_stem_widths = [6, 8, 12]" << R"(["sound.shortcut.", "sound.stem."])";
        QTest::newRow("convolutions, the blocks at half their length")
            << "sound_shortcut = 12\nsound_stem_widths = [6, 8, 12]\nsound_blocks_share = 0.5" << R"(["sound.shortcut.", "sound.stem."])";
    }
    void the_sounds_shortcut_learns_alone_where_no_token_is_kept()
    {
        QFETCH(QString, parts);
        QFETCH(QString, learning);
        const std::string name = std::string("alone") + (parts.contains("stem") ? "-stem" : "") + (parts.contains("share") ? "-share" : "");
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        QVERIFY(fs::exists(before));
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 300\ninitial = \"" + before.string() + "\"");
        recipe.replace(recipe.find("[model]"), 7, "[model]\n" + parts.toStdString());
        recipe.replace(recipe.find("[run]"), 5, "[run]\nlearning = " + learning.toStdString());
        recipe.resize(recipe.find("[[objective]]"));
        const auto views = recipe.find("views_per_picture = ");
        QVERIFY(views != std::string::npos);
        recipe.replace(views, recipe.find('\n', views) - views, "views_per_picture = 5");  // of which no other run left features
        std::ofstream(root_ / (name + ".toml")) << recipe << "[[objective]]\nkind = \"sound-name\"\nbatch = 8\nkeep = 0\n";
        TrainOptions alone = options(root_ / name);
        alone.recipe = root_ / (name + ".toml");
        const auto features = [&] {
            return std::ranges::count_if(fs::directory_iterator(root_ / "corpus"), [](const fs::directory_entry& entry) {
                return entry.is_directory() && entry.path().filename().string().starts_with("views-");
            });
        };
        const auto features_before = features();
        const TrainReport report = run(alone);
        std::vector<double> right;
        for (const auto& line : metrics_of(root_ / name))
            if (line.contains("objective"))
                right.push_back(line.at("accuracy"));
        const double last = std::accumulate(right.end() - 20, right.end(), 0.0) / 20;
        QVERIFY2(last > 0.8, qPrintable(QString::number(last)));
        const model::SafetensorsFile old_file(before), new_file(report.checkpoint);
        // What does not change keeps its score statistics too, and is not looked at.
        for (const auto& [name, view] : old_file.tensors())
            if (name != "score.background_sound")
                QVERIFY2(std::ranges::equal(view.data, new_file.at(name).data), name.c_str());
        QVERIFY(!std::ranges::equal(old_file.at("score.background_sound").data, new_file.at("score.background_sound").data));
        QVERIFY2(features() == features_before, "pictures were looked at that no step draws");
        // What is written goes by statistics of its own: a sound alone gets the vector that it gets in company.
        if (parts.contains("stem")) {
            const model::Checkpoint written = model::load_checkpoint(new_file);
            for (const char* norm : {"sound.stem.input", "sound.stem.0.norm", "sound.stem.2.second.norm"}) {
                const at::Tensor deviation = written.parameters.at(std::string(norm) + ".batch_deviation");
                QVERIFY2((deviation > 0).all().item<bool>() && !at::allclose(deviation, at::ones_like(deviation)), norm);
            }
        }
    }

    void the_finished_model_embeds_everything()
    {
        Encoder encoder(root_ / "whole" / "imprint-test.safetensors");
        QCOMPARE(encoder.model_name(), std::string("imprint-test"));
        QCOMPARE(encoder.dim(), int(tests::kTinyDim));
        QVERIFY(encoder.text_bank().count() >= 256);
        QVERIFY(encoder.background(Modality::Picture).count() > 0 && encoder.background(Modality::Sound).count() > 0);
        const std::vector<std::string> texts{"a cat"};
        QCOMPARE(encoder.encode_texts(texts).count(), 1);
    }

    void every_device_learns_the_same_data()
    {
        QTest::addColumn<QString>("device");
        QTest::addColumn<int>("lanes");
        QTest::newRow("the processor, one lane") << "cpu" << 1;
        QTest::newRow("the processor, three lanes") << "cpu" << 3;
        if (qEnvironmentVariableIntValue("IMPRINT_TEST_CUDA") == 1)
            QTest::newRow("a GPU") << "cuda" << 0;
    }
    void every_device_learns_the_same()
    {
        QFETCH(QString, device);
        QFETCH(int, lanes);
        write_recipe("exact.toml", false);
        const auto losses = [&](const std::string& where, int threads) {
            TrainOptions here = options(root_ / ("exact-" + where + "-" + std::to_string(threads)));
            here.recipe = root_ / "exact.toml";
            here.encoder.device = where;
            here.encoder.threads = threads;
            fs::remove_all(here.run);
            run(here);
            std::vector<double> losses;
            for (const auto& line : metrics_of(here.run))
                if (line.contains("loss"))
                    losses.push_back(line.at("loss"));
            return losses;
        };
        const auto wanted = losses("cpu", 2), found = losses(device.toStdString(), lanes);
        QCOMPARE(found.size(), wanted.size());
        QVERIFY(!wanted.empty());
        for (size_t step = 0; step < wanted.size(); ++step)
            QVERIFY2(std::abs(found[step] - wanted[step]) < 1e-3 * std::abs(wanted[step]),
                     qPrintable(QString("step %1: %2, wanted %3").arg(step).arg(found[step]).arg(wanted[step])));
    }

    void a_run_folder_is_not_overwritten_and_not_resumed_with_another_recipe()
    {
        QVERIFY_THROWS_EXCEPTION(Error, run(options(root_ / "whole")));
        write_recipe("other.toml", false);
        TrainOptions other = options(root_ / "whole");
        other.recipe = root_ / "other.toml";
        other.resume = true;
        QVERIFY_THROWS_EXCEPTION(Error, run(other));
        TrainOptions empty = options(root_ / "nothing-here");
        empty.resume = true;
        QVERIFY_THROWS_EXCEPTION(Error, run(empty));
    }

    void a_corpus_with_a_mistake_is_refused_with_file_and_line_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("line");
        QTest::newRow("an item that is not JSON") << "items.jsonl"
                                                  << "{\"id\":";
        QTest::newRow("an item without its text")
            << "items.jsonl"
            << R"({"id":1,"path":"x","kind":"image","source":"s","role":"pair","split":"train","label":"l","texts":[99999]})";
        QTest::newRow("a pair of nothing") << "text_pairs.tsv"
                                           << "0\t99999\tsynonym";
        QTest::newRow("an unknown role") << "text_roles.tsv"
                                         << "nonsense";
    }
    void a_corpus_with_a_mistake_is_refused_with_file_and_line()
    {
        QFETCH(QString, file);
        QFETCH(QString, line);
        const fs::path copy = root_ / "broken";
        fs::remove_all(copy);
        fs::copy(root_ / "corpus", copy);
        std::ofstream(copy / file.toStdString(), std::ios::app) << line.toStdString() << "\n";
        try {
            Corpus corpus(copy);
            QFAIL("accepted");
        } catch (const Error& error) {
            QVERIFY2(error.subject().find(file.toStdString()) != std::string::npos, error.what());
        }
    }

    void a_run_goes_on_without_the_file_that_it_began_from()
    {
        const fs::path first_file = root_ / "from.safetensors";
        fs::copy_file(root_ / "longer/imprint-test.safetensors", first_file, fs::copy_options::overwrite_existing);
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("steps = 12"), 10, "steps = 12\ninitial = \"" + first_file.string() + "\"");
        std::ofstream(root_ / "from.toml") << recipe;
        TrainOptions begun = options(root_ / "from");
        begun.recipe = root_ / "from.toml";
        begun.log = [&](const std::string&) {
            if (metrics_of(root_ / "from").size() >= 4)
                begun.cancel.cancel();
        };
        QVERIFY(!run(begun).finished);
        fs::remove(first_file);
        TrainOptions resumed = options(root_ / "from");
        resumed.recipe = root_ / "from.toml";
        resumed.resume = true;
        QVERIFY(run(resumed).finished);
    }

    void what_is_mixed_with_other_weights_is_measured_anew()
    {
        const fs::path before = root_ / "longer/imprint-test.safetensors";
        QVERIFY(fs::exists(before));
        std::ifstream in(root_ / "longer.toml");
        std::string recipe(std::istreambuf_iterator<char>(in), {});
        recipe.replace(recipe.find("warmup = 2"), 10, "warmup = 0");
        recipe.replace(recipe.find("seed = 5"), 8, "seed = 6");
        const auto with = [&](const std::string& name, const std::string& begin, const std::string& run_part) {
            std::string changed = recipe;
            changed.replace(changed.find("steps = 12"), 10, "steps = 0" + begin);
            changed.replace(changed.find("[run]"), 5, "[run]\n" + run_part);
            std::ofstream(root_ / (name + ".toml")) << changed;
            TrainOptions one = options(root_ / name);
            one.recipe = root_ / (name + ".toml");
            return run(one).checkpoint;
        };
        const fs::path other = with("other", "", ""),
                       mixed = with("mixed", "\ninitial = \"" + before.string() + "\"",
                                    "learning = [\"sound.\"]\nblend = 0.5\nblend_with = \"" + other.string() + "\"");
        const model::SafetensorsFile old_file(before), new_file(mixed);
        for (const char* name : {"score.text_bank", "score.background_picture", "score.background_sound"})
            QVERIFY2(!std::ranges::equal(old_file.at(name).data, new_file.at(name).data), name);
    }

    void a_corpus_of_one_kind_alone_is_refused_before_the_first_step_data()
    {
        QTest::addColumn<QString>("left_out");
        QTest::addColumn<QString>("objective");
        QTest::newRow("no sound") << "sound"
                                  << "picture-text";
        QTest::newRow("no picture") << "image"
                                    << "sound-text";
    }
    void a_corpus_of_one_kind_alone_is_refused_before_the_first_step()
    {
        QFETCH(QString, left_out);
        QFETCH(QString, objective);
        const fs::path copy = root_ / "one-kind";
        fs::remove_all(copy);
        fs::copy(root_ / "corpus", copy, fs::copy_options::recursive);
        std::ifstream all(root_ / "corpus" / "items.jsonl");
        std::ofstream some(copy / "items.jsonl");
        for (std::string line; std::getline(all, line);)
            if (nlohmann::json::parse(line).at("kind") != left_out.toStdString())
                some << line << "\n";
        some.close();
        std::ofstream(copy / "pairs_image_sound.tsv").close();
        const std::string recipe = tests::tiny_recipe(copy, "fp32");
        std::ofstream(root_ / "one-kind.toml") << recipe.substr(0, recipe.find("[[objective]]")) << "[[objective]]\nkind = \""
                                               << objective.toStdString() << "\"\nweight = 1.0\nbatch = 4\n";
        TrainOptions one = options(root_ / "one-kind-run");
        one.recipe = root_ / "one-kind.toml";
        try {
            run(one);
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::Malformed);
            QCOMPARE(error.subject(), copy.string());
            QVERIFY2(error.reason().find(left_out == "sound" ? "no sound" : "no picture") != std::string::npos, error.what());
        }
        QVERIFY(fs::is_empty(root_ / "one-kind-run" / "checkpoints"));
    }

private:
    void write_recipe(const char* name, bool bf16) const
    {
        std::ofstream(root_ / name) << tests::tiny_recipe(root_ / "corpus", bf16 ? "bf16" : "fp32");
    }
    TrainOptions options(const fs::path& run) const
    {
        TrainOptions options;
        options.recipe = root_ / "recipe.toml";
        options.run = run;
        return options;
    }

    QTemporaryDir dir_;
    fs::path root_;
};

QTEST_APPLESS_MAIN(TestTrainer)
#include "tst_trainer.moc"
