// SPDX-License-Identifier: Apache-2.0
// The convolutions that a sound's shortcut hears through: what they make of silence, of length, of company.
#include <ATen/ATen.h>

#include <QTest>

#include "core/model/network.h"
#include "core/model/sound_stem.h"
#include "tests/core/model/small_config.h"

using namespace imprint;
using namespace imprint::model;

namespace {

ModelConfig config_with_stem()
{
    ModelConfig config = tests::small_config();
    config.sound_shortcut = 16;
    config.sound_stem_widths = {6, 8, 10};
    return config;
}

constexpr int64_t kFrames = 128, kBands = 128;  // of the longest sound

/// Log-mel as loud as music is, louder or softer from sound to sound.
at::Tensor sounds(int64_t count, int64_t frames = kFrames)
{
    return at::randn({count, frames, kBands}) * 2 + at::randn({count, 1, kBands});
}

Parameters with(Parameters parameters, const Parameters& changed)
{
    for (const auto& [name, value] : changed)
        parameters.at(name) = value;
    return parameters;
}

}  // namespace

class TestSoundStem : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { at::manual_seed(7); }

    void stored_statistics_of_a_batch_say_what_the_batch_says_data()
    {
        QTest::addColumn<bool>("bf16");
        QTest::newRow("fp32") << false;
        QTest::newRow("bf16") << true;
    }
    void stored_statistics_of_a_batch_say_what_the_batch_says()
    {
        QFETCH(bool, bf16);
        const Precision precision{bf16 ? at::kBFloat16 : at::kFloat};
        const double close = bf16 ? 0.05 : 1e-4;
        const ModelConfig config = config_with_stem();
        const Parameters fresh = initial_parameters(config, 3);
        const at::Tensor batch = sounds(12);
        const SoundStem learning(config, fresh);
        const at::Tensor wanted = learning.forward(batch, precision, SoundStem::Norms::ByBatch);
        QCOMPARE(wanted.sizes(), at::IntArrayRef({12, 20}));
        QVERIFY(wanted.scalar_type() == at::kFloat);
        QVERIFY(!at::allclose(learning.forward(batch, precision, SoundStem::Norms::Stored), wanted, 0.1, 0.1));
        const SoundStem settled(config, with(fresh, learning.statistics(batch, precision)));
        QVERIFY(at::allclose(settled.forward(batch, precision, SoundStem::Norms::Stored), wanted, close, close));
    }

    void a_sound_is_heard_the_same_in_any_company_once_the_statistics_are_stored()
    {
        const ModelConfig config = config_with_stem();
        const Parameters fresh = initial_parameters(config, 3);
        const Precision precision;
        const SoundStem stem(config, with(fresh, SoundStem(config, fresh).statistics(sounds(12), precision)));
        const at::Tensor batch = sounds(5);
        const at::Tensor together = stem.forward(batch, precision, SoundStem::Norms::Stored);
        const at::Tensor by_batch = stem.forward(batch, precision, SoundStem::Norms::ByBatch);
        for (int64_t i = 0; i < 5; ++i) {
            QVERIFY(at::allclose(stem.forward(batch.narrow(0, i, 1), precision, SoundStem::Norms::Stored)[0], together[i], 1e-5, 1e-5));
            QVERIFY(!at::allclose(stem.forward(batch.narrow(0, i, 1), precision, SoundStem::Norms::ByBatch)[0], by_batch[i], 1e-2, 1e-2));
        }
    }

    void what_is_softer_than_the_floor_is_silence_and_so_is_what_follows_a_short_sound()
    {
        const ModelConfig config = config_with_stem();
        const SoundStem stem(config, initial_parameters(config, 3));
        const Precision precision;
        const auto heard = [&](const at::Tensor& x) { return stem.forward(x, precision, SoundStem::Norms::Stored); };
        const at::Tensor quiet = at::full({1, kFrames, kBands}, config.sound_stem_floor);
        QVERIFY(at::equal(heard(quiet), heard(quiet - 8)));
        QVERIFY(!at::equal(heard(quiet), heard(quiet + 2)));
        const at::Tensor brief = sounds(1, 32);
        const at::Tensor long_one = at::cat({brief, quiet.narrow(1, 0, kFrames - 32) - 3}, 1);
        QVERIFY(at::equal(heard(brief), heard(long_one)));
    }

    void all_of_its_weights_learn()
    {
        const ModelConfig config = config_with_stem();
        Parameters parameters = initial_parameters(config, 3);
        for (const auto& spec : parameter_specs(config))
            if (!spec.frozen && spec.name.starts_with("sound.stem."))
                parameters.at(spec.name).requires_grad_(true);
        const SoundStem stem(config, parameters);
        const at::Tensor heard = stem.forward(sounds(6), {}, SoundStem::Norms::ByBatch);
        (heard * at::randn_like(heard)).sum().backward();
        int learned = 0;
        for (const auto& spec : parameter_specs(config)) {
            if (spec.frozen || !spec.name.starts_with("sound.stem."))
                continue;
            const at::Tensor& gradient = parameters.at(spec.name).grad();
            QVERIFY2(gradient.defined() && gradient.abs().sum().item<double>() > 0, spec.name.c_str());
            ++learned;
        }
        QCOMPARE(learned, 3 + 2 * 7);  // kernel, scale and bias of the first; three kernels and two norms of each block
    }

    void without_memory_it_has_the_same_shape()
    {
        const ModelConfig config = config_with_stem();
        const SoundStem stem(config, meta_parameters(config));
        const at::Tensor nothing = at::empty({3, 64, kBands}, at::TensorOptions(at::kFloat).device(at::kMeta));
        for (const auto norms : {SoundStem::Norms::Stored, SoundStem::Norms::ByBatch})
            QCOMPARE(stem.forward(nothing, {}, norms).sizes(), at::IntArrayRef({3, 20}));
    }
};

QTEST_APPLESS_MAIN(TestSoundStem)
#include "tst_sound_stem.moc"
