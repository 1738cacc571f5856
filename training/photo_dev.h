// SPDX-License-Identifier: Apache-2.0
// The photo dev pool, looked at while training: it is what a run is stopped and chosen by, and is never reported.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "core/media/decoder.h"
#include "core/model/network.h"
#include "core/model/trunk.h"
#include "training/corpus.h"

namespace imprint::training {

struct DevFigures {
    double r1 = 0, r10 = 0, mrr = 0;  ///< per cent, per cent, mean reciprocal rank of the first right picture
};

class PhotoDev {
public:
    /// Decodes the dev pictures once and keeps their trunk features. An absent pool gives an empty dev set.
    /// The trunk's weights lie on `device`; `config` is the network's.
    PhotoDev(const Corpus& corpus, const model::Trunk& trunk, at::Device device, const model::ModelConfig& config,
             media::Decoder& decoder);

    bool empty() const { return labels_.empty(); }
    size_t queries() const { return query_texts_.size(); }
    /// `encode_texts` gives unit vectors of texts by index.
    DevFigures figures(const model::Network& network, const std::function<at::Tensor(const std::vector<int64_t>&)>& encode_texts) const;
    /// Untrained: concept vectors against the teacher's vectors.
    DevFigures concept_figures(const model::Network& network, const Corpus& corpus) const;

private:
    DevFigures rank(const at::Tensor& queries, const at::Tensor& gallery) const;

    std::vector<std::string> labels_;      // of the gallery
    std::vector<std::string> query_labels_;
    std::vector<int64_t> query_texts_;
    std::vector<at::Tensor> maps_, logits_;  // one picture each
};

}  // namespace imprint::training
