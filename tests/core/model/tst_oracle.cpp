// SPDX-License-Identifier: Apache-2.0
// The whole forward pass of every modality against the oracle, and a block's gradients against finite differences.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <QTest>

#include <functional>

#include "core/model/network.h"
#include "tests/core/model/oracle.h"

using namespace imprint;
using namespace imprint::model;
using imprint::tests::Oracle;
using imprint::tests::Rows;
using imprint::tests::to_array;

namespace {

struct Variant {
    const char* name;
    std::function<void(ModelConfig&)> change;
};

const Variant kVariants[] = {
    {"ours: item groups, joint space, hybrid stem", [](ModelConfig&) {}},
    {"dense, patches",
     [](ModelConfig& c) {
         c.sparse_layers = 0;
         c.qk_norm = false;
         c.vision_stem = VisionStem::Patch;
     }},
    {"the paper's: batch groups, disjoint space",
     [](ModelConfig& c) {
         c.vision_stem = VisionStem::Patch;
         c.routing_group = RoutingGroup::Batch;
         c.min_capacity = 0;
         c.max_group = 20;
         c.common_space = CommonSpace::Disjoint;
         c.sound_time_by_share = true;
         c.standardise_sound = false;
         c.scale_text = false;
     }},
    {"tokens choose two experts, biases, aggregation token, spread",
     [](ModelConfig& c) {
         c.vision_stem = VisionStem::Patch;
         c.router = Router::Tokens;
         c.router_top_k = 2;
         c.batch_priority = true;
         c.use_bias = true;
         c.aggregation_token = true;
         c.sparse_placement = SparsePlacement::Uniform;
         c.layers = 4;
     }},
    {"tokens choose in order, hybrid stem with an aggregation token",
     [](ModelConfig& c) {
         c.router = Router::Tokens;
         c.capacity_factor = 0.5;
         c.aggregation_token = true;
     }},
    {"adapters on all matrices, normalised gates",
     [](ModelConfig& c) {
         c.lora_rank = 2;
         c.lora_alpha = 2;
         c.lora_matrices = {"q", "k", "v", "o", "in", "out"};
         c.normalise_gates = true;
         c.use_bias = true;
     }},
    {"hybrid stem with a shortcut, clips that tell of change",
     [](ModelConfig& c) {
         c.vision_shortcut = 14;
         c.vision_change = true;
     }},
    {"sounds with a shortcut",
     [](ModelConfig& c) {
         c.sound_shortcut = 14;
     }},
    {"sounds with a shortcut, as loud as they are",
     [](ModelConfig& c) {
         c.sound_shortcut = 14;
         c.standardise_sound = false;
     }},
    {"sounds heard through convolutions",
     [](ModelConfig& c) {
         c.sound_shortcut = 14;
         c.sound_stem_widths = {4, 6, 7};
         c.sound_stem_floor = -0.5;
     }},
    {"sounds heard through convolutions above all",
     [](ModelConfig& c) {
         c.sound_shortcut = 14;
         c.sound_stem_widths = {4, 6, 7};
         c.sound_blocks_share = 0.3;
     }},
};

ModelConfig small(const Variant& variant)
{
    ModelConfig c;
    c.width = 24;
    c.heads = 3;
    c.layers = 3;
    c.sparse_layers = 2;
    c.experts = 3;
    c.ffn_width = 40;
    c.head_width = 20;
    c.joint_dim = 16;
    c.trunk_channels = 10;
    c.trunk_classes = 7;
    c.patch_frames = 2;
    c.patch_size = 4;
    c.time_buckets = 6;
    c.row_buckets = 5;
    c.column_buckets = 3;  // fewer than the columns below: rows repeat
    c.mel_bands = 8;
    c.sound_patch = 4;
    c.sound_time_buckets = 8;
    c.sound_frequency_buckets = 4;
    c.waveform = true;
    c.waveform_patch = 6;
    c.waveform_buckets = 9;
    c.vocabulary = 30;
    c.max_text_tokens = 12;
    c.text_rows = 5;  // fewer than the pieces below: the last row is shared
    variant.change(c);
    return c;
}

at::Tensor random(at::IntArrayRef shape, at::Generator generator) { return at::empty(shape).normal_(0, 1, generator); }

/// Random everywhere: biases, scales, adapters and statistics too, and a router that has opinions.
Parameters random_parameters(const ModelConfig& config, at::Generator generator)
{
    Parameters parameters;
    for (const auto& spec : parameter_specs(config)) {
        at::Tensor value = random(spec.shape, generator);
        if (spec.name.ends_with(".scale") || spec.name.ends_with("_deviation"))
            value = 1 + 0.3 * at::sigmoid(value);
        else if (spec.name.ends_with(".kernel") && spec.name.find("router") == std::string::npos)
            value = value / std::sqrt(double(config.width));
        else
            value = value * 0.5;
        parameters[spec.name] = value;
    }
    return parameters;
}

double furthest(const Rows& wanted, const at::Tensor& found)
{
    const auto flat = to_array(found);
    double most = flat.shape[0] == int64_t(wanted.size()) ? 0 : 1e9;
    for (size_t i = 0; i < wanted.size(); ++i)
        for (size_t d = 0; d < wanted[i].size(); ++d)
            most = std::max(
                most, std::abs(flat.values.at(i * wanted[i].size() + d) - wanted[i][d]) / std::max(1.0, std::abs(wanted[i][d])));
    return most;
}

/// Two thirds of `tokens`, sorted, others for each item.
at::Tensor kept_of(int64_t batch, int64_t tokens, at::Generator generator)
{
    const at::Tensor order = at::empty({batch, tokens}).uniform_(0, 1, generator).argsort(int64_t{-1}, false);
    return std::get<0>(order.narrow(1, 0, tokens * 2 / 3).sort(-1));
}

Oracle::Kept to_kept(const std::optional<at::Tensor>& kept)
{
    Oracle::Kept rows;
    if (kept)
        for (int64_t b = 0; b < kept->size(0); ++b) {
            const auto row = (*kept)[b].contiguous();
            rows.emplace_back(row.const_data_ptr<int64_t>(), row.const_data_ptr<int64_t>() + row.numel());
        }
    return rows;
}

}  // namespace

