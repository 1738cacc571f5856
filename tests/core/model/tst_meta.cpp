// SPDX-License-Identifier: Apache-2.0
// Forward, loss and backward of every modality on device `meta`, which has shapes and no memory: a hidden copy to the host
// or a tensor on another device throws. And so the paper's largest network can be walked through here.
#include <ATen/ATen.h>
#include <QTest>

#include <functional>

#include "core/model/checkpoint.h"
#include "core/model/named_configs.h"
#include "core/model/network.h"
#include "core/model/text_trunk.h"
#include "core/model/trunk.h"
#include "training/objectives.h"

using namespace imprint;
using namespace imprint::model;

namespace {

const at::TensorOptions kBytes = at::TensorOptions(at::kByte).device(at::kMeta),
                        kFloats = at::TensorOptions(at::kFloat).device(at::kMeta),
                        kIds = at::TensorOptions(at::kLong).device(at::kMeta);

at::Tensor unit(const at::Tensor& x) { return x / (x.norm(2, {-1}, true) + 1e-6); }

ModelConfig parity(const char* name)
{
    ModelConfig config = named_config(name);
    config.classifiers = {{"vision", "kinds", 10}};
    return config;
}

}  // namespace

class TestMeta : public QObject {
    Q_OBJECT

private:
    /// Goes backwards from a loss and looks for gradients of the right shape where they must be.
    void go_back(const at::Tensor& loss, const Parameters& parameters, const QStringList& must)
    {
        QVERIFY(loss.is_meta());
        QCOMPARE(loss.numel(), int64_t{1});
        loss.backward();
        for (const QString& name : must) {
            const at::Tensor& parameter = parameters.at(name.toStdString());
            QVERIFY2(parameter.grad().defined() && parameter.grad().is_meta() && parameter.grad().sizes() == parameter.sizes(),
                     qPrintable(name));
        }
    }

private Q_SLOTS:
    void a_training_step_runs_without_memory_data()
    {
        QTest::addColumn<QString>("network");
        QTest::addColumn<QString>("router");
        QTest::addColumn<bool>("bf16");
        QTest::newRow("small, dense") << "imp-s"
                                      << "experts" << false;
        QTest::newRow("base, sparse") << "imp-moe-b"
                                      << "experts" << false;
        QTest::newRow("base, sparse, bf16") << "imp-moe-b"
                                            << "experts" << true;
        QTest::newRow("small, tokens choose") << "imp-moe-s"
                                              << "tokens" << false;
        QTest::newRow("large, sparse: 1057 M in the encoder") << "imp-moe-l"
                                                              << "experts" << true;
    }
    void a_training_step_runs_without_memory()
    {
        QFETCH(QString, network);
        QFETCH(QString, router);
        QFETCH(bool, bf16);
        ModelConfig config = parity(qPrintable(network));
        if (router == "tokens") {
            config.router = Router::Tokens;
            config.router_top_k = 2;
        }
        Parameters parameters = meta_parameters(config);
        for (auto& [name, tensor] : parameters)
            tensor.requires_grad_(true);
        Network net(config, parameters);
        net.set_precision({bf16 ? at::kBFloat16 : at::kFloat});
        net = net.with_converted_matrices();
        const int64_t batch = 16;
        const at::Tensor kept = at::empty({batch, 64}, kIds);
        const auto vision = net.encode_pixels(at::empty({batch, 1, 256, 256, 3}, kBytes));
        const auto clip = net.encode_pixels(at::empty({batch, 16, 256, 256, 3}, kBytes), kept);
        const auto sound = net.encode_spectrogram(at::empty({batch, 128, 128}, kFloats));
        const auto wave = net.encode_waveform(at::empty({batch, 64 * 256}, kFloats));
        const at::Tensor ids = at::empty({batch, 16}, kIds), mask = at::empty({batch, 16}, kIds.dtype(at::kBool));
        const auto text = net.encode_text(ids, {}, mask);
        QCOMPARE(vision.spaces.at("text").sizes(), at::IntArrayRef({batch, 1024}));

        at::Tensor loss;
        const auto pair = [&](const Encoding& a, const char* to_b, const Encoding& b, const char* to_a, const char* name) {
            const at::Tensor part = training::nce(unit(a.spaces.at(to_b)), unit(b.spaces.at(to_a)), net.temperature(name));
            loss = loss.defined() ? loss + part : part;
        };
        pair(vision, "text", text, "vision", "picture_text");
        pair(clip, "text", text, "vision", "picture_text");
        pair(sound, "text", text, "sound", "sound_text");
        pair(vision, "sound", sound, "vision", "picture_sound");
        pair(wave, "text", text, "waveform", "waveform_text");
        const at::Tensor labels = at::empty({batch, 10}, kFloats), chosen = at::empty({batch, 16}, kFloats);
        loss = loss + training::softmax_cross_entropy(net.classify(vision, "vision", "kinds"), labels)
            + training::sigmoid_cross_entropy(net.classify(vision, "vision", "kinds"), labels)
            + training::masked_cross_entropy(net.target_logits(text), ids, chosen)
            + training::multi_instance_nce(clip.spaces.at("text").view({batch / 2, 2, 1024}),
                                           text.spaces.at("vision").view({batch / 2, 2, 1024}), net.temperature("picture_text"))
            + training::masked_squared_error(net.token_features(sound, "sound"), at::zeros_like(sound.features),
                                             at::empty({batch, 64}, kFloats));
        for (const auto* encoding : {&vision, &clip, &sound, &wave, &text})
            for (const at::Tensor& extra : {encoding->auxiliary.z_loss, encoding->auxiliary.balance_loss})
                if (extra.defined())
                    loss = loss + extra;
        QStringList must = {"vision.input.kernel",      "sound.input.kernel",
                            "waveform.input.kernel",    "text.table",
                            "vision.position.row",      "encoder.0.attention.q.kernel",
                            "encoder.0.ffn.in.kernel",  "text.to_vision.out.kernel",
                            "temperature.picture_text", "classifier.vision.kinds.kernel",
                            "text.target.kernel"};
        if (config.sparse_layers > 0)
            must << "encoder.11.ffn.out.kernel" << QString("encoder.%1.ffn.router.kernel").arg(config.layers - 1);
        go_back(loss, parameters, must);
    }

