// SPDX-License-Identifier: Apache-2.0
// Drawing batches and computing the six objectives.
#include "training/batches.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <numeric>

#include "core/base/error.h"
#include "training/objectives.h"

namespace imprint::training {
namespace {

constexpr uint64_t kBatchPurpose = 2;
constexpr double kHiddenConcepts = 0.3;  // recipe.md: the concept as an input is dropped for 30 % of rows
constexpr int64_t kLengthsPerBatch = 4;

/// Items that share a key can go through the network together.
template <typename Key>
auto groups_of(size_t count, const Key& key)
{
    std::map<decltype(key(size_t{})), std::vector<int64_t>> groups;
    for (size_t i = 0; i < count; ++i)
        groups[key(i)].push_back(static_cast<int64_t>(i));
    return groups;
}

at::Tensor accuracy(const at::Tensor& a, const at::Tensor& b)
{
    const at::Tensor best = at::matmul(a.detach(), b.detach().t()).argmax(-1);
    return (best == at::arange(a.size(0), at::kLong)).to(at::kDouble).mean();
}

}  // namespace

Objectives::Objectives(const Recipe& recipe, const TrainingData& data) : recipe_(recipe), data_(data), texts_by_role_(static_cast<size_t>(TextRole::NotForTraining) + 1)
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
    const auto& roles = data.corpus.text_roles();
    for (size_t i = 0; i < roles.size(); ++i)
        texts_by_role_[static_cast<size_t>(roles[i])].push_back(static_cast<int64_t>(i));
    for (const auto& text : data.corpus.texts())
        piece_ids_.push_back(data.tokenizer.ids(text));
    texts_by_length_.resize(texts_by_role_.size());
    for (size_t role = 0; role < texts_by_role_.size(); ++role)
        for (const int64_t text : texts_by_role_[role])
            texts_by_length_[role][piece_ids_[static_cast<size_t>(text)].size()].push_back(text);

