// SPDX-License-Identifier: Apache-2.0
// The trunk answers as the reference network does, and gives an image the same bits wherever it stands.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <QTest>

#include "core/base/error.h"
#include "core/model/trunk.h"
#include "tests/core/model/narrow_trunk.h"
#include "tests/core/model/trunk_golden.h"

using namespace imprint;
using namespace imprint::model;
using tests::formula_values;
using tests::narrow_parameters;

namespace
{

Trunk make_trunk(const std::map<std::string, at::Tensor>& parameters)
{
    return Trunk([&](const std::string& name) { return parameters.at(name); });
}

const Trunk& narrow_trunk()
{
    static const Trunk trunk = make_trunk(narrow_parameters());
    return trunk;
}

std::string data_path(const char* name)
{
    return std::string(IMPRINT_SOURCE_DIR) + "/tests/data/trunk/" + name;
}

class Threads
{
public:
    explicit Threads(int count)
        : before_(at::get_num_threads())
    {
        at::set_num_threads(count);
    }
    ~Threads() { at::set_num_threads(before_); }

private:
    int before_;
};

} // namespace

class TrunkTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void answers_as_the_reference_network_does_data()
    {
        QTest::addColumn<bool>("onednn");
        QTest::newRow("in bands, by oneDNN's micro product") << true;
        QTest::newRow("with the operators that every device has") << false;
    }

    void answers_as_the_reference_network_does()
    {
        QFETCH(bool, onednn);
        at::globalContext().setUserEnabledMkldnn(onednn);
        const Trunk trunk = make_trunk(narrow_parameters());
        const auto difference = golden::compare(trunk, SafetensorsFile(data_path("narrow.safetensors")));
        at::globalContext().setUserEnabledMkldnn(true);
        QCOMPARE(difference.pictures, 4);
        QVERIFY2(difference.map < 1e-4, qPrintable(QString::number(difference.map)));
        QVERIFY2(difference.logits < 1e-3, qPrintable(QString::number(difference.logits)));
    }

    void names_every_parameter_once()
    {
        const auto names = Trunk::parameter_names();
        const auto parameters = narrow_parameters();
        QCOMPARE(names.size(), parameters.size());
        QCOMPARE(names.size(), size_t(100));
        std::vector<std::string> asked;
        Trunk([&](const std::string& name) {
            asked.push_back(name);
            return parameters.at(name);
        });
        QCOMPARE(asked, names);
    }

    void an_image_keeps_its_bits_in_any_batch_data()
    {
        QTest::addColumn<int>("batch");
        QTest::addColumn<int>("threads");
        for (const int batch : {1, 3, 8, 11})
            for (const int threads : {1, 2})
                QTest::addRow("batch of %d on %d threads", batch, threads) << batch << threads;
    }

    void an_image_keeps_its_bits_in_any_batch()
    {
        QFETCH(int, batch);
        QFETCH(int, threads);
        constexpr int kImages = 24;
        const at::Tensor pixels = at::randint(0, 256, {kImages, 64, 96, 3}, at::kByte);
        const Threads alone(1);
        const auto expected = narrow_trunk().forward(pixels);
        const Threads some(threads);
        const at::Tensor order = at::randperm(kImages, at::kLong);
        for (int first = 0; first < kImages; first += batch) {
            const at::Tensor chosen = order.slice(0, first, first + batch);
            const auto output = narrow_trunk().forward(pixels.index_select(0, chosen));
            QVERIFY(at::equal(output.map, expected.map.index_select(0, chosen)));
            QVERIFY(at::equal(output.logits, expected.logits.index_select(0, chosen)));
        }
    }

    void full_width_logits_do_not_depend_on_the_place()
    {
        // The classifier is the one product over several images: its rows at lite0's own widths.
        auto parameters = narrow_parameters();
        parameters["classifier.weight"] = formula_values(7, {1000, 1280});
        parameters["classifier.bias"] = formula_values(8, {1000});
        const Trunk trunk = make_trunk(parameters);
        const at::Tensor pixels = at::randint(0, 256, {8, 32, 32, 3}, at::kByte);
        const auto expected = trunk.forward(pixels);
        for (int shift = 0; shift < 8; ++shift) {
            const auto output = trunk.forward(pixels.roll(shift, 0));
            QVERIFY(at::equal(output.logits, expected.logits.roll(shift, 0)));
            QVERIFY(at::equal(trunk.forward(pixels.narrow(0, shift, 1)).logits, expected.logits.narrow(0, shift, 1)));
        }
    }

    void runs_on_the_meta_device()
    {
        auto parameters = narrow_parameters();
        for (auto& [name, tensor] : parameters)
            tensor = tensor.to(at::kMeta);
        const auto output = make_trunk(parameters)
                                .forward(at::empty({5, 160, 320, 3}, at::TensorOptions(at::kByte).device(at::kMeta)));
        QCOMPARE(output.map.sizes().vec(), (std::vector<int64_t>{5, 5, 10, 1280}));
        QCOMPARE(output.logits.sizes().vec(), (std::vector<int64_t>{5, 10}));
        QVERIFY(output.map.is_meta() && output.logits.is_meta());
    }

    void its_map_may_enter_a_recorded_computation()
    {
        const auto output = narrow_trunk().forward(golden::formula_pixels(2, 64, 64));
        QVERIFY(!output.map.requires_grad() && !output.map.is_inference());
        at::Tensor scale = at::ones({1280}).requires_grad_();
        (output.map * scale).sum().backward();
        QVERIFY(at::allclose(scale.grad(), output.map.sum(at::IntArrayRef{0, 1, 2})));
    }

    void takes_weights_of_half_the_precision()
    {
        auto parameters = narrow_parameters();
        for (auto& [name, tensor] : parameters)
            tensor = tensor.to(at::kBFloat16);
        const at::Tensor pixels = golden::formula_pixels(2, 64, 64);
        const auto rounded = make_trunk(parameters).forward(pixels), exact = narrow_trunk().forward(pixels);
        QCOMPARE(rounded.map.scalar_type(), at::kFloat);
        QVERIFY(at::cosine_similarity(rounded.map.flatten(), exact.map.flatten(), 0).item<double>() > 0.999);
    }

    void a_parameter_that_does_not_fit_is_named_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"stem.weight", "blocks.0.project.bias", "blocks.4.depthwise.weight",
                 "blocks.7.project.weight", "head.weight", "classifier.weight"})
            QTest::addRow("%s", name) << name;
    }

    void a_parameter_that_does_not_fit_is_named()
    {
        QFETCH(QString, name);
        for (const at::Tensor& wrong : {at::zeros({4, 4}), at::zeros({2, 2, 2, 2}), at::zeros({}), at::Tensor()}) {
            auto parameters = narrow_parameters();
            parameters[name.toStdString()] = wrong;
            try {
                make_trunk(parameters);
                QFAIL("the trunk took it");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::Malformed);
                QVERIFY(error.subject().find(name.toStdString()) != std::string::npos);
            }
        }
    }
};

QTEST_GUILESS_MAIN(TrunkTest)
#include "tst_trunk.moc"
