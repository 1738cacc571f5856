// SPDX-License-Identifier: Apache-2.0
#include "training/finetune/replay_pack.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/parameters.h"

namespace imprint::training {
namespace {

using nlohmann::json;
constexpr const char* kKey = "imprint.replay";

json mel_of(const model::ModelConfig& config)
{
    return {{"fft", config.fft},     {"hop", config.hop},       {"bands", config.mel_bands},
            {"low", config.mel_low}, {"high", config.mel_high}, {"patch", config.sound_patch}};
}

/// What tells apart who made maps.
at::Tensor mark_of(const model::Checkpoint& checkpoint)
{
    at::Tensor mark = checkpoint.trunk.at("classifier.bias").reshape({-1}).to(at::kFloat);
    if (checkpoint.config.own_tail())
        mark = at::cat({mark, checkpoint.parameters.at("vision.tail.head.bias").to(at::kFloat)});
    return mark.contiguous();
}

at::Tensor bytes_of(const model::TensorView& view)
{
    const at::Tensor bytes = at::empty(view.shape, at::kByte);
    std::memcpy(bytes.mutable_data_ptr<uint8_t>(), view.data.data(), view.data.size());
    return bytes;
}

class Reader {
public:
    Reader(const std::filesystem::path& path, const model::Checkpoint& checkpoint) : file_(path), checkpoint_(checkpoint)
    {
        const auto stated = file_.metadata().find(kKey);
        facts_ = stated == file_.metadata().end() ? json() : json::parse(stated->second, nullptr, false);
        if (!facts_.is_object())
            refuse("is no pack of things to be reminded of");
    }

    ReplayPack read() const
    {
        try {
            ReplayPack pack;
            if (fits_trunk())
                pack.pictures = pictures();
            if (facts_.at("mel") == mel_of(checkpoint_.config))
                pack.sounds = sounds();
            pack.texts = facts_.at("texts").get<std::vector<std::string>>();
            return pack;
        } catch (const json::exception&) {
            refuse("lacks what it should say of its items");
        }
    }

private:
    [[noreturn]] void refuse(const std::string& reason) const
    {
        throw Error(ErrorKind::Malformed, file_.path().string(), reason, "The file is damaged; install Imprint anew");
    }

    at::Tensor floats(const char* name, int64_t count) const
    {
        const model::TensorView& view = file_.at(name);
        if (view.dtype != model::DType::F32 || view.count() != count)
            refuse(std::string("tensor \"") + name + "\" must hold " + std::to_string(count) + " numbers");
        return model::to_tensor(view, file_.path().string());
    }

    const model::TensorView& rows_of_bytes(const char* name, size_t axes) const
    {
        const model::TensorView& view = file_.at(name);
        if (view.dtype != model::DType::U8 || view.shape.size() != axes)
            refuse(std::string("tensor \"") + name + "\" must hold rows of bytes");
        return view;
    }

    bool fits_trunk() const
    {
        if (checkpoint_.trunk.empty() || !file_.contains("trunk"))
            return false;
        const at::Tensor own = mark_of(checkpoint_);
        return file_.at("trunk").count() == own.numel() && at::equal(floats("trunk", own.numel()), own);
    }

    /// Texts and marks of one kind's items.
    std::vector<PackItem> described(const char* kind, int64_t count) const
    {
        std::vector<PackItem> items;
        for (const json& item : facts_.at(kind))
            items.push_back({{}, item.at("text").get<std::string>(), item.at("held").get<bool>()});
        if (static_cast<int64_t>(items.size()) != count)
            refuse(std::string("says of another number of ") + kind + " than it holds");
        return items;
    }

    std::vector<PackItem> pictures() const
    {
        const model::TensorView& view = rows_of_bytes("picture.maps", 4);
        if (view.shape[3] != checkpoint_.config.trunk_channels || view.shape[1] < 1 || view.shape[2] < 1)
            refuse("tensor \"picture.maps\" holds no maps of this trunk");
        std::vector<PackItem> items = described("pictures", view.shape[0]);
        const at::Tensor maps = bytes_of(view).to(at::kFloat) * floats("picture.scale", view.shape[3]);
        const at::Tensor concepts = model::read_tensor(file_, "picture.concepts");
        if (concepts.sizes() != at::IntArrayRef({view.shape[0], int64_t{checkpoint_.config.joint_dim}}))
            refuse("tensor \"picture.concepts\" does not hold a concept for each map");
        for (size_t i = 0; i < items.size(); ++i) {
            items[i].values = maps.narrow(0, static_cast<int64_t>(i), 1);
            items[i].concept_vector = concepts[static_cast<int64_t>(i)];
        }
        return items;
    }

