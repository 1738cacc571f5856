// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/oracle.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace imprint::tests {
namespace {

Row operator+(const Row& a, const Row& b)
{
    Row sum(a.size());
    for (size_t i = 0; i < a.size(); ++i)
        sum[i] = a[i] + b[i];
    return sum;
}

double gelu(double x)  // the tanh approximation
{
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

Row unit(const Row& v)
{
    double square = 0;
    for (const double x : v)
        square += x * x;
    Row out = v;
    for (double& x : out)
        x /= std::sqrt(square) + 1e-6;
    return out;
}

Row softmax(const Row& logits)
{
    const double most = *std::max_element(logits.begin(), logits.end());
    Row out = logits;
    double sum = 0;
    for (double& x : out)
        sum += x = std::exp(x - most);
    for (double& x : out)
        x /= sum;
    return out;
}

Row normalised(const Row& x, const Row& scale, const Row& bias)
{
    double mean = 0, square = 0;
    for (const double value : x) {
        mean += value / double(x.size());
        square += value * value / double(x.size());
    }
    const double deviation = std::sqrt(std::max(square - mean * mean, 0.0) + 1e-6);
    Row out(x.size());
    for (size_t i = 0; i < x.size(); ++i)
        out[i] = (x[i] - mean) / deviation * scale[i] + (bias.empty() ? 0 : bias[i]);
    return out;
}

/// Python's round: half to even.
int64_t python_round(double x)
{
    const double low = std::floor(x);
    if (x - low != 0.5)
        return static_cast<int64_t>(std::floor(x + 0.5));
    return static_cast<int64_t>(low) + (static_cast<int64_t>(low) % 2 != 0);
}

std::vector<int64_t> falling_order(const Row& values)
{
    std::vector<int64_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return values[size_t(a)] > values[size_t(b)]; });
    return order;
}

}  // namespace

Array to_array(const at::Tensor& tensor)
{
    const at::Tensor flat = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
    return {flat.sizes().vec(), {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()}};
}

Oracle::Oracle(const model::ModelConfig& config, const model::Parameters& parameters) : config_(config)
{
    for (const auto& [name, tensor] : parameters)
        parameters_[name] = to_array(tensor);
}

const Array& Oracle::get(const std::string& name) const { return parameters_.at(name); }

Row Oracle::table_row(const std::string& table, int64_t row) const
{
    const Array& t = get(table);
    row = std::min(row, t.shape[0] - 1);
    return {t.values.begin() + row * t.shape[1], t.values.begin() + (row + 1) * t.shape[1]};
}

Row Oracle::affine(const Row& x, const std::string& name) const
{
    const Array& w = get(name + ".kernel");  // [out, in]
    const Array& b = get(name + ".bias");
    Row out(b.values);
    for (size_t o = 0; o < out.size(); ++o)
        for (size_t i = 0; i < x.size(); ++i)
            out[o] += w.values[o * x.size() + i] * x[i];
    return out;
}

// A block's matrix: without bias unless the configuration has them, and with its adapter. Experts' are [expert, in, out].
Row Oracle::block_matrix(const Row& x, const std::string& name, int expert) const
{
    const auto product = [&](const Row& in, const std::string& matrix) {
        const Array& w = get(matrix);
        const bool many = w.shape.size() == 3;
        const auto out_size = size_t(many ? w.shape[2] : w.shape[0]);
        const size_t first = many ? size_t(expert) * in.size() * out_size : 0;
        Row out(out_size, 0.0);
        for (size_t o = 0; o < out_size; ++o)
            for (size_t i = 0; i < in.size(); ++i)
                out[o] += in[i] * w.values[many ? first + i * out_size + o : o * in.size() + i];
        return out;
    };
    Row out = product(x, name + ".kernel");
    if (has(name + ".lora_down")) {
        const Row adapted = product(product(x, name + ".lora_down"), name + ".lora_up");
        for (size_t o = 0; o < out.size(); ++o)
            out[o] += adapted[o] * config_.lora_alpha / config_.lora_rank;
    }
    if (has(name + ".bias"))
        for (size_t o = 0; o < out.size(); ++o)
            out[o] += get(name + ".bias").values[(expert > 0 ? size_t(expert) * out.size() : 0) + o];
    return out;
}

Row Oracle::norm(const Row& x, const std::string& name) const
{
    return normalised(x, get(name + ".scale").values, has(name + ".bias") ? get(name + ".bias").values : Row{});
}

