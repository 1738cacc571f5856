// SPDX-License-Identifier: Apache-2.0
// The CPU device runs a sound kernel under any schedule and catches the mistakes of unsound ones.
#include <ATen/ATen.h>
#include <QTest>

#include "tests/kernels/cuda_on_cpu/broken.h"
#include "tests/kernels/cuda_on_cpu/device.h"

using namespace imprint::cuda_on_cpu;

using Launcher = cudaError_t (*)(const float*, float*, int);
Q_DECLARE_METATYPE(Launcher)

class TestCudaOnCpu : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_sound_kernel_runs_under_any_schedule_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 0; seed < 20; ++seed)
            QTest::addRow("schedule %d", seed) << seed;
    }
    void a_sound_kernel_runs_under_any_schedule()
    {
        QFETCH(int, seed);
        const Device device(static_cast<uint64_t>(seed));
        const at::Tensor in = at::arange(192, at::kFloat), out = at::empty({3});
        QVERIFY(out.isnan().all().item<bool>());
        QCOMPARE(sum_right(in.const_data_ptr<float>(), out.mutable_data_ptr<float>(), 3), cudaSuccess);
        QVERIFY2(device.fault().empty(), device.fault().c_str());
        QVERIFY(at::equal(out, in.view({3, 64}).sum(1)));
        QCOMPARE(device.launches(), 1);
        QCOMPARE(device.threads(), 192);
    }

    void mistakes_are_caught_data()
    {
        QTest::addColumn<Launcher>("launcher");
        QTest::addColumn<QString>("fault");
        const auto row = [](const char* name, Launcher launcher, const char* fault) { QTest::newRow(name) << launcher << fault; };
        row("a missing barrier", sum_without_barrier, "shared memory");
        row("a read past the end", sum_past_the_end, "reads 4 bytes outside of every tensor");
        row("a read before the start", sum_before_the_start, "reads 4 bytes outside of every tensor");
        row("a read past a shared array", sum_past_the_shared_array, "an index past the end of its array");
        row("a read of unwritten shared memory", sum_of_unwritten_shared_memory, "shared memory that its block has not written");
        row("threads at different barriers", sum_with_a_divergent_barrier, "threads wait at different barriers");
        row("a thread that leaves before a barrier", sum_with_an_early_return, "that others have left without");
        row("sixteen bytes askew", sum_by_misaligned_packs, "alignment");
        row("blocks that write one place", sum_into_one_place, "another block has written it");
        row("an exchange that lanes do not come to", sum_of_half_a_warp, "an exchange that others do not come to");
    }
    void mistakes_are_caught()
    {
        QFETCH(Launcher, launcher);
        QFETCH(QString, fault);
        for (uint64_t seed = 0; seed < 5; ++seed) {
            const Device device(seed);
            const at::Tensor in = at::ones({192}), out = at::empty({3});
            QCOMPARE(launcher(in.const_data_ptr<float>(), out.mutable_data_ptr<float>(), 3), cudaErrorLaunchFailure);
            QVERIFY2(QString::fromStdString(device.fault()).contains(fault), device.fault().c_str());
        }
    }

    void a_fault_does_not_spoil_the_next_launch()
    {
        const Device device(1);
        const at::Tensor in = at::ones({64}), out = at::empty({1});
        QCOMPARE(sum_past_the_end(in.const_data_ptr<float>(), out.mutable_data_ptr<float>(), 1), cudaErrorLaunchFailure);
        QCOMPARE(sum_right(in.const_data_ptr<float>(), out.mutable_data_ptr<float>(), 1), cudaSuccess);
        QCOMPARE(out.item<float>(), 64.0f);
    }
};

QTEST_APPLESS_MAIN(TestCudaOnCpu)
#include "tst_cuda_on_cpu.moc"
