// SPDX-License-Identifier: Apache-2.0
// One thing after another in the same file: the best pair, and the best files, are those of trying everything.
#include "index/sequence.h"
#include "tests/index/search_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

/// Every pair tried.
std::optional<double> by_hand(const std::vector<Moment>& moments, const std::vector<double>& first,
                              const std::vector<double>& second, double within)
{
    std::optional<double> best;
    for (size_t a = 0; a < moments.size(); ++a)
        for (size_t b = 0; b < moments.size(); ++b)
            if (moments[a].start && moments[b].start && *moments[b].start > *moments[a].start
                && *moments[b].start <= *moments[a].end + within)
                best = std::max(best.value_or(-1e9), std::min(first[a], second[b]));
    return best;
}

}  // namespace

class TestSequence : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void a_pair_needs_order_and_nearness_data();
    void a_pair_needs_order_and_nearness();
    void files_come_as_if_every_pair_was_tried_data();
    void files_come_as_if_every_pair_was_tried();

private:
    std::unique_ptr<SearchFixture> fixture_;
};

void TestSequence::a_pair_needs_order_and_nearness_data()
{
    QTest::addColumn<double>("second_start");
    QTest::addColumn<double>("within");
    QTest::addColumn<bool>("found");
    QTest::newRow("right after") << 15.0 << 0.0 << true;
    QTest::newRow("overlapping, but later") << 12.0 << 0.0 << true;
    QTest::newRow("at the same time") << 10.0 << 5.0 << false;
    QTest::newRow("before") << 5.0 << 100.0 << false;
    QTest::newRow("in time") << 20.0 << 5.0 << true;
    QTest::newRow("too late") << 20.5 << 5.0 << false;
}

void TestSequence::a_pair_needs_order_and_nearness()
{
    QFETCH(double, second_start);
    QFETCH(double, within);
    QFETCH(bool, found);
    const std::vector<MomentHit> first{{{Modality::Picture, 10, 15}, 5, Band::Likely}};
    const std::vector<MomentHit> second{{{Modality::Sound, second_start, second_start + 5}, 3, Band::Maybe},
                                        {{Modality::Picture, {}, {}}, 9, Band::Likely}};
    const auto pair = best_pair(first, second, within);
    QCOMPARE(pair.has_value(), found);
    if (found) {
        QCOMPARE(pair->score, 3.0f);
        QVERIFY(pair->band == Band::Maybe);
        QCOMPARE(*pair->moment.start, 10.0);
        QCOMPARE(*pair->moment.end, second_start + 5);
    }
}

void TestSequence::files_come_as_if_every_pair_was_tried_data()
{
    QTest::addColumn<int>("k");
    QTest::addColumn<double>("within");
    QTest::addColumn<bool>("sound_only");
    QTest::newRow("one") << 1 << 10.0 << false;
    QTest::newRow("ten") << 10 << 0.0 << false;
    QTest::newRow("more than there are") << 1000 << 30.0 << false;
    QTest::newRow("sounds") << 7 << 5.0 << true;
}

void TestSequence::files_come_as_if_every_pair_was_tried()
{
    QFETCH(int, k);
    QFETCH(double, within);
    QFETCH(bool, sound_only);
    Library library = fixture_->writer();
    fixture_->fill(library, 1500);
    Searcher searcher(fixture_->folder());
    Query first = fixture_->query(k), second = fixture_->query(k);
    if (sound_only)
        first.filter.modalities = {Modality::Sound};
    std::vector<double> wanted;
    for (const auto& [path, file] : fixture_->reference.files()) {
        std::vector<double> a = Reference::scores(file, first.vector, kBackground);
        std::vector<double> b = Reference::scores(file, second.vector, kBackground);
        std::vector<Moment> moments = file.moments;
        for (size_t i = moments.size(); sound_only && i-- > 0;)
            if (moments[i].modality != Modality::Sound) {
                const auto at = static_cast<std::ptrdiff_t>(i);
                moments.erase(moments.begin() + at), a.erase(a.begin() + at), b.erase(b.begin() + at);
            }
        if (const auto best = by_hand(moments, a, b, within))
            wanted.push_back(*best);
    }
    std::sort(wanted.rbegin(), wanted.rend());
    wanted.resize(std::min(wanted.size(), static_cast<size_t>(k)));
    const std::vector<FileHit> hits = searcher.sequence(first, kBackground, second, kBackground, within);
    QCOMPARE(hits.size(), wanted.size());
    for (size_t i = 0; i < hits.size(); ++i) {
        QVERIFY(std::abs(hits[i].score - wanted[i]) < 1e-4);
        QCOMPARE(hits[i].moments.size(), size_t(1));
        QVERIFY(*hits[i].moments.front().moment.end > *hits[i].moments.front().moment.start);
    }
}

QTEST_APPLESS_MAIN(TestSequence)
#include "tst_sequence.moc"
