// SPDX-License-Identifier: Apache-2.0
// Builds and reads the cache of trunk features.
#include "training/picture_features.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <thread>

#include "core/base/error.h"
#include "core/model/parameters.h"
#include "training/draws.h"

namespace imprint::training {
namespace {

constexpr int64_t kRowsPerFile = 1024;
constexpr size_t kDecodedAhead = 64;
constexpr size_t kTogether = 32, kTogetherOnGpu = 256;  // views that go through the trunk at once
constexpr uint64_t kCropPurpose = 0x63726f70;

struct DecodedView {
    int64_t item_id = 0;
    int64_t view = 0;
    at::Tensor pixels;  // uint8 [height, width, 3], one of the encoder's sizes
};

at::Tensor to_pixels(const media::Picture& picture)
{
    at::Tensor pixels = at::empty({picture.height, picture.width, 3}, at::kByte);
    std::memcpy(pixels.mutable_data_ptr(), picture.rgb.data(), picture.rgb.size());
    return pixels;
}

media::Size nearest_size(double aspect, const std::vector<media::Size>& sizes)
{
    return *std::min_element(sizes.begin(), sizes.end(), [&](const auto& a, const auto& b) {
        const auto distance = [&](const media::Size& s) { return std::abs(std::log(aspect * s.height / s.width)); };
        return distance(a) < distance(b);
    });
}

/// Lighter or darker, greyer or more colourful. planes: [1, 3, height, width].
at::Tensor in_other_light(const at::Tensor& planes, Draws& draws)
{
    const double contrast = draws.between(0.7, 1.3), brightness = draws.between(-30, 30), colour = draws.between(0.5, 1.3);
    const at::Tensor grey = planes.mean(1, true);
    return (grey + (planes - grey) * colour) * contrast + brightness;
}

at::Tensor random_crop(const at::Tensor& pixels, const std::vector<media::Size>& sizes, Draws& draws)
{
    const double area = draws.between(0.4, 1.0), stretch = std::exp(draws.between(-0.3, 0.3));
    const auto side = [&](int64_t full, double factor) {
        return std::clamp<int64_t>(static_cast<int64_t>(static_cast<double>(full) * factor), std::min<int64_t>(full, 16), full);
    };
    const int64_t height = side(pixels.size(0), std::sqrt(area) * stretch), width = side(pixels.size(1), std::sqrt(area) / stretch);
    const int64_t top = draws.below(pixels.size(0) - height + 1), left = draws.below(pixels.size(1) - width + 1);
    at::Tensor crop = pixels.narrow(0, top, height).narrow(1, left, width);
    if (draws.uniform() < 0.5)
        crop = crop.flip({1});
    const auto size = nearest_size(static_cast<double>(width) / static_cast<double>(height), sizes);
    const at::Tensor planes = crop.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat);
    const at::Tensor scaled = at::_upsample_bicubic2d_aa(planes, {size.height, size.width}, false);
    return in_other_light(scaled, draws).squeeze(0).permute({1, 2, 0}).round().clamp(0, 255).to(at::kByte).contiguous();
}

/// Collects rows of one grid and writes a file whenever kRowsPerFile are together.
class GridWriter {
public:
    GridWriter(std::filesystem::path folder, int64_t rows, int64_t columns)
        : folder_(std::move(folder)), name_(std::to_string(rows) + "x" + std::to_string(columns))
    {
    }
    void add(const at::Tensor& map, const at::Tensor& logits, int64_t item, int64_t view)
    {
        maps_.push_back(map.to(at::kBFloat16));
        logits_.push_back(logits);
        items_.push_back(item);
        item_views_.push_back(view);
        if (static_cast<int64_t>(items_.size()) >= kRowsPerFile)
            flush();
    }
    void flush()
    {
        if (items_.empty())
            return;
        const auto stored = [](const at::Tensor& t, model::DType type) { return model::to_stored(t, type); };
        const auto maps = stored(at::stack(maps_), model::DType::BF16), logits = stored(at::stack(logits_), model::DType::F32),
                   items = stored(at::tensor(items_, at::kLong), model::DType::I64),
                   views = stored(at::tensor(item_views_, at::kLong), model::DType::I64);
        model::write_safetensors(folder_ / (name_ + "-" + std::to_string(number_++) + ".safetensors"), {},
                                 {{"maps", maps.view}, {"logits", logits.view}, {"items", items.view}, {"views", views.view}});
        maps_.clear();
        logits_.clear();
        items_.clear();
        item_views_.clear();
    }

private:
    std::filesystem::path folder_;
    std::string name_;
    int number_ = 0;
    std::vector<at::Tensor> maps_, logits_;
    std::vector<int64_t> items_, item_views_;
};

}  // namespace