    const auto need = [&](ObjectiveKind kind, bool there, const char* what) {
        for (const auto& objective : recipe.objectives)
            if (objective.kind == kind && objective.weight > 0 && !there)
                throw Error(ErrorKind::Usage, data.corpus.root().string(), std::string("has no ") + what + " for the objective "
                                                                               + objective_name(kind),
                            "Leave the objective out of the recipe or make a corpus that has them");
    };
    need(ObjectiveKind::PictureText, !pairs_.empty(), "pictures with captions");
    need(ObjectiveKind::ClipText, !pairs_.empty(), "pictures with captions");
    need(ObjectiveKind::FilmText, !films_.empty(), "films");
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

PassList Objectives::views(const std::vector<std::vector<ViewPlace>>& clips, double keep, double hidden_concepts, Draws& draws,
                           const PassList::Share& share) const
{
    // What one grid adds to a pass: its clips' views, in order, and the tokens that each clip keeps.
    struct Run {
        std::vector<ViewPlace> places;
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
    at::Tensor shuffle, shown;
    if (keep < 1)
        shuffle = at::rand({all_clips, most}, generator, at::kFloat);
    if (hidden_concepts > 0)
        shown = (at::rand({all_clips, 1}, generator, at::kFloat) >= hidden_concepts).to(at::kFloat);

    const auto pass = [&](const PassList::Part& part) {
        std::vector<Run> runs;
        for (size_t begin = 0, end = 0; begin < part.size(); begin = end) {
            const auto first = static_cast<size_t>(part[begin]);
            Run& run = runs.emplace_back();
            for (; end < part.size() && grid(static_cast<size_t>(part[end])) == grid(first); ++end) {
                const auto& clip = clips[static_cast<size_t>(part[end])];
                run.places.insert(run.places.end(), clip.begin(), clip.end());
            }
            if (keep < 1) {
                const at::Tensor own = at::tensor(at::IntArrayRef(part.data() + begin, end - begin), at::kLong);
                const at::Tensor shuffled = shuffle.index({own}).narrow(-1, 0, size(first)).argsort(false, -1);
                run.kept = std::get<0>(shuffled.narrow(-1, 0, count).sort(-1));
            }
        }
        std::optional<at::Tensor> seen;
        if (shown.defined())
            seen = shown.index({at::tensor(part, at::kLong)});
        return [this, runs, seen, frames](const model::Network& network) {
            std::vector<at::Tensor> values, positions, concepts;
            for (const Run& run : runs) {
                const at::Tensor map = data_.pictures.maps(run.places), logits = data_.pictures.logits(run.places);
                const int64_t batch = map.size(0) / frames;
                const auto tokens = network.map_tokens(map.view({batch, frames, map.size(1), map.size(2), map.size(3)}),
                                                       run.kept.defined() ? std::optional(run.kept) : std::nullopt);
                values.push_back(tokens.values);
                positions.push_back(tokens.positions.expand({batch, -1, -1}));
                concepts.push_back(network.concept_of(logits.view({batch, frames, logits.size(1)})));
            }
            const at::Tensor told = at::cat(concepts);
            const auto encoding = network.encode_map_tokens({at::cat(values), at::cat(positions)}, told, seen);
            return PassOutput{at::cat({encoding.vectors, encoding.own, told, encoding.gate}, 1), encoding.auxiliary.z_loss, encoding.auxiliary.probes};
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
    return {rows.narrow(1, 0, dim), rows.narrow(1, dim, dim), rows.narrow(1, 2 * dim, dim).detach(), rows.narrow(1, 3 * dim, 1).detach()};
}

PassList Objectives::sounds(const std::vector<std::vector<float>>& sounds, double keep, Draws& draws,
                            const PassList::Share& share) const
{
    auto generator = at::detail::createCPUGenerator(draws.bits());
    const auto length_of = [&](size_t i) { return data_.log_mel.padded_length(static_cast<int64_t>(sounds[i].size())); };
    PassList list(share);
    for (const auto& [length, members] : groups_of(sounds.size(), length_of)) {
        const int64_t tokens = length / recipe_.model.sound_patch_samples() * (recipe_.model.mel_bands / recipe_.model.sound_patch);
        const auto kept = std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(tokens)));
        at::Tensor shuffle;  // by sound, whatever passes and ranks they are spread over
        if (kept < tokens)
            shuffle = at::rand({static_cast<int64_t>(sounds.size()), tokens}, generator, at::kFloat);
        list.add(members, kept, recipe_.pass_tokens, sounds.size(), [&, samples = length](const PassList::Part& part) {
            at::Tensor batch = at::zeros({static_cast<int64_t>(part.size()), samples});
            for (size_t row = 0; row < part.size(); ++row) {
                const auto& sound = sounds[static_cast<size_t>(part[row])];
                std::memcpy(batch.mutable_data_ptr<float>() + static_cast<int64_t>(row) * samples, sound.data(), sound.size() * sizeof(float));
            }
            std::optional<at::Tensor> left;
            if (kept < tokens)
                left = std::get<0>(shuffle.index({at::tensor(part, at::kLong)}).argsort(false, -1).narrow(-1, 0, kept).sort(-1));
            return [this, batch, left](const model::Network& network) {
                const auto encoding = network.encode_spectrogram(data_.log_mel(batch), left);
                return PassOutput{encoding.vectors, encoding.auxiliary.z_loss, encoding.auxiliary.probes};
            };
        });
    }
    return list;
}

template <typename Pick>
Objectives::Captioned Objectives::draw_captioned(int64_t batch, Draws& draws, const Pick& pick) const
{
    constexpr int kTries = 12;
    const auto& items = data_.corpus.items();
    const auto length = [&](int64_t text) { return piece_ids_[static_cast<size_t>(text)].size(); };
    const auto any = [&](const std::vector<int64_t>& texts) { return texts[static_cast<size_t>(draws.below(static_cast<int64_t>(texts.size())))]; };
    std::vector<size_t> lengths;
    for (int64_t i = 0; i < kLengthsPerBatch; ++i)
        lengths.push_back(length(any(items[pick()].texts)));
    Captioned drawn;
    while (static_cast<int64_t>(drawn.items.size()) < batch) {
        size_t item = 0;
        std::vector<int64_t> fitting;
        for (int attempt = 0; attempt < kTries && fitting.empty(); ++attempt) {
            item = pick();
            for (const int64_t text : items[item].texts)
                if (std::find(lengths.begin(), lengths.end(), length(text)) != lengths.end())
                    fitting.push_back(text);
        }
        drawn.items.push_back(item);
        drawn.captions.push_back(any(fitting.empty() ? items[item].texts : fitting));
    }
    return drawn;
}

StepLoss Objectives::against_captions(const at::Tensor& media, const at::Tensor& own, const at::Tensor& texts,
                                      const std::vector<int64_t>& captions, const at::Tensor& temperature,
                                      const ObjectiveRecipe& objective) const
{
    const at::Tensor teacher = data_.corpus.teacher(captions);
    const Teacher targets{teacher, recipe_.target_sharpness};
    at::Tensor contrast = nce(media, texts, temperature, targets);
    at::Tensor distance = cosine_distance(media, teacher) + cosine_distance(texts, data_.corpus.query_targets(captions));
    if (own.defined()) {
        contrast = (contrast + nce(own, texts, temperature, targets)) / 2;
        distance = distance + cosine_distance(own, teacher);
    }
    StepLoss result;
    result.total = contrast * objective.nce + distance * objective.cosine;
    result.figures["nce"] = contrast.detach();
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(media, texts);
    return result;
}

nlohmann::json Objectives::listed(const std::vector<size_t>& items, const std::vector<int64_t>& texts) const
{
    nlohmann::json list = nlohmann::json::array();
    for (size_t i = 0; i < std::max(items.size(), texts.size()); ++i) {
        nlohmann::json& one = list.emplace_back(nlohmann::json::object());
        if (i < items.size())
            one["file"] = data_.corpus.items()[items[i]].path.string();
        if (i < texts.size())
            one["text"] = data_.corpus.texts()[static_cast<size_t>(texts[i])];
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

StepLoss Objectives::clip_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const bool still = objective.kind == ObjectiveKind::PictureText, film = objective.kind == ObjectiveKind::FilmText;
    const auto frames = still ? 1 : static_cast<size_t>(2 + draws.below(network.config().max_frames - 1));
    const auto drawn = draw_captioned(objective.batch, draws, [&] {
        return film ? films_[static_cast<size_t>(draws.below(static_cast<int64_t>(films_.size())))] : draw_picture(objective, draws);
    });
    std::vector<std::vector<ViewPlace>> clips;
    for (const size_t item : drawn.items) {
        std::vector<ViewPlace> places = data_.pictures.views(item);
        auto& clip = clips.emplace_back();
        if (still || film) {
            clip = still ? std::vector{draw_view(item, objective.views, draws)} : places;
            continue;
        }
        const auto grid = data_.pictures.grid(places.front().file);
        std::erase_if(places, [&](const ViewPlace& place) { return data_.pictures.grid(place.file) != grid; });
        for (size_t f = 0; f < frames; ++f)
            clip.push_back(places[static_cast<size_t>(draws.below(static_cast<int64_t>(places.size())))]);
    }
    const size_t media = passes.add(views(clips, objective.keep, kHiddenConcepts, draws, passes.share()));
    const size_t captions = passes.add(texts(drawn.captions, passes.share()));
    passes.forward();
    const Seen pictures = seen(passes.rows(media));
    StepLoss result = against_captions(pictures.vectors, pictures.own, passes.rows(captions), drawn.captions,
                                       network.temperature("picture_text"), objective);
    result.figures["gate"] = pictures.gate.mean();
    result.items = [this, drawn] { return listed(drawn.items, drawn.captions); };
    return result;
}

StepLoss Objectives::sound_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto drawn = draw_captioned(objective.batch, draws,
                                      [&] { return sounds_[static_cast<size_t>(draws.below(static_cast<int64_t>(sounds_.size())))]; });
    std::vector<std::vector<float>> windows;
    for (const size_t item : drawn.items)
        windows.push_back(data_.sounds.draw(item, static_cast<size_t>(network.config().max_sound_samples()), draws));
    const size_t media = passes.add(sounds(windows, objective.keep, draws, passes.share()));
    const size_t captions = passes.add(texts(drawn.captions, passes.share()));
    passes.forward();
    StepLoss result
        = against_captions(passes.rows(media), {}, passes.rows(captions), drawn.captions, network.temperature("sound_text"), objective);
    result.items = [this, drawn] { return listed(drawn.items, drawn.captions); };
    return result;
}

StepLoss Objectives::picture_sound(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto& pairs = data_.corpus.picture_sounds();
    std::vector<std::vector<ViewPlace>> clips;
    std::vector<std::vector<float>> windows;
    std::vector<size_t> items;
    std::map<std::string, std::vector<int64_t>> rows_of;  // by thing
    while (static_cast<int64_t>(clips.size()) < objective.batch) {
        const auto& pair = pairs[static_cast<size_t>(draws.below(static_cast<int64_t>(pairs.size())))];
        if (data_.pictures.views(pair.picture).empty() || !data_.sounds.has(pair.sound))
            continue;
        rows_of[pair.thing].push_back(static_cast<int64_t>(clips.size()));
        items.insert(items.end(), {pair.picture, pair.sound});
        clips.push_back({draw_view(pair.picture, objective.views, draws)});
        windows.push_back(data_.sounds.draw(pair.sound, static_cast<size_t>(network.config().max_sound_samples()), draws));
    }
    // Every pair of a picture and a sound of one thing is a right one.
    at::Tensor targets = at::zeros({objective.batch, objective.batch});
    for (const auto& [thing, rows] : rows_of)
        for (const int64_t row : rows)
            targets[row].index_fill_(0, at::tensor(rows), 1.0 / static_cast<double>(rows.size()));
    const size_t seen_list = passes.add(views(clips, objective.keep, kHiddenConcepts, draws, passes.share())),
                 heard_list = passes.add(sounds(windows, objective.keep, draws, passes.share()));
    passes.forward();
    const Seen pictures = seen(passes.rows(seen_list));
    const at::Tensor& heard = passes.rows(heard_list);
    const at::Tensor contrast = nce(pictures.vectors, heard, network.temperature("picture_sound"), targets);
    StepLoss result;
    result.total = contrast * objective.nce;
    result.figures["nce"] = contrast.detach();
    result.figures["accuracy"] = accuracy(pictures.vectors, heard);
    result.figures["gate"] = pictures.gate.mean();
    result.items = [this, items] { return listed(items, {}); };
    return result;
}

StepLoss Objectives::text_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto& pairs = data_.corpus.text_pairs();
    std::vector<int64_t> both, left, right;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const auto& pair = pairs[static_cast<size_t>(draws.below(static_cast<int64_t>(pairs.size())))];
        left.push_back(pair.first);
        right.push_back(pair.second);
    }
    both = left;
    both.insert(both.end(), right.begin(), right.end());
    const size_t list = passes.add(texts(both, passes.share()));  // one list: words and glosses of one length share a pass
    passes.forward();
    const at::Tensor a = passes.rows(list).narrow(0, 0, objective.batch), b = passes.rows(list).narrow(0, objective.batch, objective.batch);
    const at::Tensor contrast = nce(a, b, network.temperature("text_text"));
    const at::Tensor distance = cosine_distance(a, data_.corpus.teacher(left)) + cosine_distance(b, data_.corpus.teacher(right));
    StepLoss result;
    result.total = contrast * objective.nce + distance * objective.cosine;
    result.figures["nce"] = contrast.detach();
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(a, b);
    result.items = [this, both] { return listed({}, both); };
    return result;
}

