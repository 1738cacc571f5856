// SPDX-License-Identifier: Apache-2.0
// The frozen sentence encoder: held against plain loops, and inside a network whose gate lets its sentence vector in.
#include <ATen/ATen.h>
#include <QTest>

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/encoder.h"
#include "core/model/checkpoint.h"
#include "core/model/network.h"
#include "core/tokens/text_tokenizer.h"
#include "tests/support/random_text_trunk.h"

using namespace imprint;
using namespace imprint::model;

namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

ModelConfig small_config()
{
    ModelConfig config;
    config.width = 64;
    config.heads = 1;
    config.layers = 2;
    config.sparse_layers = 1;
    config.experts = 2;
    config.ffn_width = 32;
    config.head_width = 24;
    config.joint_dim = config.text_trunk_width = 12;
    config.text_stem = TextStem::Hybrid;
    config.text_trunk_layers = 2;
    config.text_trunk_heads = 3;
    config.vocabulary = 20;
    config.max_text_tokens = 9;
    config.trunk_channels = 8;
    config.trunk_classes = 5;
    return config;
}

/// The trunk written out from the definition of BERT, one number at a time, in float64.
class PlainTrunk {
public:
    PlainTrunk(const ModelConfig& config, const Parameters& weights) : config_(config), weights_(weights) { }

    Rows states(const std::vector<int64_t>& ids) const
    {
        Rows x;
        for (size_t t = 0; t < ids.size(); ++t) {
            Row row = row_of("pieces", ids[t]);
            const Row position = row_of("position", static_cast<int64_t>(t));
            for (size_t i = 0; i < row.size(); ++i)
                row[i] += position[i];
            x.push_back(norm(row, "norm"));
        }
        for (int layer = 0; layer < config_.text_trunk_layers; ++layer)
            x = block(x, "layers." + std::to_string(layer) + ".");
        return x;
    }

private:
    Row row_of(const std::string& name, int64_t row) const
    {
        const at::Tensor values = weights_.at(name)[row];
        return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
    }
    Row vector_of(const std::string& name) const
    {
        const at::Tensor& values = weights_.at(name);
        return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
    }
    Row norm(const Row& x, const std::string& name) const
    {
        double mean = 0, variance = 0;
        for (const double v : x)
            mean += v / double(x.size());
        for (const double v : x)
            variance += (v - mean) * (v - mean) / double(x.size());
        const Row scale = vector_of(name + ".scale"), bias = vector_of(name + ".bias");
        Row out;
        for (size_t i = 0; i < x.size(); ++i)
            out.push_back((x[i] - mean) / std::sqrt(variance + 1e-12) * scale[i] + bias[i]);
        return out;
    }
    Row affine(const Row& x, const std::string& name) const
    {
        Row out = vector_of(name + ".bias");
        for (size_t o = 0; o < out.size(); ++o) {
            const Row kernel = row_of(name + ".kernel", static_cast<int64_t>(o));
            for (size_t i = 0; i < x.size(); ++i)
                out[o] += kernel[i] * x[i];
        }
        return out;
    }
    Rows block(const Rows& x, const std::string& name) const
    {
        const auto heads = static_cast<size_t>(config_.text_trunk_heads), width = x.front().size(), head = width / heads;
        Rows out;
        for (const Row& query : x) {
            const Row q = affine(query, name + "q");
            Row mixed(width, 0.0);
            for (size_t h = 0; h < heads; ++h) {
                Row weights;
                double sum = 0;
                for (const Row& key : x) {
                    const Row k = affine(key, name + "k");
                    double score = 0;
                    for (size_t i = h * head; i < (h + 1) * head; ++i)
                        score += q[i] * k[i];
                    weights.push_back(std::exp(score / std::sqrt(double(head))));
                    sum += weights.back();
                }
                for (size_t t = 0; t < x.size(); ++t) {
                    const Row v = affine(x[t], name + "v");
                    for (size_t i = h * head; i < (h + 1) * head; ++i)
                        mixed[i] += weights[t] / sum * v[i];
                }
            }
            Row y = affine(mixed, name + "o");
            for (size_t i = 0; i < width; ++i)
                y[i] += query[i];
            y = norm(y, name + "attention.norm");
            Row hidden = affine(y, name + "in");
            for (double& v : hidden)
                v = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
            Row z = affine(hidden, name + "out");
            for (size_t i = 0; i < width; ++i)
                z[i] += y[i];
            out.push_back(norm(z, name + "output.norm"));
        }
        return out;
    }

    const ModelConfig& config_;
    const Parameters& weights_;
};

