// SPDX-License-Identifier: Apache-2.0
// What a batch can be made of, and how it becomes passes.
#include "training/batches.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "core/base/error.h"

namespace imprint::training {
namespace {

// Less than of the pictures' shortcut: this one is a third as wide, and sounds are drawn with another colour every time.
constexpr double kHiddenSoundShortcut = 0.2;

// Parts of a spectrogram that are silenced where its convolutions learn (Park et al. 2019, "SpecAugment"): at most these shares of
// its time and of its bands.
constexpr double kSilencedTime = 0.2, kSilencedBands = 0.14;

/// Items that share a key can go through the network together.
template <typename Key>
auto groups_of(size_t count, const Key& key)
{
    std::map<decltype(key(size_t{})), std::vector<int64_t>> groups;
    for (size_t i = 0; i < count; ++i)
        groups[key(i)].push_back(static_cast<int64_t>(i));
    return groups;
}

/// Dropout of a shortcut's hidden numbers: [count, width] factors, 0 for a share `hidden`. Undefined where there is nothing to
/// drop.
at::Tensor shortcut_drops(int64_t count, int64_t width, double hidden, const at::Generator& generator)
{
    if (width == 0 || hidden == 0)
        return {};
    return (at::rand({count, width}, generator, at::kFloat) >= hidden).to(at::kFloat) / (1 - hidden);
}

/// [count, n] ones, but for a run of at most `share` of each row, which is 0.
at::Tensor all_but_a_run(int64_t count, int64_t n, double share, const at::Generator& generator)
{
    const at::Tensor length = (at::rand({count, 1}, generator, at::kFloat) * share * static_cast<double>(n)).floor();
    const at::Tensor begin = (at::rand({count, 1}, generator, at::kFloat) * (static_cast<double>(n) - length)).floor();
    const at::Tensor place = at::arange(n, at::kFloat);
    return ((place < begin) | (place >= begin + length)).to(at::kFloat);
}

}  // namespace

Objectives::Objectives(const Recipe& recipe, const TrainingData& data)
    : recipe_(recipe), data_(data), texts_by_role_(static_cast<size_t>(TextRole::NotForTraining) + 1)
{
    const auto& items = data.corpus.items();
    for (size_t i = 0; i < items.size(); ++i) {
        if (items[i].sound) {
            if (data.sounds.has(i))
                sounds_.push_back(i);
        } else if (items[i].frames > 0) {
            if (items[i].frames == recipe.model.max_frames && !data.pictures.views(i).empty())  // one length, so one pass
                films_.push_back(i);
        } else if (!data.pictures.views(i).empty()) {
            (items[i].role == Role::Pair ? pairs_ : items[i].role == Role::Composite ? composites_ : photos_).push_back(i);
        }
    }
    std::vector<std::string> heard;
    for (const size_t i : sounds_)
        heard.push_back(items[i].label);
    sound_draw_ = SquareRootSampler(heard);
    const auto& roles = data.corpus.text_roles();
    for (size_t i = 0; i < roles.size(); ++i)
        texts_by_role_[static_cast<size_t>(roles[i])].push_back(static_cast<int64_t>(i));
    for (const auto& text : data.corpus.texts())
        piece_ids_.push_back(data.tokenizer.ids(text));
    list_moving();
    list_named();
    teach_own_texts();
    texts_by_length_.resize(texts_by_role_.size());
    for (size_t role = 0; role < texts_by_role_.size(); ++role)
        for (const int64_t text : texts_by_role_[role])
            texts_by_length_[role][piece_ids_[static_cast<size_t>(text)].size()].push_back(text);

    const auto need = [&](ObjectiveKind kind, bool there, const char* what) {
        for (const auto& objective : recipe.objectives)
            if (objective.kind == kind && objective.weight > 0 && !there)
                throw Error(ErrorKind::Usage, data.corpus.root().string(),
                            std::string("has no ") + what + " for the objective " + objective_name(kind),
                            "Leave the objective out of the recipe or make a corpus that has them");
    };
    need(ObjectiveKind::PictureText, !pairs_.empty(), "pictures with captions");
    need(ObjectiveKind::ClipText, !pairs_.empty(), "pictures with captions");
    need(ObjectiveKind::FilmText, !films_.empty(), "films");
    need(ObjectiveKind::FilmMotion, !moving_.empty(), "films of things that move");
    need(ObjectiveKind::SoundName, names_.size() > 1, "labels that several sounds share");
    need(ObjectiveKind::PictureSound, !data.corpus.picture_sounds().empty(), "pairs of a picture and a sound");
    need(ObjectiveKind::SoundText, !sounds_.empty(), "sounds with captions");
    need(ObjectiveKind::TextText, !data.corpus.text_pairs().empty(), "pairs of texts");
    need(ObjectiveKind::Concept, !photos_.empty(), "photos");
}

PassList Objectives::texts(const std::vector<int64_t>& texts, const PassList::Share& share) const
{
    const auto ids = [this, texts](size_t i) -> const std::vector<int64_t>& { return piece_ids_[static_cast<size_t>(texts[i])]; };
    PassList list(share);
    for (const auto& [length, members] : groups_of(texts.size(), [&](size_t i) { return static_cast<int64_t>(ids(i).size()); }))
        list.add(members, length, recipe_.pass_tokens, texts.size(), [this, &ids, tokens = length](const PassList::Part& part) {
            at::Tensor batch = at::empty({static_cast<int64_t>(part.size()), tokens}, at::kLong);
            for (size_t row = 0; row < part.size(); ++row)
                std::memcpy(batch.mutable_data_ptr<int64_t>() + static_cast<int64_t>(row) * tokens,
                            ids(static_cast<size_t>(part[row])).data(), sizeof(int64_t) * static_cast<size_t>(tokens));
            batch = batch.to(data_.device);
            return [batch, trunk = data_.text_trunk](const model::Network& network) {
                if (!trunk) {
                    const auto encoding = network.encode_text(batch);
                    return PassOutput{encoding.vectors, encoding.auxiliary.z_loss, encoding.auxiliary.probes};
                }
                const auto read = trunk->forward(batch);
                const auto encoding = network.encode_text_states(read.states, network.meaning_of(read.sentence));
                return PassOutput{encoding.vectors, encoding.auxiliary.z_loss, encoding.auxiliary.probes};
            };
        });
    return list;
}

PassList Objectives::views(const std::vector<std::vector<ViewPlace>>& clips, const Look& look, Draws& draws,
                           const PassList::Share& share) const
{
    const double keep = look.keep;
    // What one grid adds to a pass: its clips' views, in order, and the tokens that each clip keeps.
    struct Run {
        std::vector<ViewPlace> places;
        std::vector<int64_t> mirrored;  // clips of the run
        at::Tensor kept;
    };
    const auto frames = static_cast<int64_t>(clips.front().size());
    const auto grid = [&](size_t i) { return data_.pictures.grid(clips[i].front().file); };
    const auto size = [&](size_t i) { return frames * grid(i).first * grid(i).second; };
    auto generator = at::detail::createCPUGenerator(draws.bits());
    int64_t fewest = INT64_MAX, most = 0;
    for (size_t i = 0; i < clips.size(); ++i) {
        fewest = std::min(fewest, size(i));
        most = std::max(most, size(i));
    }
    const auto count = std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(fewest)));
    // Drawn for every clip here, whatever passes and ranks the clips are spread over.
    const auto all_clips = static_cast<int64_t>(clips.size());
    at::Tensor shuffle, shown, shortcut;
    if (keep < 1)
        shuffle = at::rand({all_clips, most}, generator, at::kFloat);
    if (look.hidden_concepts > 0)
        shown = (at::rand({all_clips, 1}, generator, at::kFloat) >= look.hidden_concepts).to(at::kFloat);
    shortcut = shortcut_drops(all_clips, recipe_.model.vision_shortcut, look.hidden_shortcut, generator);

    const auto pass = [&](const PassList::Part& part) {
        std::vector<Run> runs;
        for (size_t begin = 0, end = 0; begin < part.size(); begin = end) {
            const auto first = static_cast<size_t>(part[begin]);
            Run& run = runs.emplace_back();
            for (; end < part.size() && grid(static_cast<size_t>(part[end])) == grid(first); ++end) {
                const auto& clip = clips[static_cast<size_t>(part[end])];
                if (!look.mirrored.empty() && look.mirrored[static_cast<size_t>(part[end])])
                    run.mirrored.push_back(static_cast<int64_t>(end - begin));
                run.places.insert(run.places.end(), clip.begin(), clip.end());
            }
            if (keep < 1) {
                const at::Tensor own = at::tensor(at::IntArrayRef(part.data() + begin, end - begin), at::kLong);
                const at::Tensor shuffled = shuffle.index({own}).narrow(-1, 0, size(first)).argsort(false, -1);
                run.kept = std::get<0>(shuffled.narrow(-1, 0, count).sort(-1)).to(data_.device);
            }
        }
        model::Network::Hiding hiding;
        if (shown.defined())
            hiding.concept_seen = shown.index({at::tensor(part, at::kLong)}).to(data_.device);
        if (shortcut.defined())
            hiding.shortcut_kept = shortcut.index({at::tensor(part, at::kLong)}).to(data_.device);
        return [this, runs, hiding, frames](const model::Network& network) {
            std::vector<at::Tensor> values, positions, averages, changes, concepts;
            const auto joined = [](const std::vector<at::Tensor>& parts) {
                return parts.front().defined() ? at::cat(parts) : at::Tensor();
            };
            for (const Run& run : runs) {
                at::Tensor map = data_.pictures.maps(run.places);
                const at::Tensor logits = data_.pictures.logits(run.places);
                const int64_t batch = map.size(0) / frames;
                map = map.view({batch, frames, map.size(1), map.size(2), map.size(3)});
                if (!run.mirrored.empty()) {  // a map of its own: stacked for this pass
                    const at::Tensor clips = at::tensor(run.mirrored, at::kLong).to(map.device());
                    map.index_copy_(0, clips, map.index_select(0, clips).flip({3}));
                }
                const auto tokens = network.map_tokens(map, run.kept.defined() ? std::optional(run.kept) : std::nullopt);
                averages.push_back(tokens.average);
                changes.push_back(tokens.change);
                values.push_back(tokens.values);
                positions.push_back(tokens.positions.expand({batch, -1, -1}));
                concepts.push_back(network.concept_of(logits.view({batch, frames, logits.size(1)})));
            }
            const at::Tensor told = at::cat(concepts);
            const auto encoding = network.encode_map_tokens(
                {at::cat(values), at::cat(positions), joined(averages), frames > 1, joined(changes)}, told, hiding);
            return PassOutput{at::cat({encoding.vectors, encoding.own, told, encoding.gate, encoding.gate_logit}, 1),
                              encoding.auxiliary.z_loss, encoding.auxiliary.probes};
        };
    };
    PassList list(share);
    PassList::Part all;
    for (const auto& [shape, members] : groups_of(clips.size(), grid)) {
        if (keep >= 1)
            list.add(members, size(static_cast<size_t>(members.front())) + 1, recipe_.pass_tokens, clips.size(), pass);
        all.insert(all.end(), members.begin(), members.end());
    }
    if (keep < 1)
        list.add(all, count + 1, recipe_.pass_tokens, clips.size(), pass);
    return list;
}

