// SPDX-License-Identifier: Apache-2.0
// Which samples draws take, and what an unreadable one costs.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "tests/training/data/files.h"
#include "training/data/sample_reader.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;

namespace {

/// Numbers for samples, some of them unreadable.
class Numbers final : public Source {
public:
    Numbers(int64_t size, std::set<int64_t> broken, ErrorKind kind = ErrorKind::Malformed)
        : size_(size), broken_(std::move(broken)), kind_(kind)
    {
    }
    const std::string& name() const override { return name_; }
    int64_t size() const override { return size_; }
    const std::vector<std::string>& classes() const override { return classes_; }
    Sample sample(int64_t index) const override
    {
        ++opened;
        if (broken_.contains(index))
            throw Error(kind_, "number " + std::to_string(index), "is broken");
        Sample sample;
        sample.name = std::to_string(index);
        return sample;
    }
    mutable std::atomic<int> opened = 0;

private:
    std::string name_ = "numbers";
    std::vector<std::string> classes_;
    int64_t size_;
    std::set<int64_t> broken_;
    ErrorKind kind_;
};

ReaderOptions options(int64_t batch = 8)
{
    ReaderOptions options;
    options.seed = 5;
    options.objective = "picture-text";
    options.batch = batch;
    return options;
}

std::vector<int64_t> walk(SampleReader& reader, int64_t draws, int64_t batch = 8)
{
    std::vector<int64_t> found;
    for (int64_t draw = 0; draw < draws; ++draw)
        for (int64_t index = 0; index < batch; ++index)
            found.push_back(reader.read(draw, index, [](const Sample&) {}));
    return found;
}

}  // namespace

class TestSampleReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_round_meets_each_sample_once_data()
    {
        QTest::addColumn<qint64>("size");
        for (const qint64 size : {1, 2, 3, 7, 64, 65, 1000, 4097})
            QTest::addRow("%lld", static_cast<long long>(size)) << size;
    }
    void every_round_meets_each_sample_once()
    {
        QFETCH(qint64, size);
        std::vector<int64_t> rounds[2];
        for (int64_t round = 0; round < 2; ++round) {
            for (int64_t i = 0; i < size; ++i)
                rounds[round].push_back(shuffled(round * size + i, size, 9));
            std::vector<int64_t> sorted = rounds[round];
            std::sort(sorted.begin(), sorted.end());
            for (int64_t i = 0; i < size; ++i)
                QCOMPARE(sorted[static_cast<size_t>(i)], static_cast<int64_t>(i));
        }
        if (size >= 64)
            QVERIFY(rounds[0] != rounds[1]);
    }

    void a_round_is_well_mixed()
    {
        constexpr int64_t size = 3000;
        double sum = 0;
        int same_order = 0;
        for (int64_t i = 0; i < size; ++i) {
            sum += static_cast<double>(i) * static_cast<double>(shuffled(i, size, 4));
            same_order += i > 0 && shuffled(i, size, 4) == shuffled(i - 1, size, 4) + 1;
        }
        // Place and sample correlate as little as chance has it: a deviation of 1 / √size.
        const double mean = (size - 1) / 2.0, variance = (static_cast<double>(size) * size - 1) / 12;
        QVERIFY(std::abs((sum / size - mean * mean) / variance) < 4 / std::sqrt(static_cast<double>(size)));
        QVERIFY(same_order < 10);
    }

    void draws_are_the_same_in_any_order_and_differ_by_objective()
    {
        const Numbers source(500, {});
        const SampleReader forwards(source, options()), backwards(source, options());
        ReaderOptions other = options();
        other.objective = "sound-text";
        const SampleReader elsewhere(source, other);
        std::vector<int64_t> first(400);
        for (int64_t i = 0; i < 400; ++i)
            first[static_cast<size_t>(i)] = forwards.choice(i / 8, i % 8);
        int equal = 0;
        for (int64_t i = 400; i-- > 0;) {
            QCOMPARE(backwards.choice(i / 8, i % 8), first[static_cast<size_t>(i)]);
            equal += elsewhere.choice(i / 8, i % 8) == first[static_cast<size_t>(i)];
        }
        QVERIFY(equal < 10);
    }

    void an_unreadable_sample_is_replaced_recorded_and_logged_once()
    {
        const Numbers source(200, {3, 77, 150});
        ReaderOptions logging = options();
        std::vector<std::string> lines;
        logging.log = [&](const std::string& line) { lines.push_back(line); };
        SampleReader reader(source, logging);
        const std::vector<int64_t> found = walk(reader, 100);  // four rounds
        QCOMPARE(reader.unreadable().size(), 3u);
        QVERIFY(reader.unreadable().at(77).find("number 77: is broken") != std::string::npos);
        QCOMPARE(lines.size(), 3u);
        QVERIFY(lines[0].find("unreadable sample 1 of numbers") != std::string::npos);
        int replaced = 0;
        for (int64_t i = 0; i < 800; ++i) {
            const int64_t own = reader.choice(i / 8, i % 8), taken = found[static_cast<size_t>(i)];
            QVERIFY(taken != 3 && taken != 77 && taken != 150);
            replaced += own != taken;
        }
        QCOMPARE(replaced, 12);  // each of the three once a round
        SampleReader again(source, options());
        QCOMPARE(walk(again, 100), found);
    }

    void a_resumed_run_passes_over_what_was_recorded()
    {
        const Numbers source(50, {1, 2});
        SampleReader whole(source, options());
        const auto expected = walk(whole, 20);
        SampleReader first(source, options());
        walk(first, 10);
        SampleReader resumed(source, options());
        resumed.restore(first.unreadable());
        const int before = source.opened;
        std::vector<int64_t> rest;
        for (int64_t draw = 10; draw < 20; ++draw)
            for (int64_t index = 0; index < 8; ++index)
                rest.push_back(resumed.read(draw, index, [](const Sample&) {}));
        QCOMPARE(rest, std::vector<int64_t>(expected.begin() + 80, expected.end()));
        QCOMPARE(source.opened - before, 80);  // no second try of a known one
    }

    void what_the_decoder_refuses_counts_too()
    {
        const Numbers source(100, {});
        SampleReader reader(source, options());
        for (int64_t i = 0; i < 100; ++i)
            reader.read(i / 8, i % 8, [](const Sample& sample) {
                if (sample.name == "42")
                    throw Error(ErrorKind::Crashed, sample.name, "the decoder died");
            });
        QCOMPARE(reader.unreadable().size(), 1u);
        QVERIFY(reader.unreadable().contains(42));
    }

    void too_many_end_the_run()
    {
        std::set<int64_t> broken;
        for (int64_t i = 0; i < 300; i += 3)
            broken.insert(i);
        const Numbers source(300, broken);
        ReaderOptions few = options();
        few.most_unreadable = 20;
        SampleReader reader(source, few);
        const QString said = thrown([&] { walk(reader, 38); });
        QVERIFY2(said.startsWith("limit-exceeded|numbers|21 samples cannot be read, where 20 are allowed"), qPrintable(said));
        QCOMPARE(reader.unreadable().size(), 21u);
    }

    void nothing_readable_ends_the_run()
    {
        const Numbers source(2, {0, 1});
        SampleReader reader(source, options());
        QVERIFY(thrown([&] { walk(reader, 1); }).startsWith("limit-exceeded|numbers|"));
    }

    void what_concerns_the_run_is_passed_on_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("stopped on request") << static_cast<int>(ErrorKind::Cancelled);
        QTest::newRow("full disk") << static_cast<int>(ErrorKind::DiskFull);
        QTest::newRow("wrong usage") << static_cast<int>(ErrorKind::Usage);
    }
    void what_concerns_the_run_is_passed_on()
    {
        QFETCH(int, kind);
        const Numbers source(2, {0, 1}, static_cast<ErrorKind>(kind));
        SampleReader reader(source, options());
        QVERIFY(thrown([&] { walk(reader, 1); }).contains("is broken"));
        QVERIFY(reader.unreadable().empty());
    }

    void threads_may_read_at_once()
    {
        const Numbers source(400, {5, 17, 300});
        SampleReader alone(source, options()), together(source, options());
        const auto expected = walk(alone, 100);
        std::vector<int64_t> found(800);
        {
            std::vector<std::jthread> threads;
            for (int64_t t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (int64_t i = t; i < 800; i += 4)
                        found[static_cast<size_t>(i)] = together.read(i / 8, i % 8, [](const Sample&) {});
                });
        }
        QCOMPARE(found, expected);
        QCOMPARE(together.unreadable(), alone.unreadable());
    }
};

QTEST_APPLESS_MAIN(TestSampleReader)
#include "tst_sample_reader.moc"
