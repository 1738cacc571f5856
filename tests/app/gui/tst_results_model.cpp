// SPDX-License-Identifier: Apache-2.0
// An answer as rows: bands, cut, order, counts, and what is dragged out.
#include <QAbstractItemModelTester>
#include <QMimeData>
#include <QSignalSpy>
#include <QTest>

#include "app/gui/paths.h"
#include "app/gui/results_model.h"
#include "tests/app/gui/gui_fixture.h"

using namespace imprint;
using namespace imprint::gui;
using media::Kind;
using tests::moment;

namespace {

Answer mixed()
{
    return tests::answer(
        {tests::hit("/m/b10.jpg", Kind::Image, {moment(0, 0, 6.0f)}, 300),
         tests::hit("/m/a.mp4", Kind::Video, {moment(5, 9, 5.0f), moment(20, 24, 4.5f), moment(30, 33, 3.0f)}, 100),
         tests::hit("/m/b9.wav", Kind::Audio, {moment(1, 3, 3.5f, Modality::Sound)}, 400),
         tests::hit("/m/c.jpg", Kind::Image, {moment(0, 0, 0.5f)}, 200)});
}

QStringList names(const ResultsModel& model)
{
    QStringList out;
    for (int row = 0; row < model.rowCount(); ++row)
        out << model.index(row).data().toString();
    return out;
}

}  // namespace

class ResultsModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void it_is_a_sound_model_through_every_change()
    {
        ResultsModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.set_answer(mixed());
        model.set_cut(5.5f);
        model.set_cut(-100);
        model.set_order(Order::Newest);
        model.set_answer(tests::answer({}));
        model.set_answer(mixed());
        QCOMPARE(model.rowCount(), 4);
    }

    void stars_given_since_count_until_an_answer_knows_them()
    {
        Answer rated = mixed();
        std::vector<index::FileHit> hits = *rated.hits;
        hits[0].stars = 3;
        rated.hits = std::make_shared<const std::vector<index::FileHit>>(std::move(hits));
        ResultsModel model;
        model.set_answer(rated);
        const auto stars = [&](int row) { return model.index(row).data(ResultsModel::StarsRole).toInt(); };
        QCOMPARE(names(model).front(), QStringLiteral("b10.jpg"));
        QCOMPARE(stars(0), 3);
        QVERIFY(model.index(0).data(Qt::AccessibleTextRole).toString().endsWith("3 stars"));
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        model.set_stars({{"/m/b10.jpg", 0}, {"/m/a.mp4", 1}, {"/m/not shown.jpg", 5}});
        QCOMPARE(changed.count(), 1);
        QCOMPARE(stars(0), 0);
        QVERIFY(model.index(1).data(Qt::AccessibleTextRole).toString().endsWith("1 star"));
        QCOMPARE(model.stars(tests::hit("/m/not shown.jpg", Kind::Image, {})), 5);
        model.set_answer(rated, true);
        QCOMPARE(stars(0), 0);
        model.set_answer(rated);
        QCOMPARE(stars(0), 3);
        QCOMPARE(stars(1), 0);
    }

    void for_noise_only_what_names_found_shows_until_all_is_asked_for()
    {
        Answer noise = mixed();
        std::vector<index::FileHit> hits = *noise.hits;
        hits[2].coverage = 1;
        noise.hits = std::make_shared<const std::vector<index::FileHit>>(std::move(hits));
        noise.meaningless = true;
        ResultsModel model;
        model.set_answer(noise);
        model.set_cut(index::Cut().maybe);
        QCOMPARE(names(model), QStringList{"b9.wav"});
        model.set_cut(-100);
        QCOMPARE(model.rowCount(), 4);
        model.set_cut(index::Cut().maybe);
        QCOMPARE(model.rowCount(), 1);
    }

    void the_cut_hides_files_and_moments_below_it_data()
    {
        QTest::addColumn<float>("cut");
        QTest::addColumn<QStringList>("rows");
        QTest::addColumn<int>("moments_of_video");
        QTest::newRow("usual") << 2.5f << QStringList{"b10.jpg", "a.mp4", "b9.wav"} << 3;
        QTest::newRow("likely only") << 4.0f << QStringList{"b10.jpg", "a.mp4"} << 2;
        QTest::newRow("everything") << -100.0f << QStringList{"b10.jpg", "a.mp4", "b9.wav", "c.jpg"} << 3;
    }
    void the_cut_hides_files_and_moments_below_it()
    {
        QFETCH(float, cut);
        ResultsModel model;
        model.set_answer(mixed());
        model.set_cut(cut);
        QTEST(names(model), "rows");
        QTEST(static_cast<int>(model.moments(1).size()), "moments_of_video");
    }

    void bands_are_sections_in_their_order()
    {
        ResultsModel model;
        model.set_answer(mixed());
        model.set_cut(-100);
        QCOMPARE(model.sections().size(), size_t(3));
        QCOMPARE(model.sections()[0].count, 2);
        QCOMPARE(model.sections()[1].count, 1);
        QCOMPARE(model.sections()[2].count, 1);
    }

    void a_band_says_how_much_of_it_is_expected_to_be_wrong()
    {
        std::vector<index::FileHit> hits = *mixed().hits;
        const float down_to[] = {0.1f, 0.2f, 0.5f, 0.6f};  // of the two likely ones a fifth, of the three first half, …
        for (size_t i = 0; i < hits.size(); ++i)
            hits[i].wrong_share = down_to[i];
        ResultsModel model;
        model.set_answer(tests::answer(hits));
        model.set_cut(-100);
        QStringList titles;
        for (const auto& section : model.sections())
            titles << section.title;
        QCOMPARE(titles, QStringList({"LIKELY · about 20 % wrong", "MAYBE · about 100 % wrong", "UNLIKELY · about 90 % wrong"}));
        hits[2].wrong_share = 0.4f;
        model.set_answer(tests::answer(hits));
        QCOMPARE(model.sections()[1].title, QStringLiteral("MAYBE · about 80 % wrong"));
        model.set_cut(5.5f);  // of what the cut leaves
        QCOMPARE(model.sections()[0].title, QStringLiteral("LIKELY · about 10 % wrong"));
        QCOMPARE(model.sections()[1].title, QStringLiteral("MAYBE"));
    }

    void the_bar_counts_moments_and_files_whatever_the_cut()
    {
        ResultsModel model;
        model.set_answer(mixed());
        model.set_cut(5.5f);
        QCOMPARE(model.tally().likely_moments, 3);
        QCOMPARE(model.tally().likely_files, 2);
        QCOMPARE(model.tally().maybe_moments, 2);
        QCOMPARE(model.tally().files, 1);
    }

    void a_moment_that_a_name_has_raised_is_counted_once()
    {
        index::FileHit dog = tests::hit("/m/dog.png", Kind::Image, {moment(0, 0, index::Cut().maybe + 0.1f)});
        dog.score = index::Cut().likely + 1;
        dog.band = index::Band::Likely;
        ResultsModel model;
        model.set_answer(tests::answer({dog}));
        QCOMPARE(model.tally().likely_moments, 1);
        QCOMPARE(model.tally().maybe_moments, 0);
    }

    void orders_sort_as_they_say_data()
    {
        QTest::addColumn<int>("order");
        QTest::addColumn<QStringList>("rows");
        QTest::newRow("newest") << int(Order::Newest) << QStringList{"b9.wav", "b10.jpg", "a.mp4"};
        QTest::newRow("oldest") << int(Order::Oldest) << QStringList{"a.mp4", "b10.jpg", "b9.wav"};
        QTest::newRow("by name, numbers by value") << int(Order::Name) << QStringList{"a.mp4", "b9.wav", "b10.jpg"};
    }
    void orders_sort_as_they_say()
    {
        QFETCH(int, order);
        ResultsModel model;
        model.set_answer(mixed());
        model.set_order(static_cast<Order>(order));
        QTEST(names(model), "rows");
        QCOMPARE(model.sections().size(), size_t(1));
    }

    void what_only_its_name_raised_counts_as_one_moment_of_its_band()
    {
        index::FileHit named = tests::hit("/m/red car.jpg", Kind::Image, {moment(0, 0, 0.5f)});
        named.band = index::Band::Likely;
        index::FileHit without_moments = tests::hit("/m/red cars.mp4", Kind::Video, {});
        without_moments.band = index::Band::Likely;
        ResultsModel model;
        model.set_answer(tests::answer({tests::hit("/m/a.jpg", Kind::Image, {moment(0, 0, 6.0f)}), named, without_moments}));
        QCOMPARE(model.tally().likely_files, 3);
        QCOMPARE(model.tally().likely_moments, 3);
    }

    void dragging_out_keeps_every_byte_of_a_name()
    {
        const std::filesystem::path odd("/m/na\xffme with space%.jpg");
        ResultsModel model;
        model.set_answer(tests::answer({tests::hit(odd, Kind::Image, {moment(0, 0, 6.0f)})}));
        const std::unique_ptr<QMimeData> data(model.mimeData({model.index(0)}));
        const auto back = files_from_others(*data);
        QCOMPARE(back.size(), size_t(1));
        QVERIFY(back.front().native() == odd.native());
    }
};

QTEST_MAIN(ResultsModelTest)
#include "tst_results_model.moc"
