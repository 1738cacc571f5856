// SPDX-License-Identifier: Apache-2.0
// Pools and the teacher's vectors, read from a corpus folder written here.
#include <QtTest>

#include <cmath>
#include <fstream>

#include "core/base/error.h"
#include "training/evaluation/pools.h"

using namespace imprint;
using namespace imprint::evaluation;

class TestPools : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir folder_;
    std::filesystem::path corpus() const { return folder_.path().toStdString(); }
    void write_pool(const std::string& name, const std::string& lines) const
    {
        std::filesystem::create_directories(corpus() / "pools");
        std::ofstream(corpus() / "pools" / (name + ".jsonl")) << lines;
    }
    void write_teacher(const std::vector<float>& rows, const std::vector<float>& lemma_mean) const
    {
        std::vector<uint16_t> half;
        for (const float value : rows)
            half.push_back(model::float_to_half(value));
        const auto dim = static_cast<int64_t>(lemma_mean.size());
        const auto lines = static_cast<int64_t>(rows.size()) / dim;
        model::write_safetensors(corpus() / "teacher.safetensors", {},
            {{"vectors", {model::DType::F16, {lines, dim}, std::as_bytes(std::span(half))}},
                {"lemma_mean", {model::DType::F32, {dim}, std::as_bytes(std::span(lemma_mean))}}});
    }

private Q_SLOTS:
    void a_pool_is_read_with_its_fields();
    void one_query_stands_for_each_label();
    void groups_follow_the_splits();
    void labels_that_were_learned_are_told_from_those_that_were_not();
    void a_bad_pool_says_where_data();
    void a_bad_pool_says_where();
    void an_unknown_suite_lists_the_known();
    void the_teacher_is_centred_on_the_lemmas();
    void a_line_that_is_not_there_is_refused();
};

static const char* const photos =
    R"({"path": "gcompris/owl1.webp", "label": "owl", "raw": "owls", "sight": 0, "split": "report", "text": 4, "raw_text": 7}
{"path": "gcompris/tower.webp", "label": "eiffel tower", "raw": "eiffel", "sight": 1, "split": "dev", "text": 5, "raw_text": 8}
{"path": "gcompris/owl2.webp", "label": "owl", "raw": "owl", "sight": 0, "split": "report", "text": 4, "raw_text": 4}
)";

void TestPools::a_pool_is_read_with_its_fields()
{
    write_pool("photos", photos);
    const Pool pool = read_pool(corpus(), "photos");
    QCOMPARE(pool.items.size(), size_t(3));
    QCOMPARE(pool.media, PoolMedia::Picture);
    const Item& item = pool.items[1];
    QCOMPARE(item.file, corpus() / "gcompris/tower.webp");
    QCOMPARE(item.label, std::string("eiffel tower"));
    QCOMPARE(item.raw, std::string("eiffel"));
    QCOMPARE(item.text, 5);
    QCOMPARE(item.raw_text, 8);
    QCOMPARE(item.sight, std::optional<bool>(true));
    QVERIFY(!item.names_a_sound);
    write_pool("sounds", R"({"path": "a.wav", "label": "cow", "names_a_sound": 1, "split": "report"})");
    QCOMPARE(read_pool(corpus(), "sounds").media, PoolMedia::Sound);
}

void TestPools::one_query_stands_for_each_label()
{
    write_pool("photos", photos);
    const Pool pool = read_pool(corpus(), "photos");
    const Queries clean = queries_of(pool), raw = queries_of(pool, true);
    QCOMPARE(clean.labels, (std::vector<std::string>{"eiffel tower", "owl"}));
    QCOMPARE(clean.relevant, (std::vector<std::vector<int>>{{1}, {0, 2}}));
    QCOMPARE(clean.texts, (std::vector<int>{5, 4}));
    QCOMPARE(raw.labels, (std::vector<std::string>{"eiffel", "owl", "owls"}));
    QCOMPARE(raw.texts, (std::vector<int>{8, 4, 7}));
}

void TestPools::groups_follow_the_splits()
{
    write_pool("photos", photos);
    const Pool pool = read_pool(corpus(), "photos");
    QStringList found;
    for (const Group& group : groups_of(pool, queries_of(pool)))
        found << QString("%1: %2").arg(group.name.c_str()).arg(group.queries.size());
    QCOMPARE(found, QStringList({"report: 1", "report, other things: 1", "dev: 1", "all: 2"}));
}

