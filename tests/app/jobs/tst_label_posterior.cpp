// SPDX-License-Identifier: Apache-2.0
// Probabilities, smoothing, abstention and spans as properties of the arithmetic.
#include <QTest>
#include <cmath>
#include <numeric>
#include <random>

#include "app/jobs/label_posterior.h"

using namespace imprint;
using namespace imprint::jobs;

namespace {

LabelSet set_of(int labels, bool several = false)
{
    LabelSet set;
    set.several = several;
    for (int i = 0; i < labels; ++i)
        set.classes.push_back({"label " + std::to_string(i), {}, {}, -1});
    return set;
}

index::Moment moment(double start, double end) { return {Modality::Picture, start, end}; }

/// Moments of two seconds one after the other; neighbours have this cosine to each other.
struct Track {
    std::vector<index::Moment> moments;
    Vectors vectors{2, {}};

    Track(int count, double cosine, int cut_at = -1)
    {
        double angle = 0;
        for (int i = 0; i < count; ++i) {
            angle += i == cut_at ? std::acos(0.0) : i > 0 ? std::acos(cosine) * (i % 2 ? 1 : -1) : 0;
            moments.push_back(moment(2 * i, 2 * i + 2));
            vectors.append(std::vector<float>{static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
        }
    }
};

}  // namespace

class TestLabelPosterior : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void probabilities_sum_to_one_and_follow_the_scores()
    {
        std::mt19937 random(3);
        std::normal_distribution<float> normal(1, 3);
        LabelSet set = set_of(7);
        set.none = {"nothing", "a wall"};
        for (int round = 0; round < 200; ++round) {
            std::vector<float> scores(9);
            for (float& score : scores)
                score = normal(random);
            const std::vector<double> p = label_probabilities(set, scores, {});
            QVERIFY(std::abs(std::accumulate(p.begin(), p.end(), 0.0) - 1) < 1e-9);
            for (size_t a = 0; a < 7; ++a)
                for (size_t b = 0; b < 7; ++b)
                    QVERIFY(scores[a] <= scores[b] || p[a] >= p[b]);
            const float none = std::max({2.2f, scores[7], scores[8]});
            for (size_t a = 0; a < 7; ++a)
                QVERIFY((scores[a] > none) == (p[a] > p[7]));
        }
    }

    void several_labels_do_not_compete()
    {
        const LabelSet set = set_of(3, true);
        const std::vector<double> p = label_probabilities(set, {9, 9, -5}, {});
        QVERIFY(p[0] > 0.95 && p[1] > 0.95 && p[2] < 0.01);
        QVERIFY(std::abs(p[3] - (1 - p[0])) < 1e-9);
        const Guess guess = decide(set, p, {});
        QVERIFY(guess.decided);
        QCOMPARE(guess.labels, (std::vector<int>{0, 1}));
    }

    void nothing_above_the_background_is_none()
    {
        const Guess guess = decide(set_of(3), label_probabilities(set_of(3), {-1, 0, -2}, {}), {});
        QVERIFY(guess.decided && guess.labels.empty());
    }

    void what_the_labels_cannot_tell_apart_is_left_open()
    {
        const Guess guess = decide(set_of(3), label_probabilities(set_of(3), {6, 6, 5.9f}, {}), {});
        QVERIFY(!guess.decided);
        QCOMPARE(guess.labels.size(), size_t(1));
    }

    void what_kinds_cannot_tell_apart_is_given_to_their_parent()
    {
        LabelSet set = set_of(4);
        set.classes[0].parent = set.classes[1].parent = set.classes[2].parent = 3;
        const Guess guess = decide(set, label_probabilities(set, {6, 6, 5.9f, 0}, {}), {});
        QVERIFY(guess.decided && guess.probability > 0.9);
        QCOMPARE(guess.labels, std::vector<int>{3});
        QCOMPARE(decide(set, label_probabilities(set, {9, 2, 2, 0}, {}), {}).labels, std::vector<int>{0});
    }

