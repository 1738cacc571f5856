// SPDX-License-Identifier: Apache-2.0
// A program of a build with CUDA has a CUDA body for every operator that has one for the CPU, and starts without a driver.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <QTest>

#include "core/base/error.h"
#include "core/model/device.h"
#include "kernels/layer_norm.h"

class TestCudaBodies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void every_operator_has_a_cuda_body()
    {
        int operators = 0;
        for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
            if (name.getNamespace() != "imprint")
                continue;
            const auto found = c10::Dispatcher::singleton().findSchema(name);
            QVERIFY2(found && found->hasKernelForDispatchKey(c10::DispatchKey::CPU), name.name.c_str());
            QVERIFY2(found->hasKernelForDispatchKey(c10::DispatchKey::CUDA), name.name.c_str());
            QVERIFY2(found->hasKernelForDispatchKey(c10::DispatchKey::Meta), name.name.c_str());
            ++operators;
        }
        QCOMPARE(operators, 13);
    }

    void what_is_missing_is_the_gpu()
    {
        if (at::hasCUDA())
            return;
        try {
            imprint::model::choose_device("cuda", "--device");
            QFAIL("a GPU where there is none");
        } catch (const imprint::Error& error) {
            QVERIFY2(std::string(error.what()).find("this machine has 0") != std::string::npos, error.what());
        }
    }

    void the_cpu_bodies_still_answer()
    {
        const at::Tensor x = at::randn({3, 8});
        QVERIFY(at::allclose(imprint::kernels::layer_norm(x, at::ones({8})), at::layer_norm(x, {8}, {}, {}, 1e-6), 1e-4, 1e-5));
    }
};

QTEST_APPLESS_MAIN(TestCudaBodies)
#include "tst_cuda_bodies.moc"