void TestPools::labels_that_were_learned_are_told_from_those_that_were_not()
{
    write_pool("drawings", R"({"path": "a.png", "label": "red car", "source": "tux"}
{"path": "b.png", "label": "owl", "source": "tux"}
{"path": "c.png", "label": "bell", "source": "tux"}
{"path": "d.png", "label": "red car", "source": "elsewhere"})");
    std::ofstream(corpus() / "items.jsonl")
        << R"({"kind": "image", "split": "train", "role": "pair", "source": "tux", "label": "Red car"}
{"kind": "image", "split": "train", "role": "composite", "source": "tux", "label": "owl"}
{"kind": "image", "split": "instance", "role": "pair", "source": "tux", "label": "owl"}
{"kind": "sound", "split": "train", "role": "pair", "source": "tux", "label": "bell"}
)";
    const Pool pool = read_pool(corpus(), "drawings");
    QCOMPARE(pool.items[0].label_learned, std::optional<bool>(true));
    QCOMPARE(pool.items[1].label_learned, std::optional<bool>(false)); // pasted on a photograph, or kept apart: not learned by name
    QCOMPARE(pool.items[2].label_learned, std::optional<bool>(false)); // heard, not seen
    QVERIFY(!pool.items[3].label_learned); // nothing was learned from there
    QStringList found;
    for (const Group& group : groups_of(pool, queries_of(pool)))
        found << QString("%1: %2").arg(group.name.c_str()).arg(group.queries.size());
    QVERIFY2(found.contains("labels that training items bear: 1") && found.contains("labels that none bears: 2"),
             qPrintable(found.join(", ")));
    std::ofstream(corpus() / "items.jsonl") << "{}\n";
    QVERIFY_THROWS_EXCEPTION(Error, read_pool(corpus(), "drawings"));
    std::filesystem::remove(corpus() / "items.jsonl");
    QVERIFY(!read_pool(corpus(), "drawings").items[0].label_learned);
}

void TestPools::a_bad_pool_says_where_data()
{
    QTest::addColumn<QString>("lines");
    QTest::addColumn<QString>("says");
    QTest::newRow("not JSON") << "{\"path\": \"a\", \"label\": \"b\"}\nowl\n"
                              << "photos.jsonl:2";
    QTest::newRow("no label") << "{\"path\": \"a\"}\n"
                              << "label";
    QTest::newRow("a label of another type") << "{\"path\": \"a\", \"label\": 3}\n"
                                             << "photos.jsonl:1";
    QTest::newRow("empty") << ""
                           << "empty";
}

void TestPools::a_bad_pool_says_where()
{
    QFETCH(QString, lines);
    QFETCH(QString, says);
    write_pool("photos", lines.toStdString());
    try {
        read_pool(corpus(), "photos");
        QFAIL("was read");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::Malformed);
        QVERIFY2(QString(error.what()).contains(says), error.what());
    }
}

void TestPools::an_unknown_suite_lists_the_known()
{
    try {
        read_pool(corpus(), "imagenet");
        QFAIL("was read");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), ErrorKind::Usage);
        QVERIFY2(QString(error.what()).contains("own_sounds"), error.what());
    }
}

void TestPools::the_teacher_is_centred_on_the_lemmas()
{
    write_teacher({1, 0, 0, /* second line */ 1, 2, 2}, {1, 0, 0});
    const Teacher teacher(corpus());
    QCOMPARE(teacher.dim(), 3);
    const std::vector<float> vector = teacher.centred(1);
    const float expected = 1 / std::sqrt(2.0f);
    QCOMPARE(vector, (std::vector<float>{0, expected, expected}));
}

void TestPools::a_line_that_is_not_there_is_refused()
{
    write_teacher({1, 0, 0}, {0, 0, 0});
    const Teacher teacher(corpus());
    QVERIFY_THROWS_EXCEPTION(Error, teacher.centred(1));
    QVERIFY_THROWS_EXCEPTION(Error, teacher.centred(-1));
}

QTEST_APPLESS_MAIN(TestPools)
#include "tst_pools.moc"
