// SPDX-License-Identifier: Apache-2.0
// A run's page from the metrics a run writes: every curve with its values, nothing from outside, nothing that a name can break.
#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include <cmath>

#include "core/base/error.h"
#include "training/log/chart.h"
#include "training/log/report.h"

using namespace imprint;
using namespace imprint::training;

namespace {

void write(const QString& path, const QByteArray& bytes)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
}

QByteArray step_line(int step, const QByteArray& objective, double loss)
{
    return "{\"step\":" + QByteArray::number(step) + ",\"objective\":\"" + objective + "\",\"loss\":" + QByteArray::number(loss)
        + ",\"accuracy\":0.5,\"rate\":" + QByteArray::number(step * 1e-5) + ",\"seconds\":0.5,\"tokens\":4000}\n";
}

/// A run of two objectives with evaluations, expert use and a torn last line.
QByteArray metrics()
{
    QByteArray lines;
    for (int step = 0; step < 200; ++step) {
        lines += step_line(step, step % 2 ? "sound-text" : "picture-text", step % 2 ? 9.0 - step * 0.01 : 5.0 + step * 0.001);
        if (step % 50 == 49)
            lines += "{\"step\":" + QByteArray::number(step + 1) + ",\"dev\":{\"r1\":" + QByteArray::number(step)
                + "},\"dev_teacher\":{\"r1\":33}}\n";
    }
    lines += "{\"step\":198,\"objective\":\"picture-text\",\"expert_use\":[[0.25,0.75],[0.5,0.5]]}\n";
    return lines + "{\"step\":200,\"obj";
}

/// The page's SVG parts must be well-formed XML: HTML forgives, and a forgiven slip hides a curve.
int curves_in(const QString& html)
{
    int paths = 0;
    QRegularExpression svg("<svg.*?</svg>", QRegularExpression::DotMatchesEverythingOption);
    for (auto found = svg.globalMatch(html); found.hasNext();) {
        QXmlStreamReader reader(found.next().captured());
        while (!reader.atEnd())
            if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String("title"))
                ++paths;
        if (reader.hasError())
            return -1;
    }
    return paths;
}

}  // namespace

