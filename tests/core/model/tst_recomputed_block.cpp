// SPDX-License-Identifier: Apache-2.0
// A network that goes forwards again on the way back is the same network with less in its memory.
#include <ATen/ATen.h>
#include <QTest>
#include <torch/csrc/autograd/function.h>

#include <map>
#include <set>

#include "core/model/network.h"

using namespace imprint::model;

namespace {

ModelConfig config_of(bool sparse, bool tokens_choose)
{
    ModelConfig config;
    config.width = 16;
    config.layers = 4;
    config.heads = 2;
    config.ffn_width = 24;
    config.sparse_layers = sparse ? 2 : 0;
    config.experts = 3;
    config.head_width = 16;
    config.joint_dim = 8;
    config.vocabulary = 30;
    config.trunk_channels = 8;
    config.trunk_classes = 6;
    if (tokens_choose)
        config.router = Router::Tokens;
    return config;
}

size_t nodes_behind(const at::Tensor& tensor)
{
    std::set<torch::autograd::Node*> seen;
    std::vector<torch::autograd::Node*> next{tensor.grad_fn().get()};
    while (!next.empty()) {
        torch::autograd::Node* node = next.back();
        next.pop_back();
        if (!node || !seen.insert(node).second)
            continue;
        for (const auto& edge : node->next_edges())
            next.push_back(edge.function.get());
    }
    return seen.size();
}

}  // namespace

class TestRecomputedBlock : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void values_and_gradients_are_the_same_data()
    {
        QTest::addColumn<bool>("sparse");
        QTest::addColumn<bool>("tokens_choose");
        QTest::addColumn<bool>("masked");
        QTest::newRow("dense") << false << false << false;
        QTest::newRow("experts choose") << true << false << false;
        QTest::newRow("tokens choose, with a balance loss") << true << true << false;
        QTest::newRow("with pads") << true << false << true;
    }
    void values_and_gradients_are_the_same()
    {
        QFETCH(bool, sparse);
        QFETCH(bool, tokens_choose);
        QFETCH(bool, masked);
        const ModelConfig config = config_of(sparse, tokens_choose);
        Parameters parameters = initial_parameters(config, 5);
        for (const auto& spec : parameter_specs(config))
            parameters.at(spec.name) = parameters.at(spec.name).to(at::kDouble).requires_grad_(!spec.frozen);
        const at::Tensor ids = at::arange(1, 19, at::kLong).view({3, 6});
        std::optional<at::Tensor> mask;
        if (masked)
            mask = at::tensor({1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0}, at::kLong).view({3, 6}).to(at::kBool);
        std::vector<double> losses;
        std::vector<size_t> nodes;
        std::vector<std::map<std::string, at::Tensor>> gradients;
        for (const bool again : {false, true}) {
            Network network(config, parameters);
            network.set_precision({at::kDouble});
            network.set_recomputing(again);
            const Encoding encoding = network.with_converted_matrices().encode_text(ids, {}, mask);
            at::Tensor loss = (encoding.vectors * at::arange(8, at::kDouble)).sum();
            for (const at::Tensor& more : {encoding.auxiliary.z_loss, encoding.auxiliary.balance_loss})
                if (more.defined())
                    loss = loss + more * 0.3;
            QCOMPARE(encoding.auxiliary.z_loss.defined(), sparse);
            QCOMPARE(encoding.auxiliary.balance_loss.defined(), tokens_choose);
            nodes.push_back(nodes_behind(loss));
            loss.backward();
            losses.push_back(loss.item<double>());
            auto& found = gradients.emplace_back();
            for (auto& [name, tensor] : parameters)
                if (tensor.grad().defined()) {
                    found[name] = tensor.grad();
                    tensor.mutable_grad() = at::Tensor();
                }
        }
        QCOMPARE(losses[1], losses[0]);
        QVERIFY(gradients[0].size() > 20);
        QCOMPARE(gradients[1].size(), gradients[0].size());
        for (const auto& [name, gradient] : gradients[0])
            QVERIFY2(at::equal(gradient, gradients[1].at(name)), name.c_str());
        // What a graph keeps hangs on its nodes: those inside the blocks are not there.
        QVERIFY2(2 * nodes[1] < nodes[0] + 2 * gradients[0].size(), qPrintable(QString("%1 of %2").arg(nodes[1]).arg(nodes[0])));
    }
};

QTEST_APPLESS_MAIN(TestRecomputedBlock)
#include "tst_recomputed_block.moc"