StepLoss Objectives::text_teacher(Passes& passes, const ObjectiveRecipe& objective, Draws& draws) const
{
    // Few lengths a batch: each is a pass of its own, and a pass over a handful of texts costs as much as one over many.
    const auto& wanted = recipe_.text_shares;
    std::array shares{wanted.caption, wanted.word, wanted.prompt, wanted.lemma, wanted.gloss, wanted.class_text};  // by TextRole
    for (size_t role = 0; role < shares.size(); ++role)
        if (texts_by_role_[role].empty())
            shares[role] = 0;
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    std::vector<int64_t> texts;
    for (int64_t group = 0; group < kLengthsPerBatch; ++group) {
        size_t length = 0;
        const auto end = static_cast<size_t>(objective.batch * (group + 1) / kLengthsPerBatch);
        while (texts.size() < end) {
            double place = draws.uniform() * sum;
            size_t role = 0;
            while (role + 1 < shares.size() && place >= shares[role])
                place -= shares[role++];
            if (length == 0 && !texts_by_role_[role].empty()) {
                const auto& all = texts_by_role_[role];
                length = piece_ids_[static_cast<size_t>(all[static_cast<size_t>(draws.below(static_cast<int64_t>(all.size())))])].size();
            }
            const auto found = texts_by_length_[role].find(length);
            if (found != texts_by_length_[role].end())
                texts.push_back(found->second[static_cast<size_t>(draws.below(static_cast<int64_t>(found->second.size())))]);
        }
    }
    const size_t list = passes.add(this->texts(texts, passes.share()));
    passes.forward();
    const at::Tensor& student = passes.rows(list);
    const at::Tensor teacher = data_.corpus.query_targets(texts);
    // The student must point where the teacher points, and tell the batch's other texts apart as the teacher does.
    const at::Tensor relations =
        nce(student, teacher, at::full({1}, 1 / recipe_.target_sharpness), {teacher, recipe_.target_sharpness});
    const at::Tensor distance = cosine_distance(student, teacher);
    StepLoss result;
    result.total = relations * objective.nce + distance * objective.cosine;
    result.figures["nce"] = relations.detach();
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(student, teacher);
    result.items = [this, texts] { return listed({}, texts); };
    return result;
}

