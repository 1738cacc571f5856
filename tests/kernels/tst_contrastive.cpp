// SPDX-License-Identifier: Apache-2.0
// contrastive_loss against the whole score matrix, its reference value and finite differences.
#include <ATen/ATen.h>
#include <QTest>

#include <fstream>

#include <nlohmann/json.hpp>

#include "kernels/contrastive.h"
#include "kernels/cuda_bodies.h"
#include "tests/kernels/bodies.h"
#include "tests/kernels/finite_differences.h"

using namespace imprint::kernels;
using namespace imprint::test;

namespace {

enum class Positives { Diagonal, Targets, Teacher };

struct Case {
    const char* name;
    int64_t batch, row_instances, column_instances, dim, chunk_rows;
    double temperature;
    Positives positives = Positives::Diagonal;
    double margin = 0;
};

const Case kCases[] = {
    {"one chunk", 12, 1, 1, 16, 1024, 0.07},
    {"chunks that do not divide the batch", 33, 1, 1, 8, 10, 0.1},
    {"a chunk a row", 5, 1, 1, 4, 1, 1},
    {"one sample", 1, 1, 1, 4, 4, 0.2},
    {"several instances", 9, 2, 3, 8, 4, 0.1},
    {"several instances and a margin", 8, 3, 1, 8, 5, 0.05, Positives::Diagonal, 0.3},
    {"scores of hundreds", 16, 1, 1, 8, 6, 0.005},
    {"soft targets", 20, 1, 1, 8, 6, 0.1, Positives::Targets},
    {"a teacher", 21, 1, 1, 8, 5, 0.1, Positives::Teacher},
};

struct Arguments {
    at::Tensor a, b, temperature;
    ContrastiveOptions options;
};

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, {-1}, true); }

Arguments arguments_of(const Case& c, at::ScalarType type)
{
    const auto vectors = [&](int64_t instances) {
        const at::Tensor x = unit(at::randn({c.batch, instances, c.dim}, at::kDouble)).to(type);
        return c.row_instances * c.column_instances == 1 ? x.squeeze(1) : x;
    };
    Arguments a{
        vectors(c.row_instances), vectors(c.column_instances), at::scalar_tensor(c.temperature, at::kDouble).to(type), {}};
    a.options.margin = c.margin;
    a.options.chunk_rows = c.chunk_rows;
    a.options.sharpness = 4;
    if (c.positives == Positives::Targets)
        a.options.targets = at::softmax(at::randn({c.batch, c.batch}, at::kDouble), -1).to(type);
    if (c.positives == Positives::Teacher)
        a.options.teacher = unit(at::randn({c.batch, 6}, at::kDouble)).to(type);
    return a;
}

/// imp_method.md section 4 on the matrix as a whole.
at::Tensor whole(const Arguments& in)
{
    const int64_t batch = in.a.size(0), dim = in.a.size(-1), n1 = in.a.numel() / batch / dim, n2 = in.b.numel() / batch / dim;
    const at::Tensor scores = at::mm(in.a.reshape({-1, dim}), in.b.reshape({-1, dim}).t()) / in.temperature;
    at::Tensor targets = in.options.targets;
    if (in.options.teacher.defined())
        targets = at::softmax(at::mm(in.options.teacher, in.options.teacher.t()) * in.options.sharpness, -1);
    if (targets.defined()) {
        const at::Tensor columns = targets.t() / targets.t().sum(-1, true);
        return -((targets * at::log_softmax(scores, 1)).sum(1).mean() + (columns * at::log_softmax(scores.t(), 1)).sum(1).mean())
            / 2;
    }
    const at::Tensor blocks = scores.view({batch, n1, batch, n2});
    const at::Tensor positive = at::logsumexp((blocks - in.options.margin).diagonal(0, 0, 2), at::IntArrayRef{0, 1});
    return ((at::logsumexp(blocks, at::IntArrayRef{1, 2, 3}) - positive).mean()
            + (at::logsumexp(blocks, at::IntArrayRef{0, 1, 3}) - positive).mean())
        / 2;
}

std::vector<at::Tensor> with_gradients(const Arguments& in, const std::function<at::Tensor(const Arguments&)>& loss)
{
    Arguments leaves = in;
    for (at::Tensor* leaf : {&leaves.a, &leaves.b, &leaves.temperature})
        *leaf = leaf->detach().set_requires_grad(true);
    const at::Tensor value = loss(leaves);
    auto all = torch::autograd::grad({value * 3}, {leaves.a, leaves.b, leaves.temperature});
    all.insert(all.begin(), value.detach());
    return all;
}

at::Tensor chunked(const Arguments& in) { return contrastive_loss(in.a, in.b, in.temperature, in.options); }

Arguments moved(const Arguments& in, const std::function<at::Tensor(const at::Tensor&)>& move)
{
    const auto maybe = [&](const at::Tensor& t) { return t.defined() ? move(t) : t; };
    Arguments out{move(in.a), move(in.b), move(in.temperature), in.options};
    out.options.targets = maybe(in.options.targets);
    out.options.teacher = maybe(in.options.teacher);
    return out;
}

}  // namespace

