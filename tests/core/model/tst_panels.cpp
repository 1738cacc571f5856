// SPDX-License-Identifier: Apache-2.0
// A matrix in panels multiplies as the matrix does, whatever its sizes.
#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <QTest>

#include <cmath>

#include "core/model/panels.h"

using namespace imprint::model;

class TestPanels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void products_are_those_of_the_matrix_data()
    {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("in");
        QTest::addColumn<int>("out");
        QTest::newRow("one of each") << 1 << 1 << 1;
        QTest::newRow("a patch of the stem") << 112 << 27 << 32;
        QTest::newRow("a panel and a bit, a piece and a bit") << 113 << 16 << 65;
        QTest::newRow("many panels, few rows") << 3 << 24 << 500;
        QTest::newRow("long sums") << 49 << 1152 << 192;
        QTest::newRow("the classifier") << 8 << 1280 << 1000;
    }
    void products_are_those_of_the_matrix()
    {
        QFETCH(int, rows);
        QFETCH(int, in);
        QFETCH(int, out);
        if (!Panels::available())
            return;  // the trunk takes ATen's operators then, which tst_trunk holds to the same answers
        at::manual_seed(1);
        const at::Tensor x = at::randn({rows, in}), weight = at::randn({out, in}) / std::sqrt(in), bias = at::randn({out});
        const Panels panels(weight);
        QCOMPARE(panels.in(), in);
        QCOMPARE(panels.out(), out);
        const at::Tensor exact = at::linear(x.to(at::kDouble), weight.to(at::kDouble));

        at::Tensor sum = at::randn({rows, out});
        const at::Tensor wanted = sum + exact;
        panels.add_product(x.const_data_ptr<float>(), rows, sum.mutable_data_ptr<float>());
        QVERIFY(at::allclose(sum.to(at::kDouble), wanted, 1e-5, 1e-5));

        at::Tensor clamped = at::empty({rows, out});
        panels.clamped_product(x.const_data_ptr<float>(), rows, bias.const_data_ptr<float>(), 1.5f,
                               clamped.mutable_data_ptr<float>());
        QVERIFY(at::allclose(clamped.to(at::kDouble), (exact + bias).clamp(0, 1.5), 1e-5, 1e-5));
    }

    void without_onednn_there_are_none()
    {
        at::globalContext().setUserEnabledMkldnn(false);
        const bool available = Panels::available();
        at::globalContext().setUserEnabledMkldnn(true);
        QVERIFY(!available);
    }
};

QTEST_APPLESS_MAIN(TestPanels)
#include "tst_panels.moc"