class TestReport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void metrics_become_curves()
    {
        QTemporaryDir dir;
        write(dir.filePath("metrics.jsonl"), metrics());
        write(dir.filePath("recipe.toml"), "steps = 400\n[[objective]]\nkind = 'picture-text'\nbatch = 192\n");
        const RunMetrics read = read_run_metrics(dir.path().toStdString());
        QCOMPARE(read.damaged_lines, 1);
        QCOMPARE(read.last_step, 199);
        QCOMPARE(read.seconds, 100.0);
        QCOMPARE(read.steps.at("loss").size(), 2u);
        QCOMPARE(read.steps.at("loss").at("sound-text").size(), 100u);
        QCOMPARE(read.steps.at("loss").at("sound-text").back(), (std::pair<int64_t, double>(199, 7.01)));
        QCOMPARE(read.evaluations.at("r1").at("dev").back(), (std::pair<int64_t, double>(200, 199)));
        QCOMPARE(read.evaluations.at("r1").at("dev_teacher").size(), 4u);
        QCOMPARE(read.steps.at("tokens/s").at("sound-text").front().second, 8000.0);
        QCOMPARE(read.steps.at("samples/s").at("picture-text").front().second, 384.0);  // from the recipe's batch
        QCOMPARE(read.steps.at("samples/s").count("sound-text"), 0u);                   // nothing says how many
        QCOMPARE(read.expert_use.at("picture-text"), (ExpertUse{{0.25, 0.75}, {0.5, 0.5}}));
        QVERIFY(!QString::fromStdString(read.name).isEmpty());
    }

    void expert_use_is_the_mean_of_the_last_quarter()
    {
        QTemporaryDir dir;
        QByteArray lines;
        for (int step = 0; step < 8; ++step)
            lines +=
                "{\"step\":" + QByteArray::number(step) + ",\"loss\":1,\"expert_use\":[[" + QByteArray::number(step) + "]]}\n";
        write(dir.filePath("metrics.jsonl"), lines);
        QCOMPARE(read_run_metrics(dir.path().toStdString()).expert_use.at(""), (ExpertUse{{6.5}}));
    }

    void the_page_holds_every_curve_and_needs_nothing_else()
    {
        QTemporaryDir dir;
        write(dir.filePath("metrics.jsonl"), metrics());
        write(dir.filePath("recipe.toml"), "steps = 400\nnote = '</pre><script>alert(1)</script>'\n");
        write_report(dir.path().toStdString(), dir.filePath("page.html").toStdString());
        QFile file(dir.filePath("page.html"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QString html = QString::fromUtf8(file.readAll());
        for (const char* wanted : {"Loss", "Accuracy", "Learning rate", "Tokens per second", "Evaluation: r1", "dev_teacher",
                                   "sound-text", "Expert use", "0.750", "200 of 400 steps", "1:40 in steps", "1 damaged line"})
            QVERIFY2(html.contains(wanted), wanted);
        // loss, accuracy, tokens/s, seconds, tokens: two objectives, raw and smoothed; the rate likewise, once; two evaluations.
        QCOMPARE(curves_in(html), 5 * 2 * 2 + 2 + 2);
        QVERIFY(!html.contains(QRegularExpression("(src|href)\\s*=|url\\(|@import|<script|https?:")));
        QVERIFY(html.contains("&lt;script&gt;"));
        QVERIFY(!QFile::exists(dir.filePath("page.html.part")));
    }

    void a_name_cannot_break_out_of_the_page()
    {
        RunMetrics metrics;
        metrics.name = "<img onerror=x>";
        metrics.steps["a<b"]["\"><script>"] = {{0, 1.0}, {1, 2.0}};
        const QString html = QString::fromStdString(report_html(metrics));
        QVERIFY(!html.contains("<script>"));
        QVERIFY(!html.contains("<img"));
        QVERIFY(html.contains("a&lt;b"));
        QCOMPARE(curves_in(html), 1);
    }

    void long_curves_are_thinned_without_losing_their_mean()
    {
        Curve curve;
        double sum = 0;
        for (int64_t step = 0; step < 30'000; ++step) {
            curve.emplace_back(step, std::sin(static_cast<double>(step)) + 3);
            sum += curve.back().second;
        }
        const Curve thin = thinned(curve, 300);
        QCOMPARE(thin.size(), 300u);
        double thin_sum = 0;
        for (const auto& point : thin)
            thin_sum += point.second;
        QVERIFY(std::abs(thin_sum / 300 - sum / 30'000) < 1e-9);
        QVERIFY(chart_svg("long", {{"a", curve}, {"b", curve}}).size() < 40'000);
        QCOMPARE(thinned(Curve{{1, 2.0}}, 300), (Curve{{1, 2.0}}));
    }

    void smoothing_starts_without_bias_and_keeps_constants()
    {
        QCOMPARE(smoothed({{0, 4.0}, {1, 4.0}, {5, 4.0}}, 0.9).back().second, 4.0);
        QVERIFY(std::abs(smoothed({{0, 1.0}, {1, 3.0}}, 0.5).back().second - 3.5 / 1.5) < 1e-12);
    }

    void ticks_are_round_and_inside_data()
    {
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::addColumn<QList<double>>("expected");
        QTest::newRow("units") << 0.0 << 5.0 << QList<double>{0, 1, 2, 3, 4, 5};
        QTest::newRow("rates") << 0.0 << 1e-3 << QList<double>{0, 2e-4, 4e-4, 6e-4, 8e-4, 1e-3};
        QTest::newRow("negative") << -1.0 << 1.0 << QList<double>{-1, -0.5, 0, 0.5, 1};
        QTest::newRow("steps") << 0.0 << 1299.0 << QList<double>{0, 500, 1000};
        QTest::newRow("nothing between") << 3.0 << 3.0 << QList<double>{3};
    }
    void ticks_are_round_and_inside()
    {
        QFETCH(double, low);
        QFETCH(double, high);
        QFETCH(QList<double>, expected);
        const auto found = ticks(low, high, 5);
        QCOMPARE(static_cast<qsizetype>(found.size()), expected.size());
        for (qsizetype i = 0; i < expected.size(); ++i)
            QVERIFY(std::abs(found[static_cast<size_t>(i)] - expected[i]) < 1e-12);
    }

    void values_that_are_not_finite_leave_a_gap()
    {
        const double nan = std::nan("");
        const std::string svg = chart_svg("loss", {{"a", {{0, 1.0}, {1, nan}, {2, 2.0}, {3, 2.5}}}});
        QVERIFY(svg.find("nan") == std::string::npos);
        QVERIFY(svg.find("inf") == std::string::npos);
        QVERIFY(chart_svg("loss", {{"a", {{0, nan}}}}).find("no finite value") != std::string::npos);
    }

    void a_folder_that_is_no_run_is_refused_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("kind");
        QTest::newRow("no metrics") << QByteArray() << static_cast<int>(ErrorKind::NotFound);
        QTest::newRow("no line of metrics") << QByteArray("hello\n[1]\n{\"a\":1}\n") << static_cast<int>(ErrorKind::Malformed);
    }
    void a_folder_that_is_no_run_is_refused()
    {
        QFETCH(QByteArray, content);
        QFETCH(int, kind);
        QTemporaryDir dir;
        if (!content.isEmpty())
            write(dir.filePath("metrics.jsonl"), content);
        try {
            write_report(dir.path().toStdString(), dir.filePath("page.html").toStdString());
            QFAIL("was accepted");
        } catch (const Error& error) {
            QCOMPARE(static_cast<int>(error.kind()), kind);
            QVERIFY(QString::fromStdString(error.subject()).endsWith("metrics.jsonl"));
        }
        QVERIFY(!QFile::exists(dir.filePath("page.html")));
    }
};

QTEST_APPLESS_MAIN(TestReport)
#include "tst_report.moc"
