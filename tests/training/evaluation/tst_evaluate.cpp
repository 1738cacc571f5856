// SPDX-License-Identifier: Apache-2.0
// The whole evaluation on a corpus of sample media and a tiny checkpoint: what it reports, leaves out and repeats.
#include <QtTest>

#include <cmath>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "tests/support/tiny_checkpoint.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/failure_page.h"

using namespace imprint;
using nlohmann::json;

class TestEvaluate : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path checkpoint_;

    std::filesystem::path corpus() const { return folder_.path().toStdString(); }
    evaluation::EvalOptions options(std::vector<std::string> suites) const
    {
        evaluation::EvalOptions options;
        options.checkpoint = checkpoint_;
        options.corpus = corpus();
        options.suites = std::move(suites);
        options.bootstrap = 200;
        return options;
    }
    void write_pool(const char* name, const std::vector<std::pair<const char*, const char*>>& items) const
    {
        std::ofstream out(corpus() / "pools" / (std::string(name) + ".jsonl"));
        int line = 0;
        for (const auto& [file, label] : items)
            out << json({{"path", std::string(IMPRINT_SOURCE_DIR "/resources/samples/") + file}, {"label", label},
                            {"text", line++}, {"split", "report"}})
                       .dump()
                << "\n";
    }

private Q_SLOTS:
    void initTestCase();
    void pictures_are_reported_beside_all_baselines();
    void file_name_search_is_what_words_give();
    void the_same_seed_gives_the_same_figures();
    void sounds_have_no_picture_baseline();
    void what_cannot_be_decoded_is_listed_and_left_out();
    void every_pool_of_the_corpus_is_meant_by_all();
    void the_table_shows_what_the_document_holds();
    void what_was_missed_is_listed_and_shown();
    void a_page_that_cannot_be_written_is_named();
    void a_cancelled_run_stops();
    void what_is_missing_is_named_data();
    void what_is_missing_is_named();
};

void TestEvaluate::initTestCase()
{
    qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode");
    checkpoint_ = tests::make_tiny_checkpoint(corpus());
    std::filesystem::create_directories(corpus() / "pools");
    write_pool("photos",
        {{"cat.jpg", "cat"}, {"coffee.jpg", "cup of coffee"}, {"two-dogs-at-a-window.jpg", "dog"},
            {"sunset.jpg", "sunset"}, {"drawing-black-dog.png", "dog"}});
    write_pool("sounds", {{"crow.flac", "crow"}, {"tabla.mp3", "drum"}, {"guitar-chord.ogg", "guitar"}});
    constexpr int64_t lines = 5, dim = 32; // the tiny model's joint space
    std::vector<uint16_t> vectors;
    for (int i = 0; i < lines * dim; ++i)
        vectors.push_back(model::float_to_half(static_cast<float>(std::sin(i))));
    const std::vector<float> mean(dim, 0.1f);
    model::write_safetensors(corpus() / "teacher.safetensors", {},
        {{"vectors", {model::DType::F16, {lines, dim}, std::as_bytes(std::span(vectors))}},
            {"lemma_mean", {model::DType::F32, {dim}, std::as_bytes(std::span(mean))}}});
}

void TestEvaluate::pictures_are_reported_beside_all_baselines()
{
    const json pool = evaluation::evaluate(options({"photos"}))["pools"][0];
    QCOMPARE(pool["items"].get<int>(), 5);
    const json group = pool["groups"][0];
    QCOMPARE(group["group"].get<std::string>(), std::string("report"));
    QCOMPARE(group["queries"].get<int>(), 4);
    for (const char* system : {"model", "conse", "conse, own text", "file names", "chance"})
        QVERIFY2(group["systems"].contains(system), system);
    // One of five for three labels, two of five for "dog".
    QVERIFY(std::abs(group["systems"]["chance"]["r1"].get<double>() - (3 * 0.2 + 0.4) / 4) < 1e-12);
    QCOMPARE(group["systems"]["model"]["r5"].get<double>(), 1.0);
    const double difference = group["model_minus_conse"]["r1"];
    QVERIFY(std::abs(difference
                - (group["systems"]["model"]["r1"].get<double>() - group["systems"]["conse"]["r1"].get<double>()))
        < 1e-12);
}

void TestEvaluate::file_name_search_is_what_words_give()
{
    const json systems = evaluation::evaluate(options({"photos"}))["pools"][0]["groups"][0]["systems"];
    // cat, coffee, sunset and drawing-black-dog are named as asked.
    QCOMPARE(systems["file names"]["r1"].get<double>(), 1.0);
}

void TestEvaluate::the_same_seed_gives_the_same_figures()
{
    QCOMPARE(evaluation::evaluate(options({"photos"}))["pools"].dump(),
        evaluation::evaluate(options({"photos"}))["pools"].dump());
}

void TestEvaluate::sounds_have_no_picture_baseline()
{
    const json result = evaluation::evaluate(options({"sounds"}));
    const json group = result["pools"][0]["groups"][0];
    QCOMPARE(result["pools"][0]["items"].get<int>(), 3);
    QVERIFY(group["systems"].contains("model"));
    QVERIFY(!group["systems"].contains("conse"));
    QVERIFY(!group.contains("model_minus_conse"));
}

void TestEvaluate::what_cannot_be_decoded_is_listed_and_left_out()
{
    write_pool(
        "drawings", {{"drawing-guitar.png", "guitar"}, {"../ATTRIBUTION.md", "text"}, {"drawing-tram.png", "tram"}});
    const json pool = evaluation::evaluate(options({"drawings"}))["pools"][0];
    std::filesystem::remove(corpus() / "pools" / "drawings.jsonl");
    QCOMPARE(pool["items"].get<int>(), 2);
    QCOMPARE(pool["failed"].size(), size_t(1));
    QVERIFY(pool["failed"][0]["file"].get<std::string>().ends_with("ATTRIBUTION.md"));
    QCOMPARE(pool["groups"][0]["queries"].get<int>(), 2);
}

