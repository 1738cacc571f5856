// SPDX-License-Identifier: Apache-2.0
// What each launcher sets, and what it means.
#include <QTest>

#include <map>

#include "core/base/error.h"
#include "training/distributed/launch.h"

using namespace imprint;
using namespace imprint::training;

using Variables = std::map<std::string, std::string>;
Q_DECLARE_METATYPE(Variables)
Q_DECLARE_METATYPE(imprint::training::Launch)

namespace {

Launch launch_of(const Variables& variables)
{
    return read_launch([&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

}  // namespace

class TestLaunch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_launcher_is_understood_data()
    {
        QTest::addColumn<Variables>("variables");
        QTest::addColumn<Launch>("launch");
        QTest::newRow("nobody") << Variables{} << Launch{};
        QTest::newRow("one by hand") << Variables{{"RANK", "0"}, {"WORLD_SIZE", "1"}} << Launch{};
        QTest::newRow("by hand") << Variables{{"RANK", "1"},
                                              {"WORLD_SIZE", "2"},
                                              {"MASTER_ADDR", "10.0.0.1"},
                                              {"MASTER_PORT", "29500"}}
                                 << Launch{1, 2, 0, "10.0.0.1", 29500, false, ""};
        QTest::newRow("torchrun") << Variables{{"RANK", "5"},
                                               {"WORLD_SIZE", "8"},
                                               {"LOCAL_RANK", "1"},
                                               {"MASTER_ADDR", "a"},
                                               {"MASTER_PORT", "1"},
                                               {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                               {"TORCHELASTIC_RESTART_COUNT", "2"}}
                                  << Launch{5, 8, 1, "a", 1, true, "2"};
        const Variables slurm{{"SLURM_PROCID", "3"},     {"SLURM_STEP_NUM_TASKS", "4"},
                              {"SLURM_LOCALID", "1"},    {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                              {"SLURM_JOB_ID", "40123"}, {"SLURM_NTASKS", "4"}};
        QTest::newRow("Slurm") << slurm << Launch{3, 4, 1, "gpu07", 10123, false, ""};
        Variables told = slurm;
        told.insert({{"MASTER_ADDR", "head"}, {"MASTER_PORT", "4000"}});
        QTest::newRow("Slurm, told where to meet") << told << Launch{3, 4, 1, "head", 4000, false, ""};
        QTest::newRow("a Slurm batch script") << Variables{{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}} << Launch{};
    }
    void every_launcher_is_understood()
    {
        QFETCH(Variables, variables);
        QFETCH(Launch, launch);
        QVERIFY(launch_of(variables) == launch);
    }

    void what_is_missing_or_senseless_is_named_data()
    {
        QTest::addColumn<Variables>("variables");
        QTest::addColumn<QString>("named");
        const Variables good{{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "h"}, {"MASTER_PORT", "1"}};
        const auto with = [&](const char* name, const char* value) {
            Variables changed = good;
            changed[name] = value;
            return changed;
        };
        for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
            Variables missing = good;
            missing.erase(name);
            QTest::addRow("no %s", name) << missing << name;
        }
        QTest::newRow("a rank past the last") << with("RANK", "2") << "RANK";
        QTest::newRow("a rank below the first") << with("RANK", "-1") << "RANK";
        QTest::newRow("a rank that is no number") << with("RANK", "1x") << "RANK";
        QTest::newRow("nobody at all") << with("WORLD_SIZE", "0") << "WORLD_SIZE";
        QTest::newRow("a port past the last") << with("MASTER_PORT", "65536") << "MASTER_PORT";
    }
    void what_is_missing_or_senseless_is_named()
    {
        QFETCH(Variables, variables);
        QFETCH(QString, named);
        try {
            launch_of(variables);
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(int(error.kind()), int(ErrorKind::Usage));
            QCOMPARE(QString::fromStdString(error.subject()), named);
        }
    }

    void the_first_host_of_a_list_data()
    {
        QTest::addColumn<QString>("list");
        QTest::addColumn<QString>("host");
        QTest::newRow("one") << "node1"
                             << "node1";
        QTest::newRow("two") << "node1,node2"
                             << "node1";
        QTest::newRow("a range") << "gpu[07-09,12],cpu1"
                                 << "gpu07";
        QTest::newRow("single numbers") << "n[3,5]"
                                        << "n3";
        QTest::newRow("one number") << "n[3]"
                                    << "n3";
        QTest::newRow("a domain") << "n[3-4].lab,m1"
                                  << "n3.lab";
        QTest::newRow("a dash in the name") << "gpu-a1,gpu-a2"
                                            << "gpu-a1";
    }
    void the_first_host_of_a_list()
    {
        QFETCH(QString, list);
        QFETCH(QString, host);
        QCOMPARE(QString::fromStdString(first_host(list.toStdString())), host);
    }
};

QTEST_APPLESS_MAIN(TestLaunch)
#include "tst_launch.moc"