PictureFeatures::PictureFeatures(const Corpus& corpus, const model::ModelConfig& config, int crops, uint64_t seed,
                                 const model::Trunk& trunk, at::Device device, media::Decoder& decoder,
                                 const std::filesystem::path& folder, const std::function<void(const std::string&)>& log,
                                 const CancelToken& cancel)
    : device_(device)
{
    // The folder appears under its name only when it is complete.
    if (!std::filesystem::exists(folder)) {
        const std::filesystem::path building = folder.string() + ".building";
        std::filesystem::remove_all(building);
        std::filesystem::create_directories(building);
        build(corpus, config, crops, seed, trunk, decoder, building, log, cancel);
        std::filesystem::rename(building, folder);
    }
    open(corpus, config.own_tail(), folder);
}

void PictureFeatures::build(const Corpus& corpus, const model::ModelConfig& config, int crops, uint64_t seed,
                            const model::Trunk& trunk, media::Decoder& decoder, const std::filesystem::path& folder,
                            const std::function<void(const std::string&)>& log, const CancelToken& cancel) const
{
    const std::vector<media::Size>& sizes = config.picture_sizes;
    std::vector<const Item*> pictures;
    for (const Item& item : corpus.items())
        if (!item.sound)
            pictures.push_back(&item);
    std::map<std::pair<int64_t, int64_t>, GridWriter> writers;
    std::map<std::pair<int64_t, int64_t>, std::vector<DecodedView>> waiting;
    const c10::InferenceMode guard;

    const auto run_trunk = [&](std::vector<DecodedView>& views) {
        std::vector<at::Tensor> pixels;
        for (const auto& view : views)
            pixels.push_back(view.pixels);
        const auto seen = trunk.forward(at::stack(pixels).to(device_), config.own_tail());
        const at::Tensor read = seen.for_network().cpu(), logits = seen.logits.cpu();
        const std::pair grid(read.size(1), read.size(2));
        auto& writer = writers.try_emplace(grid, folder, grid.first, grid.second).first->second;
        for (size_t i = 0; i < views.size(); ++i)
            writer.add(read[static_cast<int64_t>(i)], logits[static_cast<int64_t>(i)], views[i].item_id, views[i].view);
        views.clear();
    };

    const size_t together = device_.is_cuda() ? kTogetherOnGpu : kTogether;
    // Blocks of pictures are decoded by a few threads (each waits on a worker process), then go through the trunk.
    int64_t failed = 0;
    for (size_t begin = 0; begin < pictures.size(); begin += kDecodedAhead) {
        cancel.check();
        const size_t end = std::min(pictures.size(), begin + kDecodedAhead);
        std::vector<std::vector<DecodedView>> decoded(end - begin);
        std::atomic<size_t> next{begin};
        std::atomic<int64_t> bad{0};
        const auto decode = [&] {
            const c10::InferenceMode thread_guard;
            for (size_t i = next++; i < end; i = next++) {
                const Item& item = *pictures[i];
                try {
                    auto& views = decoded[i - begin];
                    for (int frame = 0; frame < item.frames; ++frame)
                        views.push_back({item.id, frame, to_pixels(decoder.still(item.path / (std::to_string(frame) + ".jpg"), {sizes, 0}, cancel))});
                    if (item.frames > 0)
                        continue;
                    views.push_back({item.id, 0, to_pixels(decoder.still(item.path, {sizes, 0}, cancel))});
                    if (item.role == Role::Pair && crops > 0) {
                        const at::Tensor whole = to_pixels(decoder.still(item.path, {{}, 512}, cancel));
                        Draws draws(seed, static_cast<uint64_t>(item.id), kCropPurpose);
                        for (int view = 1; view <= crops; ++view)
                            views.push_back({item.id, view, random_crop(whole, sizes, draws)});
                    }
                } catch (const Error& error) {
                    if (error.kind() == ErrorKind::Cancelled)
                        return;
                    log(std::string("left out: ") + error.what());
                    decoded[i - begin].clear();
                    ++bad;
                }
            }
        };
        {
            std::vector<std::jthread> threads;
            for (unsigned t = 0; t < std::max(2u, std::thread::hardware_concurrency()); ++t)
                threads.emplace_back(decode);
        }
        failed += bad;
        for (auto& views : decoded)
            for (auto& view : views) {
                auto& group = waiting[{view.pixels.size(0), view.pixels.size(1)}];
                group.push_back(std::move(view));
                if (group.size() >= together)
                    run_trunk(group);
            }
        if (begin / kDecodedAhead % 16 == 0)
            log("features: " + std::to_string(end) + " of " + std::to_string(pictures.size()) + " pictures");
    }
    for (auto& [size, group] : waiting)
        if (!group.empty())
            run_trunk(group);
    for (auto& [grid, writer] : writers)
        writer.flush();
    log("features: done, " + std::to_string(failed) + " pictures could not be decoded");
}

