// SPDX-License-Identifier: Apache-2.0
// A run's metrics under the tags that TensorBoard groups them by.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "training/log/run_events.h"

using namespace imprint::training;

class TestRunEvents : public QObject {
    Q_OBJECT

private:
    static QByteArray written(const QTemporaryDir& dir)
    {
        const QStringList files = QDir(dir.path()).entryList({"events.out.tfevents.*"}, QDir::Files);
        QFile file(dir.filePath(files.value(0)));
        return files.size() == 1 && file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    /// A summary value as it stands in the file: its tag, then its number.
    static QByteArray value(const QByteArray& tag, float number)
    {
        QByteArray bytes = QByteArray("\x0a", 1) + static_cast<char>(tag.size()) + tag + '\x15';
        return bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    }

private Q_SLOTS:
    void every_number_gets_its_tag()
    {
        QTemporaryDir dir;
        RunEvents events(dir.path().toStdString(), 0);
        events.add({{"step", 7},
                    {"objective", "sound-text"},
                    {"loss", 2.5},
                    {"rate", 0.25},
                    {"gate", nullptr},
                    {"expert_use", {{0.25, 0.75}, {0.5, 0.125}}}});
        events.add({{"step", 8}, {"dev", {{"r1", 31.5}, {"note", "text"}}}});
        const QByteArray bytes = written(dir);
        QVERIFY(bytes.contains(value("loss/sound-text", 2.5f)));
        QVERIFY(bytes.contains(value("rate", 0.25f)));
        QVERIFY(bytes.contains(value("dev/r1", 31.5f)));
        QVERIFY(bytes.contains(value("expert_use/sound-text/layer 1/expert 2", 0.75f)));
        QVERIFY(bytes.contains(value("expert_use/sound-text/layer 2/expert 2", 0.125f)));
        for (const char* absent : {"gate", "note", "objective", "rate/"})
            QVERIFY2(!bytes.contains(absent), absent);
    }

    void the_recipe_is_a_text()
    {
        QTemporaryDir dir;
        RunEvents events(dir.path().toStdString(), 0);
        events.recipe({{"seed", 1}, {"steps", 20}});
        QVERIFY(written(dir).contains("    {\n     \"seed\": 1,\n     \"steps\": 20\n    }"));
    }
};

QTEST_APPLESS_MAIN(TestRunEvents)
#include "tst_run_events.moc"
