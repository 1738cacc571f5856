// SPDX-License-Identifier: Apache-2.0
// `imprint report` as scripts see it.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "tests/app/cli/command.h"

using namespace imprint::tests;

class TestCliReport : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_run_becomes_a_page_beside_it_or_where_it_is_wanted()
    {
        QTemporaryDir dir;
        QFile metrics(dir.filePath("metrics.jsonl"));
        QVERIFY(metrics.open(QIODevice::WriteOnly));
        metrics.write("{\"step\":0,\"objective\":\"picture-text\",\"loss\":5.5,\"rate\":0.001,\"seconds\":1}\n");
        metrics.close();
        const Command imprint("unused", "unused");
        const Said said = imprint({"report", dir.path()}, false);
        QCOMPARE(said.code, 0);
        QCOMPARE(said.out.trimmed(), dir.filePath("report.html").toUtf8());
        QFile page(dir.filePath("report.html"));
        QVERIFY(page.open(QIODevice::ReadOnly));
        QVERIFY(page.readAll().contains("picture-text <b>5.5</b>"));

        const Said other = imprint({"report", dir.path(), "--out", dir.filePath("other.html"), "--json"}, false);
        QCOMPARE(other.code, 0);
        QCOMPARE(other.json()["report"].toString(), dir.filePath("other.html"));
        QVERIFY(QFile::exists(dir.filePath("other.html")));
    }

    void a_folder_that_is_no_run_is_said()
    {
        QTemporaryDir dir;
        const Said said = Command("unused", "unused")({"report", dir.path()}, false);
        QCOMPARE(said.code, 3);
        QVERIFY(said.err.contains("metrics.jsonl"));
        QVERIFY(said.out.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestCliReport)
#include "tst_cli_report.moc"