    void our_own_network_runs_without_memory()
    {
        ModelConfig config;
        config.vision_shortcut = 768;
        config.vision_change = true;
        config.sound_shortcut = 256;
        config.sound_stem_widths = {24, 48, 96};
        Parameters parameters = meta_parameters(config);
        for (const auto& spec : parameter_specs(config))
            if (!spec.frozen)
                parameters.at(spec.name).requires_grad_(true);
        const Network net(config, parameters);
        const at::Tensor concept_vector = net.concept_of(at::empty({8, 2, config.trunk_classes}, kFloats));
        const auto picture =
            net.encode_map(at::empty({8, 2, 7, 7, config.trunk_channels}, kFloats), concept_vector, at::empty({8, 40}, kIds));
        const auto text = net.encode_text(at::empty({8, 9}, kIds));
        const auto sound = net.encode_spectrogram(at::empty({8, 128, config.mel_bands}, kFloats));
        // By the stored statistics, and by the batch's, as the convolutions learn.
        const auto heard = net.encode_spectrogram(at::empty({8, 128, config.mel_bands}, kFloats), at::empty({8, 0}, kIds));
        QCOMPARE(heard.vectors.sizes(), sound.vectors.sizes());
        const training::Teacher teacher{at::empty({8, config.joint_dim}, kFloats), 20};
        const at::Tensor loss = training::nce(picture.vectors, text.vectors, net.temperature("picture_text"), teacher)
            + training::nce(sound.vectors, text.vectors, net.temperature("sound_text"))
            + training::nce(heard.vectors, text.vectors, net.temperature("sound_text"))
            + training::cosine_distance(picture.own, text.vectors) + picture.gate_logit.mean() + picture.auxiliary.z_loss + text.auxiliary.z_loss;
        go_back(loss, parameters,
                {"concept.gate.kernel", "vision.shortcut.hidden.kernel", "vision.change.kernel", "concept.input.kernel", "vision.input.kernel", "sound.head.out.kernel", "sound.shortcut.hidden.kernel", "sound.stem.0.kernel", "sound.stem.2.beside.kernel", "sound.stem.2.second.norm.scale", "text.table",
                 "encoder.5.ffn.router.kernel", "temperature.sound_text"});
    }

    void a_step_through_both_trunks_runs_without_memory_data()
    {
        QTest::addColumn<bool>("bf16");
        QTest::newRow("fp32") << false;
        QTest::newRow("bf16") << true;
    }
    /// From bytes and ids on, the frozen trunks included.
    void a_step_through_both_trunks_runs_without_memory()
    {
        QFETCH(bool, bf16);
        const Checkpoint shipped =
            load_checkpoint(SafetensorsFile(IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors"));
        const ModelConfig& config = shipped.config;
        QVERIFY(config.vision_stem == VisionStem::Hybrid && config.text_stem == TextStem::Hybrid);
        Parameters parameters = meta_parameters(config);
        for (const auto& spec : parameter_specs(config))
            if (!spec.frozen)
                parameters.at(spec.name).requires_grad_(true);
        Network net(config, parameters);
        const Precision precision{bf16 ? at::kBFloat16 : at::kFloat};
        net.set_precision(precision);
        net = net.with_converted_matrices();
        const Trunk trunk([&](const std::string& name) { return shipped.trunk.at(name).to(at::kMeta); });
        const TextTrunk text_trunk(config, precision,
                                   [&](const std::string& name) { return shipped.text_trunk.at(name).to(at::kMeta); });
        const auto seen = trunk.forward(at::empty({8, 224, 224, 3}, kBytes), config.own_tail());
        const auto [states, sentence] = text_trunk.forward(at::empty({8, 9}, kIds));
        QCOMPARE(states.sizes(), at::IntArrayRef({8, 9, int64_t{config.text_trunk_width}}));
        const auto picture = net.encode_map(seen.for_network().unsqueeze(1), net.concept_of(seen.logits.unsqueeze(1)));
        const auto text = net.encode_text_states(states, net.meaning_of(sentence), at::empty({8, 5}, kIds));
        const at::Tensor loss = training::nce(picture.vectors, text.vectors, net.temperature("picture_text"))
            + training::cosine_distance(text.own, picture.vectors) + text.auxiliary.z_loss + picture.auxiliary.z_loss
            + at::softplus(picture.gate_logit).mean();
        go_back(loss, parameters,
                {"concept.gate.kernel", "vision.input.kernel", "text.concept.gate.kernel", "text.concept.input.kernel",
                 "text.input.kernel", "text.head.out.kernel", "temperature.picture_text"});
    }

    void a_tensor_on_another_device_is_noticed()
    {
        const ModelConfig config;
        const Network net(config, meta_parameters(config));
        QVERIFY_THROWS_EXCEPTION(c10::Error, net.encode_spectrogram(at::zeros({1, 16, config.mel_bands})));
    }
};

QTEST_APPLESS_MAIN(TestMeta)
#include "tst_meta.moc"