void TestEvaluate::every_pool_of_the_corpus_is_meant_by_all()
{
    const json result = evaluation::evaluate(options({}));
    QCOMPARE(result["pools"].size(), size_t(2));
    QCOMPARE(result["pools"][0]["pool"].get<std::string>(), std::string("photos"));
    QCOMPARE(result["pools"][1]["pool"].get<std::string>(), std::string("sounds"));
}

void TestEvaluate::the_table_shows_what_the_document_holds()
{
    const json result = evaluation::evaluate(options({"photos"}));
    const QString table = QString::fromStdString(evaluation::readable_table(result));
    for (const char* word : {"photos", "4 queries over 5 items", "model - conse", "file names", "chance", "25.0"})
        QVERIFY2(table.contains(word), qPrintable(table));
}

void TestEvaluate::what_was_missed_is_listed_and_shown()
{
    std::vector<std::pair<std::string, std::string>> items;
    for (const auto& entry : std::filesystem::directory_iterator(IMPRINT_SOURCE_DIR "/resources/samples"))
        if (const std::string type = entry.path().extension(); type == ".jpg" || type == ".png")
            items.emplace_back(entry.path().filename(), "<" + entry.path().stem().string() + ">");
    std::sort(items.begin(), items.end());
    std::vector<std::pair<const char*, const char*>> rows;
    for (const auto& [file, label] : items)
        rows.emplace_back(file.c_str(), label.c_str());
    std::ofstream out(corpus() / "pools" / "drawings.jsonl");
    for (const auto& [file, label] : rows)
        out << json({{"path", std::string(IMPRINT_SOURCE_DIR "/resources/samples/") + file}, {"label", label}, {"text", 0}}).dump()
            << "\n";
    out.close();

    const json result = evaluation::evaluate(options({"drawings"}));
    const json& pool = result["pools"][0];
    const json& misses = pool["misses"];
    const json& group = pool["groups"][0];
    const double found = group["systems"]["model"]["r10"];
    QVERIFY(!misses.empty()); // of random weights and more than ten items
    QCOMPARE(double(misses.size()), std::round((1 - found) * group["queries"].get<double>()));
    const std::string page = evaluation::failure_page(result);
    double before = 1e9;
    for (const json& miss : misses) {
        const double rank = miss["rank"];
        QVERIFY(rank > 10 && rank <= before);
        before = rank;
        const std::string asked = miss["asked"];
        const std::filesystem::path right = miss["right"][0].get<std::string>();
        QCOMPARE("<" + right.stem().string() + ">", asked);
        std::set<std::string> first;
        for (const json& shown : miss["first"]) {
            QVERIFY(shown["file"] != right.string());
            first.insert(shown["file"]);
        }
        QCOMPARE(first.size(), size_t(4));
        QVERIFY(page.find("&lt;" + right.stem().string() + "&gt;") != page.npos);
    }
    QVERIFY(page.find("data:image/") != page.npos);
    QVERIFY(page.find("<script") == page.npos);

    evaluation::EvalOptions few = options({"drawings"});
    few.misses = 1;
    QCOMPARE(evaluation::evaluate(few)["pools"][0]["misses"], json::array({misses[0]}));
    std::filesystem::remove(corpus() / "pools" / "drawings.jsonl");
}

void TestEvaluate::a_page_that_cannot_be_written_is_named()
{
    const json result = {{"checkpoint", {{"file", "a"}, {"space", "b"}}}, {"pools", json::array()}};
    try {
        evaluation::write_failure_page(result, "/nowhere/page.html");
        QFAIL("written");
    } catch (const Error& error) {
        QCOMPARE(error.subject(), "/nowhere/page.html");
    }
    const std::filesystem::path page = corpus() / "page.html";
    evaluation::write_failure_page(result, page);
    QVERIFY(std::filesystem::file_size(page) > 0);
    QVERIFY(!std::filesystem::exists(page.native() + ".part"));
}

void TestEvaluate::a_cancelled_run_stops()
{
    auto stopped = options({"photos"});
    stopped.cancel.cancel();
    try {
        evaluation::evaluate(stopped);
        QFAIL("went on");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::Cancelled);
    }
}

void TestEvaluate::what_is_missing_is_named_data()
{
    QTest::addColumn<QString>("corpus");
    QTest::addColumn<QString>("suite");
    QTest::addColumn<QString>("says");
    QTest::newRow("no corpus") << "nowhere"
                               << "photos"
                               << "nowhere";
    QTest::newRow("no corpus, all of it") << "nowhere"
                                          << "all"
                                          << "nowhere/pools";
    QTest::newRow("no such pool") << ""
                                  << "words"
                                  << "words.jsonl";
    QTest::newRow("no such suite") << ""
                                   << "imagenet"
                                   << "imagenet";
}

void TestEvaluate::what_is_missing_is_named()
{
    QFETCH(QString, corpus);
    QFETCH(QString, suite);
    QFETCH(QString, says);
    auto wanted = options({suite.toStdString()});
    if (!corpus.isEmpty())
        wanted.corpus = this->corpus() / corpus.toStdString();
    try {
        evaluation::evaluate(wanted);
        QFAIL("was evaluated");
    } catch (const Error& error) {
        QVERIFY2(QString(error.what()).contains(says), error.what());
    }
}

QTEST_APPLESS_MAIN(TestEvaluate)
#include "tst_evaluate.moc"