void PictureFeatures::open(const Corpus& corpus, bool own_tail, const std::filesystem::path& folder)
{
    std::map<int64_t, size_t> index_of;
    for (size_t i = 0; i < corpus.items().size(); ++i)
        index_of[corpus.items()[i].id] = i;
    views_.resize(corpus.items().size());
    std::vector<std::filesystem::path> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".safetensors")
            names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        const auto file_number = static_cast<int32_t>(files_.size());
        const auto& file = files_.emplace_back(name);
        const auto& maps = file.at("maps");
        const auto& logits = file.at("logits");
        const auto rows = static_cast<size_t>(maps.shape.at(0));
        maps_.push_back(at::from_blob(const_cast<std::byte*>(maps.data.data()), maps.shape, at::kBFloat16).to(device_));
        logits_.push_back(at::from_blob(const_cast<std::byte*>(logits.data.data()), logits.shape, at::kFloat).to(device_));
        const auto tokens = [&](size_t axis) { return own_tail ? (maps.shape.at(axis) + 1) / 2 : maps.shape.at(axis); };
        grids_.emplace_back(tokens(1), tokens(2));
        std::vector<int64_t> items(rows), views(rows);
        std::memcpy(items.data(), file.at("items").data.data(), rows * sizeof(int64_t));
        std::memcpy(views.data(), file.at("views").data.data(), rows * sizeof(int64_t));
        for (size_t row = 0; row < rows; ++row) {
            const auto found = index_of.find(items[row]);
            if (found == index_of.end())
                continue;
            auto& places = views_[found->second];
            if (places.size() <= static_cast<size_t>(views[row]))
                places.resize(static_cast<size_t>(views[row]) + 1);
            places[static_cast<size_t>(views[row])] = {file_number, static_cast<int32_t>(row)};
        }
    }
}

at::Tensor PictureFeatures::maps(const std::vector<ViewPlace>& places) const
{
    std::vector<at::Tensor> rows;
    for (const auto& place : places)
        rows.push_back(maps_[static_cast<size_t>(place.file)][place.row]);
    return at::stack(rows);
}

at::Tensor PictureFeatures::logits(const std::vector<ViewPlace>& places) const
{
    std::vector<at::Tensor> rows;
    for (const auto& place : places)
        rows.push_back(logits_[static_cast<size_t>(place.file)][place.row]);
    return at::stack(rows);
}

std::pair<at::Tensor, at::Tensor>
PictureFeatures::channel_statistics(const std::function<at::Tensor(const at::Tensor&)>& last_map) const
{
    const at::NoGradGuard guard;

    at::Tensor sum, square;
    double count = 0;
    for (const auto& maps : maps_) {
        const at::Tensor last = last_map(maps.slice(0, 0, maps.size(0), 4));
        const at::Tensor sample = last.to(at::kDouble).reshape({-1, last.size(3)});
        const at::Tensor s = sample.sum(0), q = sample.square().sum(0);
        sum = sum.defined() ? sum + s : s;
        square = square.defined() ? square + q : q;
        count += static_cast<double>(sample.size(0));
    }
    const at::Tensor mean = sum / count;
    const at::Tensor deviation = (square / count - mean.square()).clamp_min(1e-6).sqrt();
    // Channels that hardly ever fire would be blown up by their tiny deviation.
    return {mean.to(at::kFloat).cpu(), deviation.clamp_min(0.05).to(at::kFloat).cpu()};
}

}  // namespace imprint::training
