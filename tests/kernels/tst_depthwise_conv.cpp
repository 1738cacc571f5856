// SPDX-License-Identifier: Apache-2.0
// depthwise_conv equals a grouped convolution with TensorFlow's padding, and its bits do not depend on company.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <QTest>

#include "kernels/cuda_bodies.h"
#include "kernels/depthwise_conv.h"
#include "kernels/depthwise_conv_cpu.h"
#include "tests/kernels/bodies.h"

using imprint::kernels::depthwise_conv;

namespace {

struct Case {
    int64_t batch, height, width, channels, kernel, stride;
};

constexpr Case kCases[] = {
    {2, 112, 112, 32, 3, 1}, {1, 112, 112, 96, 3, 2}, {2, 56, 56, 144, 5, 2}, {3, 28, 28, 240, 5, 1}, {2, 14, 14, 480, 3, 1},
    {2, 14, 14, 672, 5, 2},  {4, 7, 7, 1152, 5, 1},   {2, 7, 7, 1152, 3, 1},  {2, 6, 8, 64, 5, 1},    {2, 10, 5, 64, 3, 1},
    {1, 1, 1, 16, 3, 1},     {1, 1, 1, 16, 5, 2},     {2, 2, 3, 17, 5, 1},    {2, 3, 2, 1, 5, 2},     {1, 13, 9, 7, 3, 2},
    {1, 9, 13, 33, 5, 2},    {1, 5, 40, 40, 3, 1},    {0, 8, 8, 16, 3, 1},
};

struct Arguments {
    at::Tensor input, weight, bias;
};

Arguments random_arguments(const Case& c)
{
    return {at::rand({c.batch, c.height, c.width, c.channels}).mul_(6),
            at::randn({c.kernel, c.kernel, c.channels}).div_(static_cast<double>(c.kernel)), at::randn({c.channels})};
}

at::Tensor by_grouped_convolution(const Arguments& a, int64_t stride, double high)
{
    const int64_t kernel = a.weight.size(0);
    const auto padding = [&](int64_t in) {
        return std::max<int64_t>(((in + stride - 1) / stride - 1) * stride + kernel - in, 0);
    };
    const int64_t down = padding(a.input.size(1)), across = padding(a.input.size(2));
    const at::Tensor padded = at::constant_pad_nd(a.input.to(at::kDouble).permute({0, 3, 1, 2}),
                                                  {across / 2, across - across / 2, down / 2, down - down / 2});
    const at::Tensor filters = a.weight.to(at::kDouble).permute({2, 0, 1}).unsqueeze(1);
    return at::conv2d(padded, filters, a.bias.to(at::kDouble), stride, at::IntArrayRef{0}, 1, a.input.size(3))
        .clamp(0, high)
        .permute({0, 2, 3, 1});
}

void add_cases()
{
    QTest::addColumn<int>("index");
    for (int i = 0; i < static_cast<int>(std::size(kCases)); ++i) {
        const Case& c = kCases[i];
        QTest::addRow("%d of %dx%dx%d, filter %d, stride %d", int(c.batch), int(c.height), int(c.width), int(c.channels),
                      int(c.kernel), int(c.stride))
            << i;
    }
}

// What the CPU device sees: every filter, stride and edge, but fewer pixels and channels.
struct SmallCase {
    const char* name;
    Case sizes;
};

constexpr SmallCase kSmallCases[] = {
    {"3×3", {2, 9, 7, 32, 3, 1}},         {"3×3, every second", {1, 10, 7, 16, 3, 2}},
    {"5×5", {1, 6, 8, 20, 5, 1}},         {"5×5, every second", {2, 7, 9, 8, 5, 2}},
    {"odd channels", {1, 5, 6, 7, 3, 1}}, {"one pixel", {1, 1, 1, 16, 5, 2}},
    {"one channel", {2, 3, 2, 1, 5, 2}},  {"no items", {0, 8, 8, 16, 3, 1}},
};

}  // namespace

class DepthwiseConvTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { at::manual_seed(3); }

    void equals_a_grouped_convolution_data() { add_cases(); }
    void equals_a_grouped_convolution()
    {
        QFETCH(int, index);
        const Case& c = kCases[index];
        const auto a = random_arguments(c);
        for (const double high : {6.0, 1.5}) {
            const at::Tensor output = depthwise_conv(a.input, a.weight, a.bias, c.stride, high);
            const at::Tensor expected = by_grouped_convolution(a, c.stride, high);
            QCOMPARE(output.sizes().vec(), expected.sizes().vec());
            QVERIFY(output.is_contiguous());
            QVERIFY(at::allclose(output.to(at::kDouble), expected, 1e-5, 1e-5));
        }
    }

    void is_alike_on_every_device_data() { imprint::test::add_rows(kSmallCases); }
    void is_alike_on_every_device()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kSmallCases[index].sizes;
        const auto a = random_arguments(c);
        const at::Tensor expected = by_grouped_convolution(a, c.stride, 6);
        const imprint::test::On device(target, imprint::kernels::cuda_on_cpu::register_depthwise_conv);
        const at::Tensor output = depthwise_conv(device.put(a.input), device.put(a.weight), device.put(a.bias), c.stride, 6);
        QVERIFY(imprint::test::near(output, expected, 1e-5));
        QVERIFY(device.has_run() || c.batch == 0);
    }

    void its_derivative_is_that_of_a_grouped_convolution_data() { imprint::test::add_rows(kSmallCases); }
    void its_derivative_is_that_of_a_grouped_convolution()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kSmallCases[index].sizes;
        auto a = random_arguments(c);
        const at::Tensor wanted_input = a.input.clone().requires_grad_(true);
        const at::Tensor expected = by_grouped_convolution({wanted_input, a.weight, a.bias}, c.stride, 1.5);
        const at::Tensor slope = at::randn(expected.sizes(), at::kDouble);
        (expected * slope).sum().backward();
        const imprint::test::On device(target, imprint::kernels::cuda_on_cpu::register_depthwise_conv);
        const at::Tensor input = device.put(a.input).requires_grad_(true);
        const at::Tensor output = depthwise_conv(input, device.put(a.weight), device.put(a.bias), c.stride, 1.5);
        (output * device.put(slope.to(at::kFloat))).sum().backward();
        QVERIFY(imprint::test::near(input.grad(), wanted_input.grad(), 1e-5));
        QVERIFY(device.has_run() || c.batch == 0);
    }

    void filters_do_not_learn()
    {
        const auto a = random_arguments({1, 5, 5, 4, 3, 1});
        QVERIFY_THROWS_EXCEPTION(c10::Error, depthwise_conv(a.input, a.weight.requires_grad_(true), a.bias, 1, 6));
    }

    void every_body_of_this_processor_agrees_data() { add_cases(); }
    void every_body_of_this_processor_agrees()
    {
        QFETCH(int, index);
        const Case& c = kCases[index];
        const auto a = random_arguments(c);
        const at::Tensor expected = depthwise_conv(a.input, a.weight, a.bias, c.stride, 6);
        imprint::kernels::DepthwiseConvShape shape{};
        shape.height = c.height;
        shape.width = c.width;
        shape.channels = c.channels;
        shape.out_height = expected.size(1);
        shape.out_width = expected.size(2);
        shape.pad_top = std::max<int64_t>((shape.out_height - 1) * c.stride + c.kernel - c.height, 0) / 2;
        shape.pad_left = std::max<int64_t>((shape.out_width - 1) * c.stride + c.kernel - c.width, 0) / 2;
        shape.kernel = c.kernel;
        shape.stride = c.stride;
        shape.clamp_high = 6;
        QVERIFY(!imprint::kernels::depthwise_conv_bodies().empty());
        for (const auto& body : imprint::kernels::depthwise_conv_bodies()) {
            at::Tensor output = at::full_like(expected, -1);
            body.rows(shape, a.input.const_data_ptr<float>(), a.weight.const_data_ptr<float>(), a.bias.const_data_ptr<float>(),
                      output.mutable_data_ptr<float>(), 0, c.batch * shape.out_height);
            QVERIFY2(at::allclose(output, expected, 1e-5, 1e-5), body.name);
        }
    }

    void an_item_keeps_its_bits_in_any_batch_data() { add_cases(); }
    void an_item_keeps_its_bits_in_any_batch()
    {
        QFETCH(int, index);
        Case c = kCases[index];
        c.batch = 5;
        const auto a = random_arguments(c);
        const int before = at::get_num_threads();
        at::set_num_threads(1);
        const at::Tensor expected = depthwise_conv(a.input, a.weight, a.bias, c.stride, 6);
        for (const int threads : {1, 2, 3}) {
            at::set_num_threads(threads);
            const at::Tensor order = at::randperm(c.batch, at::kLong);
            const at::Tensor shuffled = depthwise_conv(a.input.index_select(0, order), a.weight, a.bias, c.stride, 6);
            QVERIFY(at::equal(shuffled, expected.index_select(0, order)));
            for (int64_t i = 0; i < c.batch; ++i)
                QVERIFY(
                    at::equal(depthwise_conv(a.input.narrow(0, i, 1), a.weight, a.bias, c.stride, 6), expected.narrow(0, i, 1)));
        }
        at::set_num_threads(before);
    }

    void has_a_meta_body_data() { add_cases(); }
    void has_a_meta_body()
    {
        QFETCH(int, index);
        const Case& c = kCases[index];
        const auto a = random_arguments(c);
        const at::Tensor real = depthwise_conv(a.input, a.weight, a.bias, c.stride, 6);
        const at::Tensor meta = depthwise_conv(a.input.to(at::kMeta), a.weight.to(at::kMeta), a.bias.to(at::kMeta), c.stride, 6);
        QVERIFY(meta.is_meta());
        QCOMPARE(meta.sizes().vec(), real.sizes().vec());
        QCOMPARE(meta.strides().vec(), real.strides().vec());
        QCOMPARE(meta.scalar_type(), real.scalar_type());
    }

    void refuses_what_it_cannot_read_data()
    {
        QTest::addColumn<int>("mistake");
        for (const char* row : {"three dimensions", "filter 4", "filter not square", "stride 3", "channels differ",
                                "bias differs", "double", "not contiguous", "two devices"})
            QTest::newRow(row) << rows_++;
    }
    void refuses_what_it_cannot_read()
    {
        QFETCH(int, mistake);
        auto a = random_arguments({2, 8, 8, 16, 3, 1});
        int64_t stride = 1;
        switch (mistake) {
        case 0:
            a.input = a.input[0];
            break;
        case 1:
            a.weight = at::zeros({4, 4, 16});
            break;
        case 2:
            a.weight = at::zeros({3, 5, 16});
            break;
        case 3:
            stride = 3;
            break;
        case 4:
            a.weight = at::zeros({3, 3, 15});
            break;
        case 5:
            a.bias = at::zeros({15});
            break;
        case 6:
            a.input = a.input.to(at::kDouble);
            break;
        case 7:
            a.input = a.input.transpose(1, 2);
            break;
        default:
            a.weight = a.weight.to(at::kMeta);
            break;
        }
        QVERIFY_THROWS_EXCEPTION(c10::Error, depthwise_conv(a.input, a.weight, a.bias, stride, 6));
    }

    void is_registered_with_the_dispatcher()
    {
        QVERIFY(c10::Dispatcher::singleton().findSchema({"imprint::depthwise_conv", ""}).has_value());
    }

private:
    int rows_ = 0;
};

QTEST_GUILESS_MAIN(DepthwiseConvTest)
#include "tst_depthwise_conv.moc"