class TestOracle : public QObject {
    Q_OBJECT

private:
    void compare(const ModelConfig& config, const Oracle::Result& wanted, const Encoding& found)
    {
        const auto close = [](const char* what, double distance) {
            QVERIFY2(distance < 1e-5, qPrintable(QString("%1: off by %2").arg(what).arg(distance)));
        };
        close("pooled", furthest(wanted.pooled, found.pooled));
        for (size_t b = 0; b < wanted.features.size(); ++b)
            close("features", furthest(wanted.features[b], found.features[int64_t(b)]));
        if (config.common_space == CommonSpace::Joint)
            close("vectors", furthest(wanted.vectors, found.vectors));
        QCOMPARE(found.spaces.size(), wanted.spaces.size());
        for (const auto& [target, rows] : wanted.spaces)
            close(target.c_str(), furthest(rows, found.spaces.at(target)));
        if (config.sparse_layers > 0)
            close("z-loss", std::abs(found.auxiliary.z_loss.item<double>() - wanted.z_loss));
        if (config.sparse_layers > 0 && config.router == Router::Tokens)
            close("balance loss", std::abs(found.auxiliary.balance_loss.item<double>() - wanted.balance_loss));
    }

private Q_SLOTS:
    void every_modality_agrees_with_the_oracle_in_fp32_data()
    {
        QTest::addColumn<int>("variant");
        QTest::addColumn<bool>("drops");
        for (size_t i = 0; i < std::size(kVariants); ++i)
            for (const bool drops : {false, true})
                QTest::addRow("%s%s", kVariants[i].name, drops ? ", dropping tokens" : "") << int(i) << drops;
    }
    void every_modality_agrees_with_the_oracle_in_fp32()
    {
        QFETCH(int, variant);
        QFETCH(bool, drops);
        const ModelConfig config = small(kVariants[variant]);
        auto generator = at::detail::createCPUGenerator(uint64_t(7 + variant));
        const Parameters parameters = random_parameters(config, generator);
        const Network network(config, parameters);
        const Oracle oracle(config, parameters);
        const auto choose = [&](int64_t batch, int64_t tokens) -> std::optional<at::Tensor> {
            return drops ? std::optional(kept_of(batch, tokens, generator)) : std::nullopt;
        };

        if (config.vision_stem == VisionStem::Patch) {
            const at::Tensor clip = at::empty({3, 4, 12, 16, 3}).uniform_(0, 256, generator).to(at::kByte);
            const auto kept = choose(3, 2 * 3 * 4);
            compare(config, oracle.pixels(to_array(clip), to_kept(kept)), network.encode_pixels(clip, kept));
            const at::Tensor image = clip.narrow(1, 0, 1);
            const auto fewer = choose(3, 12);
            compare(config, oracle.pixels(to_array(image), to_kept(fewer)), network.encode_pixels(image, fewer));
        } else {
            const at::Tensor map = random({3, 2, 3, 4, config.trunk_channels}, generator),
                             logits = random({3, 2, config.trunk_classes}, generator);
            const auto kept = choose(3, 24);
            compare(config, oracle.map(to_array(map), to_array(logits), to_kept(kept)),
                    network.encode_map(map, network.concept_of(logits), kept));
        }
        const at::Tensor sound = random({3, 24, 8}, generator), wave = random({3, 72}, generator);
        auto kept = choose(3, 12);
        compare(config, oracle.spectrogram(to_array(sound), to_kept(kept)), network.encode_spectrogram(sound, kept));
        kept = choose(3, 12);
        compare(config, oracle.waveform(to_array(wave), to_kept(kept)), network.encode_waveform(wave, kept));
        const at::Tensor ids = at::empty({3, 9}).uniform_(0, 30, generator).to(at::kLong);
        kept = choose(3, 9);
        compare(config, oracle.text(to_array(ids), to_kept(kept)), network.encode_text(ids, kept));
        const at::Tensor mask = at::arange(9).unsqueeze(0) < at::tensor({9, 4, 6}).unsqueeze(1);
        const auto real = to_array(mask.to(at::kDouble));
        compare(config, oracle.text(to_array(ids), to_kept(kept), &real), network.encode_text(ids, kept, mask));
    }