Objectives::Seen Objectives::seen(const at::Tensor& rows) const
{
    const int64_t dim = recipe_.model.joint_dim;
    return {rows.narrow(1, 0, dim), rows.narrow(1, dim, dim), rows.narrow(1, 2 * dim, dim).detach(),
            rows.narrow(1, 3 * dim, 1).detach(), rows.narrow(1, 3 * dim + 1, 1)};
}

PassList Objectives::sounds(const std::vector<std::vector<float>>& sounds, double keep, bool coloured, Draws& draws,
                            const PassList::Share& share) const
{
    auto generator = at::detail::createCPUGenerator(draws.bits());
    at::Tensor colours, shortcut, heard_times, heard_bands;
    // Convolutions that learn go by the statistics of a pass, which sounds of all lengths therefore share.
    const bool stem_learns = keep == 0 && !recipe_.model.sound_stem_widths.empty();
    if (coloured) {
        // Smooth curves over the bands: a tilt and two bends, and how loud. Log-mel is a natural logarithm, so half a unit is 4
        // dB.
        const auto count = static_cast<int64_t>(sounds.size()), bands = static_cast<int64_t>(recipe_.model.mel_bands);
        const at::Tensor place = at::arange(bands, at::kFloat) / static_cast<double>(bands) * 3.14159265358979;
        const at::Tensor curves = at::stack({place.cos(), (place * 2).cos(), (place * 3).cos()});
        colours = at::matmul(at::randn({count, 3}, generator, at::kFloat) * 0.5, curves);
        shortcut = shortcut_drops(count, recipe_.model.sound_shortcut, kHiddenSoundShortcut, generator);
        if (stem_learns) {
            heard_times = all_but_a_run(count, int64_t{recipe_.model.max_sound_patches} * recipe_.model.sound_patch, kSilencedTime,
                                        generator);
            heard_bands = all_but_a_run(count, bands, kSilencedBands, generator);
        }
    }
    const auto length_of = [&](size_t i) {
        return data_.log_mel.padded_length(
            static_cast<int64_t>(stem_learns ? recipe_.model.max_sound_samples() : sounds[i].size()));
    };
    PassList list(share);
    for (const auto& [length, members] : groups_of(sounds.size(), length_of)) {
        const int64_t tokens =
            length / recipe_.model.sound_patch_samples() * (recipe_.model.mel_bands / recipe_.model.sound_patch);
        const auto kept = std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(tokens)));
        at::Tensor shuffle;  // by sound, whatever passes and ranks they are spread over
        if (kept < tokens)
            shuffle = at::rand({static_cast<int64_t>(sounds.size()), tokens}, generator, at::kFloat);
        list.add(members, kept, recipe_.pass_tokens, sounds.size(), [&, samples = length](const PassList::Part& part) {
            at::Tensor batch = at::zeros({static_cast<int64_t>(part.size()), samples});
            for (size_t row = 0; row < part.size(); ++row) {
                const auto& sound = sounds[static_cast<size_t>(part[row])];
                std::memcpy(batch.mutable_data_ptr<float>() + static_cast<int64_t>(row) * samples, sound.data(),
                            sound.size() * sizeof(float));
            }
            std::optional<at::Tensor> left, shown;
            at::Tensor colour, heard;
            if (shortcut.defined())
                shown = shortcut.index({at::tensor(part, at::kLong)}).to(data_.device);
            if (colours.defined())
                colour = colours.index({at::tensor(part, at::kLong)}).unsqueeze(1).to(data_.device);
            if (heard_times.defined()) {
                const at::Tensor rows = at::tensor(part, at::kLong);
                heard = (heard_times.index({rows}).unsqueeze(2) * heard_bands.index({rows}).unsqueeze(1)).to(data_.device);
            }
            if (keep == 0)
                left = at::empty({static_cast<int64_t>(part.size()), 0}, at::TensorOptions(at::kLong).device(data_.device));
            else if (kept < tokens)
                left = std::get<0>(shuffle.index({at::tensor(part, at::kLong)}).argsort(false, -1).narrow(-1, 0, kept).sort(-1))
                           .to(data_.device);
            batch = batch.to(data_.device);
            return [this, batch, left, shown, colour, heard](const model::Network& network) {
                at::Tensor spectrogram = data_.log_mel(batch);
                if (colour.defined())
                    spectrogram = spectrogram + colour;
                if (heard.defined())
                    spectrogram = (spectrogram - recipe_.model.sound_stem_floor) * heard + recipe_.model.sound_stem_floor;
                const auto encoding = network.encode_spectrogram(spectrogram, left, shown);
                return PassOutput{encoding.vectors, encoding.auxiliary.z_loss, encoding.auxiliary.probes};
            };
        });
    }
    return list;
}

