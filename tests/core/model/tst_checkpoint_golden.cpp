// SPDX-License-Identifier: Apache-2.0
// Checkpoints of every version ever written stay loadable and keep giving the vectors that they gave then.
#include <QDir>
#include <QTest>

#include <cmath>
#include <fstream>

#include "core/base/error.h"
#include "core/model/checkpoint.h"
#include "tests/core/model/golden_checkpoint.h"

using namespace imprint;
using namespace imprint::model;

namespace {

QString golden_folder() { return IMPRINT_SOURCE_DIR "/tests/data/models"; }

nlohmann::json expected_of(const QString& file)
{
    std::ifstream in(QString(file).replace(".safetensors", ".json").toStdString());
    return nlohmann::json::parse(in);
}

/// Largest difference between two lists of rows; infinite where they are unlike in size.
double difference(const nlohmann::json& a, const nlohmann::json& b)
{
    double most = a.size() == b.size() ? 0 : HUGE_VAL;
    for (size_t row = 0; row < a.size() && most < HUGE_VAL; ++row) {
        most = a[row].size() == b[row].size() ? most : HUGE_VAL;
        for (size_t i = 0; i < a[row].size() && most < HUGE_VAL; ++i)
            most = std::max(most, std::abs(a[row][i].get<double>() - b[row][i].get<double>()));
    }
    return most;
}

}  // namespace

class TestCheckpointGolden : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_version_has_golden_files()
    {
        for (int version = 1; version <= kCheckpointFormat; ++version) {
            const QDir folder(golden_folder() + "/v" + QString::number(version));
            QVERIFY2(!folder.entryList({"*.safetensors"}, QDir::Files).isEmpty(), qPrintable(folder.path()));
        }
    }

    void a_golden_file_still_gives_what_it_gave_data()
    {
        QTest::addColumn<QString>("file");
        for (const QString& version : QDir(golden_folder()).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            for (const QString& name : QDir(golden_folder() + "/" + version).entryList({"*.safetensors"}, QDir::Files))
                QTest::newRow(qPrintable(version + "/" + name)) << golden_folder() + "/" + version + "/" + name;
    }
    void a_golden_file_still_gives_what_it_gave()
    {
        QFETCH(QString, file);
        const nlohmann::json expected = expected_of(file), found = checkpoint_info(SafetensorsFile(file.toStdString()));
        for (const char* key : {"name", "space", "format", "parameters", "encoder_parameters", "trainable_parameters", "provenance"})
            QVERIFY2(found.at(key) == expected.at(key), key);
        // Fields that came later have the value that means "as before"; those of its day are what they were.
        for (const auto& [field, value] : expected.at("config").items())
            QVERIFY2(found.at("config").at(field) == value, field.c_str());

        Encoder encoder(file.toStdString(), {"cpu", "fp32", 1});
        const nlohmann::json vectors = tests::golden_vectors(encoder);
        for (const char* modality : {"picture", "sound", "text"}) {
            const double most = difference(vectors.at(modality), expected.at("vectors").at(modality));
            QVERIFY2(most < 1e-4, qPrintable(QString("%1 differs by %2").arg(modality).arg(most)));
        }
        QVERIFY(difference(vectors["text"], nlohmann::json{vectors["text"][1], vectors["text"][0]}) > 0.01);
    }

    void saving_an_old_file_again_keeps_every_tensor()
    {
        for (const char* name : {"hybrid", "patch"}) {
            const SafetensorsFile file((golden_folder() + "/v1/" + name + ".safetensors").toStdString());
            const auto path = std::filesystem::path(QDir::tempPath().toStdString())
                / ("golden-" + std::to_string(QCoreApplication::applicationPid()) + ".safetensors");
            save_checkpoint(path, load_checkpoint(file));
            const SafetensorsFile again(path);
            std::filesystem::remove(path);
            QCOMPARE(again.tensors().size(), file.tensors().size());
            for (const auto& [key, view] : file.tensors()) {
                const auto& other = again.at(key);
                QVERIFY2(other.dtype == view.dtype && other.shape == view.shape, key.c_str());
                if (key.rfind("score.", 0) != 0)  // rows are brought to unit length when read
                    QVERIFY2(std::equal(view.data.begin(), view.data.end(), other.data.begin(), other.data.end()), key.c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestCheckpointGolden)
#include "tst_checkpoint_golden.moc"