StepLoss Objectives::concept_teacher(Passes& passes, const ObjectiveRecipe& objective, Draws& draws) const
{
    std::vector<size_t> items;
    std::vector<std::vector<ViewPlace>> views;
    for (int64_t i = 0; i < objective.batch; ++i) {
        items.push_back(photos_[static_cast<size_t>(draws.below(static_cast<int64_t>(photos_.size())))]);
        views.push_back({data_.pictures.views(items.back()).front()});
    }
    const size_t list = passes.add(this->views(views, objective.keep, 0, draws, passes.share()));
    passes.forward();
    const Seen media = seen(passes.rows(list));
    const at::Tensor distance = cosine_distance(media.vectors, media.concepts);
    StepLoss result;
    result.total = distance * objective.cosine;
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(media.vectors, media.concepts);
    result.figures["gate"] = media.gate.mean();
    result.items = [this, items] { return listed(items, {}); };
    return result;
}

StepLoss Objectives::loss(Passes& passes, const model::Network& network, size_t objective, int64_t step) const
{
    const ObjectiveRecipe& entry = recipe_.objectives[objective];
    Draws draws(recipe_.seed, static_cast<uint64_t>(step), kBatchPurpose);
    StepLoss result;
    switch (entry.kind) {
    case ObjectiveKind::PictureText:
    case ObjectiveKind::ClipText:
    case ObjectiveKind::FilmText: result = clip_text(passes, network, entry, draws); break;
    case ObjectiveKind::PictureSound: result = picture_sound(passes, network, entry, draws); break;
    case ObjectiveKind::SoundText: result = sound_text(passes, network, entry, draws); break;
    case ObjectiveKind::TextText: result = text_text(passes, network, entry, draws); break;
    case ObjectiveKind::TextTeacher: result = text_teacher(passes, entry, draws); break;
    case ObjectiveKind::Concept: result = concept_teacher(passes, entry, draws); break;
    default: IMPRINT_ASSERT(!"an objective over a corpus");
    }
    result.samples = entry.batch;
    return result;
}

}  // namespace imprint::training