    void gradients_of_a_block_agree_with_finite_differences_data()
    {
        QTest::addColumn<int>("variant");
        for (size_t i = 0; i < std::size(kVariants); ++i)
            QTest::addRow("%s", kVariants[i].name) << int(i);
    }
    void gradients_of_a_block_agree_with_finite_differences()
    {
        QFETCH(int, variant);
        const ModelConfig config = small(kVariants[variant]);
        auto generator = at::detail::createCPUGenerator(uint64_t(31 + variant));
        Parameters parameters = random_parameters(config, generator);
        for (auto& [name, tensor] : parameters)
            tensor = tensor.to(at::kDouble);
        const int layer = config.layers - 1;
        const at::Tensor input = random({3, 6, config.width}, generator).to(at::kDouble);
        const at::Tensor direction = random({3, 6, config.width}, generator).to(at::kDouble);
        const at::Tensor mask = at::zeros({3, 1, 6, 6}, at::kDouble);
        mask[1].select(-1, 5).fill_(-1e10);  // one key that nobody may look at
        const auto loss = [&] {
            Auxiliary auxiliary;
            const at::Tensor out = Block(config, parameters, layer).forward(input, {at::kDouble}, auxiliary, mask);
            at::Tensor sum = (out * direction).sum();
            if (auxiliary.z_loss.defined())
                sum = sum + auxiliary.z_loss;
            if (auxiliary.balance_loss.defined())
                sum = sum + auxiliary.balance_loss * 3;
            return sum;
        };
        std::map<std::string, at::Tensor> leaves = {{"input", input}};
        for (const auto& [name, tensor] : parameters)
            if (name.rfind("encoder." + std::to_string(layer) + ".", 0) == 0)
                leaves[name] = tensor;
        for (auto& [name, leaf] : leaves)
            leaf.requires_grad_(true);
        loss().backward();
        for (auto& [name, leaf] : leaves) {
            QVERIFY2(leaf.grad().defined(), name.c_str());
            const at::Tensor gradient = leaf.grad().clone();
            leaf.requires_grad_(false);
            at::Tensor values = leaf.view(-1);
            const int64_t stride = std::max<int64_t>(1, values.size(0) / 12);
            for (int64_t i = 0; i < values.size(0); i += stride) {
                constexpr double step = 1e-6;
                const double here = values[i].item<double>();
                values[i] = here + step;
                const double above = loss().item<double>();
                values[i] = here - step;
                const double below = loss().item<double>();
                values[i] = here;
                const double wanted = (above - below) / (2 * step), found = gradient.view(-1)[i].item<double>();
                QVERIFY2(std::abs(found - wanted) < 1e-6 * std::max(1.0, std::abs(wanted)),
                         qPrintable(QString("%1[%2]: %3, by differences %4").arg(name.c_str()).arg(i).arg(found).arg(wanted)));
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestOracle)
#include "tst_oracle.moc"
