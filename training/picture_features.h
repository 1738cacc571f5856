// SPDX-License-Identifier: Apache-2.0
// What the frozen trunk sees of every training picture, computed once and kept on disk.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/decoder.h"
#include "core/model/safetensors.h"
#include "core/model/trunk.h"
#include "training/corpus.h"

namespace imprint::training {

/// Where one view of one picture lies: a file of the cache (all of one map shape) and a row in it.
struct ViewPlace {
    int32_t file = 0;
    int32_t row = 0;
};

/// Trunk maps (bf16) and logits (fp32) of all pictures of a corpus: view 0 is the whole picture as search would
/// see it; pictures of role Pair have `crops` more views, random crops of 40 to 100 % of the area, half of them mirrored, all
/// of other light and colour.
/// A film's views are its frames, in order. Which crops is a function of the seed and the item's id. The files are mapped, not
/// read into memory.
class PictureFeatures {
public:
    /// Of no picture: for runs that look at none.
    explicit PictureFeatures(const Corpus& corpus) : device_(at::kCPU), views_(corpus.items().size()) { }
    /// Opens the cache below `folder` or builds it, decoding on all workers and running the trunk, whose weights lie on `device`,
    /// on all threads. On a GPU the whole cache is kept in its memory.
    PictureFeatures(const Corpus& corpus, const model::ModelConfig& config, int crops, uint64_t seed, const model::Trunk& trunk,
                    at::Device device, media::Decoder& decoder, const std::filesystem::path& folder,
                    const std::function<void(const std::string&)>& log, const CancelToken& cancel);

    /// Views of an item by its index in Corpus::items(); empty for sounds and for pictures that could not be decoded.
    const std::vector<ViewPlace>& views(size_t item) const { return views_[item]; }
    /// Rows and columns of tokens that the network makes of the maps in a file of the cache.
    std::pair<int64_t, int64_t> grid(int32_t file) const { return grids_[static_cast<size_t>(file)]; }

    /// [n, rows, columns, channels] bf16, on the device, as the network of the configuration reads them; all places must be of
    /// one grid.
    at::Tensor maps(const std::vector<ViewPlace>& places) const;
    /// [n, classes] fp32, on the device
    at::Tensor logits(const std::vector<ViewPlace>& places) const;

    /// Mean and deviation per channel over a sample of the maps, on the CPU. `last_map` is Network::last_map.
    std::pair<at::Tensor, at::Tensor> channel_statistics(const std::function<at::Tensor(const at::Tensor&)>& last_map) const;

private:
    void build(const Corpus& corpus, const model::ModelConfig& config, int crops, uint64_t seed, const model::Trunk& trunk,
               media::Decoder& decoder, const std::filesystem::path& folder, const std::function<void(const std::string&)>& log,
               const CancelToken& cancel) const;
    void open(const Corpus& corpus, bool own_tail, const std::filesystem::path& folder);

    at::Device device_;
    std::vector<model::SafetensorsFile> files_;
    std::vector<at::Tensor> maps_, logits_;
    std::vector<std::pair<int64_t, int64_t>> grids_;
    std::vector<std::vector<ViewPlace>> views_;
};

}  // namespace imprint::training
