// SPDX-License-Identifier: Apache-2.0
// Retrieval figures on the photo dev pool.
#include "training/photo_dev.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

namespace imprint::training {

PhotoDev::PhotoDev(const Corpus& corpus, const model::Trunk& trunk, at::Device device, const model::ModelConfig& config,
                   media::Decoder& decoder)
{
    const at::NoGradGuard guard;
    std::ifstream in(corpus.root() / "pools" / "photos.jsonl");
    std::string line;
    while (std::getline(in, line)) {
        const auto row = nlohmann::json::parse(line);
        if (row.at("split") != "dev")
            continue;
        const auto picture = decoder.still(corpus.root() / row.at("path").get<std::string>(), {config.picture_sizes, 0});
        at::Tensor pixels = at::empty({1, picture.height, picture.width, 3}, at::kByte);
        std::memcpy(pixels.mutable_data_ptr(), picture.rgb.data(), picture.rgb.size());
        const auto output = trunk.forward(pixels.to(device), config.own_tail());
        const std::string label = row.at("label");
        maps_.push_back(output.for_network().unsqueeze(1));
        logits_.push_back(output.logits.unsqueeze(1));
        if (std::find(labels_.begin(), labels_.end(), label) == labels_.end()) {
            query_labels_.push_back(label);
            query_texts_.push_back(row.at("text"));
        }
        labels_.push_back(label);
    }
}

DevFigures PhotoDev::rank(const at::Tensor& queries, const at::Tensor& gallery) const
{
    const at::Tensor order = at::matmul(queries.to(gallery.device()), gallery.t()).argsort(false, -1, true).cpu();
    const auto ranks = order.accessor<int64_t, 2>();
    DevFigures figures;
    for (int64_t q = 0; q < order.size(0); ++q) {
        int64_t first = 0;
        while (labels_[static_cast<size_t>(ranks[q][first])] != query_labels_[static_cast<size_t>(q)])
            ++first;
        figures.r1 += first < 1;
        figures.r10 += first < 10;
        figures.mrr += 1.0 / static_cast<double>(first + 1);
    }
    const auto n = static_cast<double>(order.size(0));
    return {100 * figures.r1 / n, 100 * figures.r10 / n, figures.mrr / n};
}

DevFigures PhotoDev::figures(const model::Network& network,
                             const std::function<at::Tensor(const std::vector<int64_t>&)>& encode_texts) const
{
    const at::NoGradGuard guard;
    std::vector<at::Tensor> rows;
    for (size_t i = 0; i < maps_.size(); ++i)
        rows.push_back(network.encode_map(maps_[i], network.concept_of(logits_[i])).vectors);
    return rank(encode_texts(query_texts_), at::cat(rows));
}

DevFigures PhotoDev::concept_figures(const model::Network& network, const Corpus& corpus) const
{
    const at::NoGradGuard guard;
    std::vector<at::Tensor> rows;
    for (const auto& logits : logits_)
        rows.push_back(network.concept_of(logits));
    return rank(corpus.teacher(query_texts_), at::cat(rows));
}

}  // namespace imprint::training