Row Oracle::head(const Row& pooled, const std::string& name) const
{
    Row hidden = affine(pooled, name + ".hidden");
    for (double& value : hidden)
        value = gelu(value);
    return norm(affine(hidden, name + ".out"), name + ".norm");
}

Rows Oracle::vision_positions(int64_t frames, int64_t rows, int64_t columns) const
{
    Rows positions;
    for (int64_t t = 0; t < frames; ++t)
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < columns; ++c)
                positions.push_back(table_row("vision.position.time", t * config_.time_buckets / frames)
                                    + table_row("vision.position.row", r * config_.row_buckets / rows)
                                    + table_row("vision.position.column", c * config_.column_buckets / columns));
    return positions;
}

void Oracle::attention(Rows& x, const std::string& block, const std::vector<bool>& real) const
{
    const size_t head = size_t(config_.head_dim());
    Rows q, k, v;
    for (const Row& token : x) {
        const Row normed = norm(token, block + "attention.norm");
        q.push_back(block_matrix(normed, block + "attention.q"));
        k.push_back(block_matrix(normed, block + "attention.k"));
        v.push_back(block_matrix(normed, block + "attention.v"));
    }
    const auto part = [&](const Row& row, size_t h, const char* qk) {
        const Row piece(row.begin() + long(h * head), row.begin() + long((h + 1) * head));
        return config_.qk_norm ? norm(piece, block + "attention." + qk + "_norm") : piece;
    };
    Rows mixed(x.size(), Row(x.front().size(), 0.0));
    for (size_t h = 0; h < size_t(config_.heads); ++h)
        for (size_t i = 0; i < x.size(); ++i) {
            const Row query = part(q[i], h, "q");
            Row scores(x.size(), 0.0);
            for (size_t j = 0; j < x.size(); ++j) {
                const Row key = part(k[j], h, "k");
                for (size_t d = 0; d < head; ++d)
                    scores[j] += query[d] / std::sqrt(double(head)) * key[d];
                if (!real.empty() && !(real[i] && real[j]))
                    scores[j] = scores[j] - 1e10;
            }
            // A pad's own scores are all masked: in fp32 nothing but -1e10 is left of them.
            if (!real.empty() && !real[i])
                std::fill(scores.begin(), scores.end(), -1e10);
            const Row weights = softmax(scores);
            for (size_t j = 0; j < x.size(); ++j)
                for (size_t d = 0; d < head; ++d)
                    mixed[i][h * head + d] += weights[j] * v[j][h * head + d];
        }
    for (size_t i = 0; i < x.size(); ++i)
        x[i] = x[i] + block_matrix(mixed[i], block + "attention.o");
}

void Oracle::dense_ffn(Rows& x, const std::string& block) const
{
    for (Row& token : x) {
        Row hidden = block_matrix(norm(token, block + "ffn.norm"), block + "ffn.in");
        for (double& value : hidden)
            value = gelu(value);
        token = token + block_matrix(hidden, block + "ffn.out");
    }
}

void Oracle::sparse_ffn(std::vector<Rows>& items, const std::string& block, Result& result) const
{
    std::vector<std::vector<Row*>> groups;
    if (config_.routing_group == model::RoutingGroup::Item) {
        for (Rows& item : items) {
            groups.emplace_back();
            for (Row& token : item)
                groups.back().push_back(&token);
        }
    } else {
        std::vector<Row*> all;
        for (Rows& item : items)
            for (Row& token : item)
                all.push_back(&token);
        const auto tokens = int64_t(all.size());
        int64_t count = std::max<int64_t>(tokens / config_.max_group, config_.experts);
        while (tokens % count != 0 || count % config_.experts != 0)
            ++count;
        for (int64_t g = 0; g < count; ++g)
            groups.emplace_back(all.begin() + g * tokens / count, all.begin() + (g + 1) * tokens / count);
    }
    double z = 0, balance = 0;
    for (auto& group : groups)
        sparse_group(group, block, z, balance);
    result.z_loss += z / double(groups.size());
    result.balance_loss += balance / double(groups.size());
}

