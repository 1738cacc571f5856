// SPDX-License-Identifier: Apache-2.0
// Zero-shot classification: keys, cosines over clips, accuracy by hand; and the keys of a real (tiny) model.
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

#include "tests/support/tiny_checkpoint.h"
#include "training/evaluation/zero_shot.h"

using namespace imprint;
using namespace imprint::evaluation;

namespace {

Vectors rows(int dim, std::vector<float> values) { return {dim, std::move(values)}; }

}  // namespace

class TestZeroShot : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_class_is_the_mean_of_its_prompts()
    {
        const std::vector<Vectors> prompts = {rows(2, {3, 0, 0, 1}), rows(2, {0, -2})};
        const Vectors keys = class_keys(prompts);
        QCOMPARE(keys.count(), 2);
        // (1.5, 0.5) at unit length: prompts are not brought to unit length one by one.
        QVERIFY(std::abs(keys.row(0)[0] - 1.5 / std::sqrt(2.5)) < 1e-5);
        QVERIFY(std::abs(keys.row(0)[1] - 0.5 / std::sqrt(2.5)) < 1e-5);
        QVERIFY(std::abs(keys.row(1)[1] + 1) < 1e-5);
    }

    void an_item_is_the_mean_of_its_clips_cosines()
    {
        const Vectors keys = rows(2, {1, 0, 0, 1});
        const std::vector<Vectors> items = {rows(2, {5, 0}), rows(2, {2, 0, 0, 8})};
        const Scores scores = class_scores(items, keys);
        QVERIFY(std::abs(scores.row(0)[0] - 1) < 1e-5 && std::abs(scores.row(0)[1]) < 1e-5);
        QVERIFY(std::abs(scores.row(1)[0] - 0.5) < 1e-5 && std::abs(scores.row(1)[1] - 0.5) < 1e-5);
    }

    void accuracy_counts_the_first_and_the_first_five()
    {
        Scores scores(4, 7);
        const std::vector<float> falling = {7, 6, 5, 4, 3, 2, 1};
        for (int item = 0; item < 4; ++item)
            std::copy(falling.begin(), falling.end(), scores.row(item).begin());
        std::fill(scores.row(3).begin(), scores.row(3).end(), 0.5f);  // knows nothing
        const std::vector<int> labels = {0, 4, 5, 2};
        const Accuracy result = accuracy(scores, labels);
        const std::vector<double> top1 = {1, 0, 0, 1.0 / 7}, top5 = {1, 1, 0, 5.0 / 7};
        for (size_t i = 0; i < 4; ++i) {
            QVERIFY(std::abs(result.top1[i] - top1[i]) < 1e-12);
            QVERIFY(std::abs(result.top5[i] - top5[i]) < 1e-12);
        }
        QVERIFY(std::abs(result.mean_top1() - (1 + 1.0 / 7) / 4) < 1e-12);
        QCOMPARE(result.per_class[0], 1.0);
        QVERIFY(std::isnan(result.per_class[1]));
    }

    void a_models_keys_tell_its_own_class_names_apart()
    {
        QTemporaryDir dir;
        Encoder encoder(imprint::tests::make_tiny_checkpoint(dir.path().toStdString()), {"cpu", "fp32", 1});
        const training::TextTemplates templates(IMPRINT_SOURCE_DIR "/resources/prompts/picture.txt");
        const std::vector<std::string> classes = {"owl", "red_boat", "piano"};
        const Vectors keys = class_keys(encoder, templates, classes);
        QCOMPARE(keys.count(), 3);
        QCOMPARE(keys.dim, encoder.dim());
        const std::vector<Vectors> prompts = {encoder.encode_texts(templates.all("red boat"))};
        QCOMPARE(prompts[0].count(), 16);
        const Vectors alone = class_keys(prompts);
        QVERIFY(std::equal(alone.values.begin(), alone.values.end(), keys.row(1).begin()));
        std::vector<Vectors> items;
        for (int i = 0; i < 3; ++i)
            items.push_back(rows(keys.dim, {keys.row(i).begin(), keys.row(i).end()}));
        QCOMPARE(accuracy(class_scores(items, keys), std::vector<int>{0, 1, 2}).mean_top1(), 1.0);
        CancelToken cancel;
        cancel.cancel();
        QVERIFY_EXCEPTION_THROWN(class_keys(encoder, templates, classes, cancel), Error);
    }
};

QTEST_GUILESS_MAIN(TestZeroShot)
#include "tst_zero_shot.moc"
