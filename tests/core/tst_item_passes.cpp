// SPDX-License-Identifier: Apache-2.0
// The encoder's passes on the device of the model. Device `meta` stands in for a GPU: it has shapes and no memory, so that a
// weight or an input left behind on the host, or a hidden copy to it, throws.
#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "core/encoder.h"
#include "core/item_passes.h"
#include "tests/support/tiny_checkpoint.h"

using namespace imprint;

namespace {

media::Picture grey(media::Size size)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(size.width) * size.height * 3, uint8_t{90});
    return {size.width, size.height, 0, *bytes, bytes};
}

std::vector<float> chirp()
{
    std::vector<float> samples(20'000);
    for (size_t i = 0; i < samples.size(); ++i)
        samples[i] = static_cast<float>(std::sin(1e-5 * static_cast<double>(i * i)));
    return samples;
}

struct Kind {
    const char* name;
    std::function<at::Tensor(const ItemPasses&, media::Size)> pass;
    std::function<Vectors(Encoder&, media::Size)> wanted;
};

const std::vector<Kind>& kinds()
{
    static const std::vector<Kind> all{
        {"picture",
         [](const ItemPasses& passes, media::Size size) {
             const auto one = grey(size);
             return passes.pictures({&one, 1});
         },
         [](Encoder& encoder, media::Size size) {
             const auto one = grey(size);
             return encoder.encode_pictures({&one, 1});
         }},
        {"clip",
         [](const ItemPasses& passes, media::Size size) {
             return passes.pictures(std::vector<media::Picture>{grey(size), grey(size)});
         },
         [](Encoder& encoder, media::Size size) {
             return encoder.encode_clips(std::vector<std::vector<media::Picture>>{{grey(size), grey(size)}});
         }},
        {"sound", [](const ItemPasses& passes, media::Size) { return passes.sound(chirp()); },
         [](Encoder& encoder, media::Size) {
             return encoder.encode_sounds(std::vector<media::Sound>{{0, chirp()}});
         }},
        {"text", [](const ItemPasses& passes, media::Size) { return passes.text("a dog in the park"); },
         [](Encoder& encoder, media::Size) { return encoder.encode_texts(std::vector<std::string>{"a dog in the park"}); }},
        {"concept",
         [](const ItemPasses& passes, media::Size size) {
             const auto one = grey(size);
             return passes.concept_vector({&one, 1});
         },
         [](Encoder& encoder, media::Size size) {
             const auto one = grey(size);
             return encoder.concept_vectors({&one, 1});
         }},
    };
    return all;
}

}  // namespace

class TestItemPasses : public QObject {
    Q_OBJECT

    void add_rows()
    {
        QTest::addColumn<QString>("checkpoint");
        QTest::addColumn<QString>("precision");
        QTest::addColumn<int>("kind");
        const QString shipped = IMPRINT_SOURCE_DIR "/resources/models/imprint-small.safetensors";
        for (const QString& checkpoint : {QString::fromStdString(tiny_.string()), shipped})
            for (const char* precision : {"fp32", "bf16"})
                for (size_t kind = 0; kind < kinds().size(); ++kind)
                    QTest::addRow("%s, %s, %s", checkpoint == shipped ? "shipped" : "tiny", precision, kinds()[kind].name)
                        << checkpoint << precision << static_cast<int>(kind);
    }

    /// The rows of one checkpoint follow each other.
    const model::Checkpoint& loaded(const QString& path)
    {
        if (path != path_) {
            checkpoint_ = model::load_checkpoint(model::SafetensorsFile(path.toStdString()));
            path_ = path;
        }
        return checkpoint_;
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(dir_.isValid());
        tiny_ = tests::make_tiny_checkpoint(dir_.path().toStdString());
    }

    void a_pass_stays_on_the_device_of_the_model_data() { add_rows(); }
    void a_pass_stays_on_the_device_of_the_model()
    {
        QFETCH(QString, checkpoint);
        QFETCH(QString, precision);
        QFETCH(int, kind);
        const c10::InferenceMode guard;
        const auto type = precision == "bf16" ? at::kBFloat16 : at::kFloat;
        const model::Checkpoint& model = loaded(checkpoint);
        const ItemPasses passes(model, "checkpoint", {type}, at::kMeta);
        const at::Tensor row = kinds()[static_cast<size_t>(kind)].pass(passes, model.config.picture_sizes.front());
        QVERIFY(row.is_meta());
        QCOMPARE(row.sizes(), at::IntArrayRef({1, int64_t{model.config.joint_dim}}));
    }

    void the_encoder_gives_what_the_pass_gives_data() { add_rows(); }
    void the_encoder_gives_what_the_pass_gives()
    {
        QFETCH(QString, checkpoint);
        QFETCH(QString, precision);
        QFETCH(int, kind);
        const model::Checkpoint& model = loaded(checkpoint);
        const media::Size size = model.config.picture_sizes.front();
        Encoder encoder(checkpoint.toStdString(), {"cpu", precision.toStdString(), 1});
        const Vectors wanted = kinds()[static_cast<size_t>(kind)].wanted(encoder, size);
        const c10::InferenceMode guard;
        const ItemPasses passes(model, "checkpoint", {precision == "bf16" ? at::kBFloat16 : at::kFloat}, at::kCPU);
        const at::Tensor row = kinds()[static_cast<size_t>(kind)].pass(passes, size).to(at::kFloat).contiguous();
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(row.numel(), int64_t{wanted.dim});
        QVERIFY(std::memcmp(row.const_data_ptr<float>(), wanted.values.data(), row.nbytes()) == 0);
    }

private:
    QTemporaryDir dir_;
    std::filesystem::path tiny_;
    QString path_;
    model::Checkpoint checkpoint_;
};

QTEST_APPLESS_MAIN(TestItemPasses)
#include "tst_item_passes.moc"