void Oracle::sparse_group(std::vector<Row*>& group, const std::string& block, double& z, double& balance) const
{
    const size_t tokens = group.size(), experts = size_t(config_.experts);
    const Array& router = get(block + "ffn.router.kernel");  // [experts, width]
    Rows normed, probabilities;
    for (const Row* token : group) {
        normed.push_back(norm(*token, block + "ffn.norm"));
        Row logits(experts, 0.0);
        double sum = 0;
        for (size_t e = 0; e < experts; ++e)
            for (size_t i = 0; i < token->size(); ++i)
                logits[e] += normed.back()[i] * router.values[e * token->size() + i];
        for (const double logit : logits)
            sum += std::exp(logit);
        z += std::log(sum) * std::log(sum) / double(tokens);
        probabilities.push_back(softmax(logits));
    }
    const int64_t capacity = std::min<int64_t>(
        int64_t(tokens),
        std::max<int64_t>(python_round(config_.capacity_factor * double(tokens) / double(experts)), config_.min_capacity));

    std::vector<std::vector<int64_t>> taken(experts);  // the tokens of each expert
    if (config_.router == model::Router::Experts) {
        for (size_t e = 0; e < experts; ++e) {
            Row column;
            for (const Row& p : probabilities)
                column.push_back(p[e]);
            const auto order = falling_order(column);
            taken[e].assign(order.begin(), order.begin() + capacity);
        }
    } else {
        std::vector<std::vector<int64_t>> choices;
        Row surest;
        for (const Row& p : probabilities) {
            choices.push_back(falling_order(p));
            surest.push_back(p[size_t(choices.back()[0])]);
        }
        std::vector<int64_t> served(tokens);
        std::iota(served.begin(), served.end(), 0);
        if (config_.batch_priority)
            served = falling_order(surest);
        Row chosen_by(experts, 0.0);
        for (int rank = 0; rank < config_.router_top_k; ++rank)
            for (const int64_t token : served) {
                const auto expert = size_t(choices[size_t(token)][size_t(rank)]);
                chosen_by[expert] += 1;
                if (int64_t(taken[expert].size()) < capacity)
                    taken[expert].push_back(token);
            }
        for (size_t e = 0; e < experts; ++e) {
            double mean = 0;
            for (const Row& p : probabilities)
                mean += p[e] / double(tokens);
            balance += double(experts * experts) * (chosen_by[e] / double(tokens)) * mean / double(experts);
        }
    }

    Rows added(tokens, Row(group.front()->size(), 0.0));
    Row gates(tokens, 0.0);
    for (size_t e = 0; e < experts; ++e)
        for (const int64_t token : taken[e]) {
            Row hidden = block_matrix(normed[size_t(token)], block + "ffn.in", int(e));
            for (double& value : hidden)
                value = gelu(value);
            const Row out = block_matrix(hidden, block + "ffn.out", int(e));
            const double gate = probabilities[size_t(token)][e];
            gates[size_t(token)] += gate;
            for (size_t i = 0; i < out.size(); ++i)
                added[size_t(token)][i] += gate * out[i];
        }
    for (size_t token = 0; token < tokens; ++token) {
        if (config_.normalise_gates && gates[token] > 0)
            for (double& value : added[token])
                value /= gates[token];
        *group[token] = *group[token] + added[token];
    }
}

Oracle::Result Oracle::encode(const std::string& modality, std::vector<Item> items, const Kept& kept) const
{
    std::vector<Rows> x;
    for (size_t b = 0; b < items.size(); ++b) {
        Item& item = items[b];
        Rows tokens;
        std::vector<bool> real;
        std::vector<int64_t> all(item.tokens.size());
        std::iota(all.begin(), all.end(), 0);
        if (config_.aggregation_token)
            tokens.push_back(table_row(modality + ".aggregation_token", 0));
        if (!item.extra.empty())
            tokens.push_back(item.extra);
        real.assign(tokens.size(), true);
        for (const int64_t i : kept.empty() ? all : kept[b]) {
            Row token = modality == "text" ? item.tokens[size_t(i)] : affine(item.tokens[size_t(i)], modality + ".input");
            if (!item.change.empty())
                token = token + item.change[size_t(i)];
            tokens.push_back(token + norm(item.positions[size_t(i)], modality + ".position.norm"));
            real.push_back(item.real.empty() || item.real[size_t(i)]);
        }
        for (Row& token : tokens)
            token = affine(token, modality + ".pre");
        x.push_back(tokens);
        if (!item.real.empty())
            item.real = real;
    }

    Result result;
    for (int layer = 0; layer < config_.layers; ++layer) {
        const std::string block = "encoder." + std::to_string(layer) + ".";
        for (size_t b = 0; b < x.size(); ++b)
            attention(x[b], block, items[b].real);
        if (config_.sparse(layer))
            sparse_ffn(x, block, result);
        else
            for (Rows& item : x)
                dense_ffn(item, block);
    }
    for (size_t b = 0; b < x.size(); ++b) {
        Rows projected;
        for (Row& token : x[b]) {
            token = norm(token, "encoder.norm");
            projected.push_back(affine(token, modality + ".post"));
        }
        result.features.push_back(x[b]);
        Row pooled(projected.front().size(), 0.0);
        if (config_.aggregation_token) {
            pooled = projected.front();
        } else {
            const auto& real = items[b].real;
            double count = 0;
            for (size_t i = 0; i < projected.size(); ++i)
                if (real.empty() || real[i]) {
                    ++count;
                    pooled = pooled + projected[i];
                }
            for (double& value : pooled)
                value /= real.empty() ? count : count + 1e-6;
        }
        result.pooled.push_back(pooled);
        if (config_.common_space == model::CommonSpace::Joint)
            result.vectors.push_back(unit(head(pooled, modality + ".head")));
        else
            for (const auto& target : config_.modalities())
                if (target != modality)
                    result.spaces[target].push_back(head(pooled, modality + ".to_" + target));
    }
    return result;
}