double largest_difference(const at::Tensor& rows, const Rows& plain)
{
    double most = 0;
    for (size_t t = 0; t < plain.size(); ++t)
        for (size_t i = 0; i < plain[t].size(); ++i)
            most = std::max(most, std::abs(rows[static_cast<int64_t>(t)][static_cast<int64_t>(i)].item<double>() - plain[t][i]));
    return most;
}

}  // namespace

class TestTextTrunk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void it_computes_what_its_definition_says_data()
    {
        QTest::addColumn<std::vector<int64_t>>("ids");
        QTest::newRow("one piece") << std::vector<int64_t>{7};
        QTest::newRow("a few") << std::vector<int64_t>{2, 11, 5, 3};
        QTest::newRow("as many as it reads") << std::vector<int64_t>{2, 19, 18, 17, 0, 0, 1, 4, 3};
    }
    void it_computes_what_its_definition_says()
    {
        QFETCH(std::vector<int64_t>, ids);
        const ModelConfig config = small_config();
        const Parameters weights = tests::random_text_trunk(config, 3);
        const TextTrunk trunk(config, {}, [&](const std::string& name) { return weights.at(name); });
        const auto output = trunk.forward(at::tensor(ids).unsqueeze(0));
        const Rows plain = PlainTrunk(config, weights).states(ids);
        QVERIFY2(largest_difference(output.states[0], plain) < 1e-5,
                 qPrintable(QString::number(largest_difference(output.states[0], plain))));

        Row mean(plain.front().size(), 0.0);
        double length = 0;
        for (size_t i = 0; i < mean.size(); ++i) {
            for (const Row& state : plain)
                mean[i] += state[i] / double(plain.size());
            length += mean[i] * mean[i];
        }
        for (double& v : mean)
            v /= std::sqrt(length);
        QVERIFY(largest_difference(output.sentence, {mean}) < 1e-5);
    }

    void weights_that_do_not_fit_are_refused_by_name_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<std::vector<int64_t>>("shape");
        QTest::newRow("too few pieces") << "pieces" << std::vector<int64_t>{19, 12};
        QTest::newRow("too few positions") << "position" << std::vector<int64_t>{8, 12};
        QTest::newRow("a kernel of another width") << "layers.1.k.kernel" << std::vector<int64_t>{12, 13};
        QTest::newRow("a bias unlike its kernel") << "layers.0.in.bias" << std::vector<int64_t>{23};
        QTest::newRow("a norm of another width") << "layers.1.output.norm.scale" << std::vector<int64_t>{11};
        QTest::newRow("a vector for a matrix") << "layers.0.out.kernel" << std::vector<int64_t>{24};
    }
    void weights_that_do_not_fit_are_refused_by_name()
    {
        QFETCH(QString, name);
        QFETCH(std::vector<int64_t>, shape);
        Parameters weights = tests::random_text_trunk(small_config(), 3);
        weights[name.toStdString()] = at::zeros(shape);
        try {
            TextTrunk(small_config(), {}, [&](const std::string& wanted) { return weights.at(wanted); });
            QFAIL("was taken");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::Malformed);
            QVERIFY2(std::string(error.what()).find(name.toStdString()) != std::string::npos, error.what());
        }
    }

    void the_gate_mixes_the_sentence_with_the_heads_vector()
    {
        const ModelConfig config = small_config();
        Parameters parameters = initial_parameters(config, 5);
        parameters.at("text.concept.mean").fill_(0.01);
        const Network network(config, parameters);
        const at::Tensor states = at::randn({2, 5, config.text_trunk_width});
        const at::Tensor meaning = network.meaning_of(at::randn({2, config.joint_dim}));
        const auto encoding = network.encode_text_states(states, meaning);
        QVERIFY(encoding.gate.min().item<double>() >= 0.1 && encoding.gate.max().item<double>() <= 0.9);
        const at::Tensor mixed = encoding.gate * meaning + (1 - encoding.gate) * encoding.own;
        QVERIFY(at::allclose(encoding.vectors, mixed / mixed.norm(2, {-1}, true), 1e-4, 1e-5));
        QVERIFY(at::allclose(meaning.norm(2, {-1}), at::ones({2}), 1e-3, 1e-4));
        // The item's own states count too, not the sentence alone.
        QVERIFY(!at::allclose(network.encode_text_states(states.flip({2}), meaning).vectors, encoding.vectors));
    }

    void a_sentence_vector_of_another_width_than_the_space_is_refused()
    {
        nlohmann::json json = to_json(small_config());
        json["joint_dim"] = 16;
        QVERIFY_EXCEPTION_THROWN(config_from_json(json, "test"), Error);
    }
};

QTEST_APPLESS_MAIN(TestTextTrunk)
#include "tst_text_trunk.moc"
