// SPDX-License-Identifier: Apache-2.0
// The network once more, as slow and plain as can be: loops over double, written from imp_method.md sections 1 and 2 and not
// from the product's code. What both agree on is right, or wrong in the method's text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/model/parameters.h"

namespace imprint::tests {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// Plain arrays: shape and values, last index fastest.
struct Array {
    std::vector<int64_t> shape;
    std::vector<double> values;
};
Array to_array(const at::Tensor& tensor);

class Oracle {
public:
    Oracle(const model::ModelConfig& config, const model::Parameters& parameters);

    struct Result {
        Rows pooled;                         ///< per item
        Rows vectors;                        ///< joint space: unit length
        std::map<std::string, Rows> spaces;  ///< disjoint space: target → per item
        std::vector<Rows> features;          ///< per item and token, after the final norm
        double z_loss = 0, balance_loss = 0;
    };
    /// Indices of the tokens that stay, per item; empty: all.
    using Kept = std::vector<std::vector<int64_t>>;

    Result pixels(const Array& bytes, const Kept& kept) const;                  ///< [batch, frames, height, width, 3]
    Result map(const Array& map, const Array& logits, const Kept& kept) const;  ///< [batch, frames, rows, columns, channels]
    Result spectrogram(const Array& values, const Kept& kept) const;            ///< [batch, frames, bands]
    Result waveform(const Array& samples, const Kept& kept) const;              ///< [batch, samples]
    Result text(const Array& ids, const Kept& kept, const Array* mask = nullptr) const;  ///< [batch, tokens]

private:
    struct Item {
        Rows tokens, positions;
        Rows change;             ///< what a token gains from how it differs from its place's mean; empty: nothing
        Row extra;               ///< a token in front, or none
        std::vector<bool> real;  ///< no pad; empty: all
    };
    const Array& get(const std::string& name) const;
    bool has(const std::string& name) const { return parameters_.count(name) > 0; }
    Row table_row(const std::string& table, int64_t row) const;
    Row affine(const Row& x, const std::string& name) const;
    Row block_matrix(const Row& x, const std::string& name, int expert = -1) const;
    Row norm(const Row& x, const std::string& name) const;
    Row head(const Row& pooled, const std::string& name) const;
    Row over_time(const Array& values, int64_t item) const;  ///< of a spectrogram's bands, for the shortcut
    Row through_stem(const Array& values, int64_t item) const;  ///< of a spectrogram by convolutions, likewise
    Rows vision_positions(int64_t frames, int64_t rows, int64_t columns) const;
    void attention(Rows& x, const std::string& block, const std::vector<bool>& real) const;
    void dense_ffn(Rows& x, const std::string& block) const;
    void sparse_ffn(std::vector<Rows>& items, const std::string& block, Result& result) const;
    void sparse_group(std::vector<Row*>& group, const std::string& block, double& z, double& balance) const;
    Result encode(const std::string& modality, std::vector<Item> items, const Kept& kept) const;

    model::ModelConfig config_;
    std::map<std::string, Array> parameters_;
};

}  // namespace imprint::tests