Oracle::Result Oracle::pixels(const Array& bytes, const Kept& kept) const
{
    const int64_t f = config_.patch_frames, p = config_.patch_size;
    const int64_t frames = bytes.shape[1], height = bytes.shape[2], width = bytes.shape[3];
    const int64_t steps = std::max<int64_t>(1, frames / f);
    std::vector<Item> items;
    for (int64_t b = 0; b < bytes.shape[0]; ++b) {
        Item item;
        for (int64_t t = 0; t < steps; ++t)
            for (int64_t r = 0; r < height / p; ++r)
                for (int64_t c = 0; c < width / p; ++c) {
                    Row patch;
                    for (int64_t dt = 0; dt < f; ++dt)
                        for (int64_t dr = 0; dr < p; ++dr)
                            for (int64_t dc = 0; dc < p; ++dc)
                                for (int64_t colour = 0; colour < 3; ++colour) {
                                    const int64_t frame = (t * f + dt) % frames;
                                    const int64_t at =
                                        (((b * frames + frame) * height + r * p + dr) * width + c * p + dc) * 3 + colour;
                                    patch.push_back(bytes.values[size_t(at)] / 255 * 2 - 1);
                                }
                    item.tokens.push_back(patch);
                }
        item.positions = vision_positions(steps, height / p, width / p);
        items.push_back(item);
    }
    return encode("vision", items, kept);
}

Oracle::Result Oracle::map(const Array& map, const Array& logits, const Kept& kept) const
{
    const int64_t frames = map.shape[1], rows = map.shape[2], columns = map.shape[3], channels = map.shape[4];
    const Array &mean = get("vision.map_mean"), &deviation = get("vision.map_deviation"), &texts = get("concept.class_text");
    std::vector<Item> items;
    Rows concepts, averages;
    for (int64_t b = 0; b < map.shape[0]; ++b) {
        Row idea(size_t(texts.shape[1]), 0.0);
        for (int64_t t = 0; t < frames; ++t) {
            Row scaled;
            for (int64_t k = 0; k < texts.shape[0]; ++k)
                scaled.push_back(logits.values[size_t((b * frames + t) * texts.shape[0] + k)] / config_.concept_temperature);
            const Row weights = softmax(scaled);
            for (size_t k = 0; k < weights.size(); ++k)
                for (size_t d = 0; d < idea.size(); ++d)
                    idea[d] += weights[k] * texts.values[k * idea.size() + d] / double(frames);
        }
        concepts.push_back(unit(idea));
        Item item;
        item.extra = affine(concepts.back(), "concept.input");
        const int64_t places = rows * columns;
        for (int64_t i = 0; i < frames * places; ++i) {
            Row token;
            for (int64_t d = 0; d < channels; ++d)
                token.push_back((map.values[size_t((b * frames * places + i) * channels + d)] - mean.values[size_t(d)])
                                / deviation.values[size_t(d)]);
            item.tokens.push_back(token);
        }
        Row& average = averages.emplace_back(size_t(channels), 0.0);
        for (const Row& token : item.tokens)
            for (size_t d = 0; d < token.size(); ++d)
                average[d] += token[d] / double(item.tokens.size());
        for (int64_t i = 0; config_.vision_change && frames > 1 && i < frames * places; ++i) {
            Row differs = item.tokens[size_t(i)];
            for (int64_t t = 0; t < frames; ++t)
                for (size_t d = 0; d < differs.size(); ++d)
                    differs[d] -= item.tokens[size_t(t * places + i % places)][d] / double(frames);
            item.change.push_back(block_matrix(differs, "vision.change"));
        }
        item.positions = vision_positions(frames, rows, columns);
        items.push_back(item);
    }
    Result result = encode("vision", items, kept);
    for (size_t b = 0; b < concepts.size(); ++b) {
        if (config_.vision_shortcut > 0) {
            Row told = averages[b];
            for (const double value : concepts[b])
                told.push_back(value * std::sqrt(double(config_.joint_dim)));
            result.vectors[b] = unit(result.vectors[b] + unit(head(told, "vision.shortcut")));
        }
        const Row& seen = config_.vision_shortcut > 0 ? averages[b] : result.pooled[b];
        const double gate = 0.1 + 0.8 / (1 + std::exp(-affine(seen, "concept.gate")[0]));
        Row mix(concepts[b].size());
        for (size_t d = 0; d < mix.size(); ++d)
            mix[d] = gate * concepts[b][d] + (1 - gate) * result.vectors[b][d];
        result.vectors[b] = unit(mix);
    }
    return result;
}