    std::vector<PackItem> sounds() const
    {
        const model::TensorView& counts = file_.at("sound.frames");
        const model::TensorView& mels = rows_of_bytes("sound.mels", 2);
        if (counts.dtype != model::DType::I64 || counts.shape.size() != 1 || mels.shape[1] != checkpoint_.config.mel_bands)
            refuse("its sounds are not laid out as they should be");
        const at::Tensor range = floats("sound.range", 2);
        const at::Tensor values = bytes_of(mels).to(at::kFloat) * range[1] + range[0];
        std::vector<PackItem> items = described("sounds", counts.shape[0]);
        const int64_t patch = checkpoint_.config.sound_patch, most = patch * checkpoint_.config.max_sound_patches;
        int64_t first = 0;
        for (size_t i = 0; i < items.size(); ++i) {
            int64_t frames = 0;
            std::memcpy(&frames, counts.data.data() + i * sizeof frames, sizeof frames);
            if (frames < patch || frames > most || frames % patch != 0 || first + frames > mels.shape[0])
                refuse("tensor \"sound.frames\" counts what is not there");
            items[i].values = values.narrow(0, first, frames);
            first += frames;
        }
        return items;
    }

    model::SafetensorsFile file_;
    const model::Checkpoint& checkpoint_;
    json facts_;
};

json described(const std::vector<PackItem>& items)
{
    json list = json::array();
    for (const PackItem& item : items)
        list.push_back({{"text", item.text}, {"held", item.held}});
    return list;
}

at::Tensor joined(const std::vector<PackItem>& items)
{
    std::vector<at::Tensor> values;
    for (const PackItem& item : items)
        values.push_back(item.values.to(at::kFloat));
    return at::cat(values);
}

at::Tensor rounded(const at::Tensor& values) { return values.round().clamp(0, 255).to(at::kByte).contiguous(); }

}  // namespace

ReplayPack read_replay_pack(const std::filesystem::path& file, const model::Checkpoint& checkpoint)
{
    return Reader(file, checkpoint).read();
}

void write_replay_pack(const std::filesystem::path& file, const ReplayPack& pack, const model::Checkpoint& checkpoint)
{
    const json facts = {{"mel", mel_of(checkpoint.config)},
                        {"pictures", described(pack.pictures)},
                        {"sounds", described(pack.sounds)},
                        {"texts", pack.texts}};
    std::vector<std::pair<std::string, at::Tensor>> named;
    if (!pack.pictures.empty()) {
        const at::Tensor maps = joined(pack.pictures);
        const at::Tensor scale = (maps.amax(at::IntArrayRef{0, 1, 2}) / 255).clamp_min(1e-6).contiguous();
        named.emplace_back("picture.maps", rounded(maps / scale));
        named.emplace_back("picture.scale", scale);
        std::vector<at::Tensor> told;
        for (const PackItem& item : pack.pictures)
            told.push_back(item.concept_vector);
        const model::EightBitRows concepts = model::eight_bit_rows(at::stack(told));
        named.emplace_back("picture.concepts", concepts.values);
        named.emplace_back(std::string("picture.concepts") + model::kRowScale, concepts.scales);
        named.emplace_back("trunk", mark_of(checkpoint));
    }
    if (!pack.sounds.empty()) {
        const at::Tensor mels = joined(pack.sounds);
        const at::Tensor low = mels.min(), step = ((mels.max() - low) / 255).clamp_min(1e-6);
        std::vector<int64_t> frames;
        for (const PackItem& item : pack.sounds)
            frames.push_back(item.values.size(0));
        named.emplace_back("sound.mels", rounded((mels - low) / step));
        named.emplace_back("sound.range", at::stack({low, step}).contiguous());
        named.emplace_back("sound.frames", at::tensor(frames));
    }
    std::vector<std::pair<std::string, model::TensorView>> views;
    for (const auto& [name, tensor] : named) {
        const auto dtype = tensor.scalar_type() == at::kByte ? model::DType::U8
            : tensor.scalar_type() == at::kChar              ? model::DType::I8
            : tensor.scalar_type() == at::kLong              ? model::DType::I64
                                                             : model::DType::F32;
        views.emplace_back(name,
                           model::TensorView{dtype,
                                             tensor.sizes().vec(),
                                             {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
    }
    model::write_safetensors(file, {{kKey, facts.dump(-1, ' ', false, json::error_handler_t::replace)}}, views);
}

}  // namespace imprint::training