nlohmann::json Objectives::listed(const std::vector<size_t>& items, const std::vector<int64_t>& texts) const
{
    const auto text_of = [&](int64_t text) {
        const auto place = static_cast<size_t>(text), of_corpus = data_.corpus.texts().size();
        return place < of_corpus ? data_.corpus.texts()[place] : own_texts_[place - of_corpus];
    };
    nlohmann::json list = nlohmann::json::array();
    for (size_t i = 0; i < std::max(items.size(), texts.size()); ++i) {
        nlohmann::json& one = list.emplace_back(nlohmann::json::object());
        if (i < items.size())
            one["file"] = data_.corpus.items()[items[i]].path.string();
        if (i < texts.size())
            one["text"] = text_of(texts[i]);
    }
    return list;
}

size_t Objectives::draw_picture(const ObjectiveRecipe& objective, Draws& draws) const
{
    const bool composite = !composites_.empty() && draws.uniform() < objective.composites;
    const auto& list = composite ? composites_ : pairs_;
    return list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
}

ViewPlace Objectives::draw_view(size_t item, double crops, Draws& draws) const
{
    const auto& places = data_.pictures.views(item);
    const bool crop = draws.uniform() < crops && places.size() > 1;
    return places[crop ? 1 + static_cast<size_t>(draws.below(static_cast<int64_t>(places.size()) - 1)) : 0];
}

}  // namespace imprint::training