Oracle::Result Oracle::spectrogram(const Array& values, const Kept& kept) const
{
    const int64_t p = config_.sound_patch, frames = values.shape[1], bands = values.shape[2];
    std::vector<Item> items;
    for (int64_t b = 0; b < values.shape[0]; ++b) {
        Item item;
        for (int64_t t = 0; t < frames / p; ++t)
            for (int64_t m = 0; m < bands / p; ++m) {
                Row patch;
                for (int64_t dt = 0; dt < p; ++dt)
                    for (int64_t dm = 0; dm < p; ++dm) {
                        const int64_t band = m * p + dm;
                        double value = values.values[size_t((b * frames + t * p + dt) * bands + band)];
                        if (config_.standardise_sound)
                            value = (value - get("sound.mel_mean").values[size_t(band)])
                                / get("sound.mel_deviation").values[size_t(band)];
                        patch.push_back(value);
                    }
                item.tokens.push_back(patch);
                const int64_t row = config_.sound_time_by_share ? t * config_.sound_time_buckets / (frames / p) : t;
                item.positions.push_back(
                    table_row("sound.position.time", row)
                    + table_row("sound.position.frequency", m * config_.sound_frequency_buckets / (bands / p)));
            }
        items.push_back(item);
    }
    Result result = encode("sound", items, kept);
    for (int64_t b = 0; config_.sound_shortcut > 0 && b < values.shape[0]; ++b) {
        const Row told = config_.sound_stem_widths.empty() ? over_time(values, b) : through_stem(values, b);
        Row& vector = result.vectors[size_t(b)];
        for (double& number : vector)
            number *= config_.sound_blocks_share;
        vector = unit(vector + unit(head(told, "sound.shortcut")));
    }
    return result;
}

Oracle::Result Oracle::waveform(const Array& samples, const Kept& kept) const
{
    const int64_t p = config_.waveform_patch, count = samples.shape[1] / p;
    std::vector<Item> items;
    for (int64_t b = 0; b < samples.shape[0]; ++b) {
        Item item;
        for (int64_t i = 0; i < count; ++i) {
            const auto from = samples.values.begin() + b * samples.shape[1] + i * p;
            item.tokens.emplace_back(from, from + p);
            item.positions.push_back(table_row("waveform.position", i * config_.waveform_buckets / count));
        }
        items.push_back(item);
    }
    return encode("waveform", items, kept);
}

Oracle::Result Oracle::text(const Array& ids, const Kept& kept, const Array* mask) const
{
    std::vector<Item> items;
    for (int64_t b = 0; b < ids.shape[0]; ++b) {
        Item item;
        for (int64_t i = 0; i < ids.shape[1]; ++i) {
            const auto place = size_t(b * ids.shape[1] + i);
            Row token = table_row("text.table", int64_t(ids.values[place]));
            if (config_.scale_text)
                for (double& value : token)
                    value *= std::sqrt(double(config_.width));
            item.tokens.push_back(token);
            item.positions.push_back(table_row("text.position", i));
            if (mask)
                item.real.push_back(mask->values[place] != 0);
        }
        items.push_back(item);
    }
    return encode("text", items, kept);
}

}  // namespace imprint::tests