class TestContrastive : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(10); }

    void chunks_give_what_the_whole_matrix_gives_data() { add_rows(kCases); }
    void chunks_give_what_the_whole_matrix_gives()
    {
        QFETCH(int, index);
        QFETCH(int, target);
        const Case& c = kCases[index];
        const Arguments a = arguments_of(c, at::kFloat);
        const auto wanted = with_gradients(moved(a, [](const at::Tensor& t) { return t.to(at::kDouble); }), whole);
        const On device(target, cuda_on_cpu::register_contrastive);
        const auto found = with_gradients(moved(a, [&](const at::Tensor& t) { return device.put(t); }), chunked);
        for (size_t i = 0; i < wanted.size(); ++i) {
            const double largest = std::max(1.0, wanted[i].abs().max().item<double>());
            QVERIFY(near(found[i].cpu().to(at::kDouble) / largest, wanted[i] / largest, 2e-5));
        }
        QVERIFY(device.has_run());
    }

    void the_size_of_chunks_changes_nothing_data()
    {
        QTest::addColumn<int>("index");
        for (int i = 0; i < static_cast<int>(std::size(kCases)); ++i)
            QTest::newRow(kCases[i].name) << i;
    }
    void the_size_of_chunks_changes_nothing()
    {
        QFETCH(int, index);
        Arguments a = arguments_of(kCases[index], at::kDouble);
        const auto wanted = with_gradients(a, whole);
        for (const int64_t rows : {1, 4, 7, 1000}) {
            a.options.chunk_rows = rows;
            const auto found = with_gradients(a, chunked);
            for (size_t i = 0; i < wanted.size(); ++i)
                QVERIFY(near(found[i], wanted[i], 1e-9));
        }
    }

    void gives_the_reference_value_of_six_pairs()
    {
        std::ifstream in(IMPRINT_SOURCE_DIR "/tests/data/reference/nce_vectors.json");
        const auto json = nlohmann::json::parse(in);
        const auto vectors = [&](const std::string& of, const std::string& to) {
            at::Tensor x = at::empty({3, 2, 3}, at::kDouble);
            double* value = x.mutable_data_ptr<double>();
            for (const auto& sample : json.at("data").at(of).at(to))
                for (const auto& instance : sample)
                    for (const auto& number : instance)
                        *value++ = number.get<double>();
            return x / (x.norm(2, {-1}, true) + 1e-6);
        };
        ContrastiveOptions options;
        options.margin = json.at("margin").get<double>();
        options.chunk_rows = 2;
        const at::Tensor temperature = at::scalar_tensor(json.at("temperature").get<double>() + 1e-6, at::kDouble);
        double total = 0;
        for (const auto& [pair, weight] : json.at("weights").items()) {
            const auto bar = pair.find('|');
            const std::string a = pair.substr(0, bar), b = pair.substr(bar + 1);
            total += weight.get<double>() * contrastive_loss(vectors(a, b), vectors(b, a), temperature, options).item<double>();
        }
        const double wanted = json.at("float64_result").at("total").get<double>();
        total /= static_cast<double>(json.at("weights").size());
        QVERIFY2(std::abs(total - wanted) < 1e-6 * wanted, qPrintable(QString::number(total, 'g', 12)));
    }

    void gradients_agree_with_finite_differences_data() { the_size_of_chunks_changes_nothing_data(); }
    void gradients_agree_with_finite_differences()
    {
        QFETCH(int, index);
        Case c = kCases[index];
        c.batch = std::min<int64_t>(c.batch, 4);
        c.temperature = std::max(c.temperature, 0.1);
        const Arguments a = arguments_of(c, at::kDouble);
        const auto loss = [&](const std::vector<at::Tensor>& in) { return contrastive_loss(in[0], in[1], in[2], a.options); };
        QCOMPARE_LT(gradient_error(loss, {a.a, a.b, a.temperature}, 1e-6), 1e-7);
    }

    void has_a_meta_body()
    {
        for (const Case& c : kCases) {
            const Arguments a = arguments_of(c, at::kFloat);
            const auto real = with_gradients(a, chunked), foretold = with_gradients(moved(a, shadow), chunked);
            for (size_t i = 0; i < real.size(); ++i)
                QVERIFY(foretells(foretold[i], real[i]));
        }
    }

    void refuses_what_does_not_fit()
    {
        const Arguments a = arguments_of(kCases[0], at::kFloat);
        ContrastiveOptions both;
        both.targets = at::eye(12);
        both.teacher = a.a;
        ContrastiveOptions margin;
        margin.targets = at::eye(12);
        margin.margin = 1;
        QVERIFY_THROWS_EXCEPTION(c10::Error, contrastive_loss(a.a, a.b.narrow(0, 0, 3), a.temperature));
        QVERIFY_THROWS_EXCEPTION(c10::Error, contrastive_loss(a.a, a.b.to(at::kDouble), a.temperature));
        QVERIFY_THROWS_EXCEPTION(c10::Error, contrastive_loss(a.a, a.b, a.a));
        QVERIFY_THROWS_EXCEPTION(c10::Error, contrastive_loss(a.a, a.b, a.temperature, both));
        QVERIFY_THROWS_EXCEPTION(c10::Error, contrastive_loss(a.a, a.b, a.temperature, margin));
    }
};

QTEST_APPLESS_MAIN(TestContrastive)
#include "tst_contrastive.moc"