    void a_stray_moment_follows_its_neighbours_where_the_picture_holds_on()
    {
        const LabelSet set = set_of(3);
        const std::vector<std::vector<double>> before({{0.8, 0.1, 0.05, 0.05},
                                                       {0.8, 0.1, 0.05, 0.05},
                                                       {0.4, 0.5, 0.05, 0.05},
                                                       {0.8, 0.1, 0.05, 0.05},
                                                       {0.8, 0.1, 0.05, 0.05}});
        const Track alike(5, 0.98);
        auto smoothed = before;
        smooth_labels(set, alike.moments, alike.vectors, {}, smoothed);
        QCOMPARE(decide(set, smoothed[2], {}).labels, std::vector<int>{0});
        for (const auto& row : smoothed)
            QVERIFY(std::abs(std::accumulate(row.begin(), row.end(), 0.0) - 1) < 1e-9);

        const Track unlike(5, 0.0);
        auto untouched = before;
        smooth_labels(set, unlike.moments, unlike.vectors, {}, untouched);
        for (size_t i = 0; i < before.size(); ++i)
            for (size_t s = 0; s < before[i].size(); ++s)
                QVERIFY(std::abs(untouched[i][s] - before[i][s]) < 1e-6);
    }

    void a_cut_lets_go()
    {
        const LabelSet set = set_of(2);
        std::vector<std::vector<double>> probabilities(6, {0.7, 0.2, 0.1});
        for (size_t i = 3; i < 6; ++i)
            probabilities[i] = {0.35, 0.55, 0.1};
        const Track cut(6, 0.99, 3);
        smooth_labels(set, cut.moments, cut.vectors, {}, probabilities);
        for (size_t i = 0; i < 6; ++i)
            QCOMPARE(decide(set, probabilities[i], {}).labels, std::vector<int>{i < 3 ? 0 : 1});
    }

    void smoothing_reads_the_same_backwards()
    {
        std::mt19937 random(5);
        std::uniform_real_distribution<double> uniform(0.01, 1);
        const LabelSet set = set_of(3);
        const Track track(8, 0.9);
        std::vector<std::vector<double>> there(8);
        for (auto& row : there) {
            for (int s = 0; s < 4; ++s)
                row.push_back(uniform(random));
            const double sum = std::accumulate(row.begin(), row.end(), 0.0);
            for (double& value : row)
                value /= sum;
        }
        auto back = there;
        std::reverse(back.begin(), back.end());
        Track mirrored(0, 1);
        for (int i = 7; i >= 0; --i) {
            mirrored.moments.push_back(moment(14 - 2 * i, 16 - 2 * i));
            mirrored.vectors.append(track.vectors.row(i));
        }
        smooth_labels(set, track.moments, track.vectors, {}, there);
        smooth_labels(set, mirrored.moments, mirrored.vectors, {}, back);
        for (size_t i = 0; i < 8; ++i)
            for (size_t s = 0; s < 4; ++s)
                QVERIFY(std::abs(there[i][s] - back[7 - i][s]) < 1e-9);
    }

    void a_thousand_sure_moments_do_not_run_dry()
    {
        const LabelSet set = set_of(2);
        const Track track(1000, 0.999);
        std::vector<std::vector<double>> probabilities(1000, {1 - 2e-12, 1e-12, 1e-12});
        smooth_labels(set, track.moments, track.vectors, {}, probabilities);
        QVERIFY(probabilities[500][0] > 0.999 && std::isfinite(probabilities[999][1]));
    }

    void neighbours_of_one_label_become_one_span()
    {
        const std::vector<index::Moment> moments{
            moment(0, 2), moment(2, 6), moment(6, 7), moment(9, 10), {Modality::Picture, {}, {}}};
        const std::vector<LabelSpan> spans = label_spans(moments, {{1}, {1, 0}, {0}, {0}, {0}}, {0.9, 0.6, 0.6, 0.6, 0.6});
        QCOMPARE(spans.size(), size_t(4));
        QVERIFY(spans[0].label == 1 && spans[0].moment.start == 0.0 && spans[0].moment.end == 6.0);
        QVERIFY(std::abs(spans[0].probability - 0.7) < 1e-9);
        QVERIFY(spans[1].label == 0 && spans[1].moment.start == 2.0 && spans[1].moment.end == 7.0);
        QVERIFY(spans[2].moment.start == 9.0 && !spans[3].moment.start);
    }
};

QTEST_APPLESS_MAIN(TestLabelPosterior)
#include "tst_label_posterior.moc"
