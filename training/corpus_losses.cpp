// SPDX-License-Identifier: Apache-2.0
// The objectives over a corpus: what each draws, and its loss.
#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "core/base/error.h"
#include "training/batches.h"
#include "training/objectives.h"

namespace imprint::training {
namespace {

constexpr uint64_t kBatchPurpose = 2;
constexpr int64_t kLengthsPerBatch = 4;

at::Tensor accuracy(const at::Tensor& a, const at::Tensor& b)
{
    const at::Tensor best = at::matmul(a.detach(), b.detach().t()).argmax(-1);
    return (best == at::arange(a.size(0), best.options())).to(at::kDouble).mean();
}

}  // namespace

template <typename Pick>
Objectives::Captioned Objectives::draw_captioned(int64_t batch, Draws& draws, const Pick& pick) const
{
    constexpr int kTries = 12;
    const auto& items = data_.corpus.items();
    const auto length = [&](int64_t text) { return piece_ids_[static_cast<size_t>(text)].size(); };
    const auto any = [&](const std::vector<int64_t>& texts) {
        return texts[static_cast<size_t>(draws.below(static_cast<int64_t>(texts.size())))];
    };
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

StepLoss Objectives::against_captions(const at::Tensor& media, const at::Tensor& own, const at::Tensor& texts, const Asked& asked,
                                      const at::Tensor& temperature, const ObjectiveRecipe& objective) const
{
    const at::Tensor wanted = teacher(asked.texts);
    const Teacher targets{wanted, recipe_.target_sharpness};
    at::Tensor contrast = nce(media, texts, temperature, targets);
    at::Tensor distance = cosine_distance(media, wanted);
    if (asked.list)
        distance = distance + cosine_distance(texts, query_targets(asked.texts));
    if (own.defined()) {
        contrast = (contrast + nce(own, texts, temperature, targets)) / 2;
        distance = distance + cosine_distance(own, wanted);
    }
    StepLoss result;
    result.total = contrast * objective.nce + distance * objective.cosine;
    result.figures["nce"] = contrast.detach();
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(media, texts);
    return result;
}

StepLoss Objectives::clip_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                               Draws& draws) const
{
    const bool still = objective.kind == ObjectiveKind::PictureText, film = objective.kind == ObjectiveKind::FilmText;
    const auto frames = still ? 1 : static_cast<size_t>(2 + draws.below(network.config().max_frames - 1));
    const auto drawn = draw_captioned(objective.batch, draws, [&] {
        return film ? films_[static_cast<size_t>(draws.below(static_cast<int64_t>(films_.size())))]
                    : draw_picture(objective, draws);
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
    Look look{objective.keep, kHiddenConcepts, kHiddenShortcut, {}};
    for (size_t i = 0; still && i < clips.size(); ++i)
        look.mirrored.push_back(draws.uniform() < 0.5);
    const size_t media = passes.add(views(clips, look, draws, passes.share()));
    const Asked captions = ask(passes, drawn.captions, objective, draws);
    passes.forward();
    const Seen pictures = seen(passes.rows(media));
    StepLoss result = against_captions(pictures.vectors, pictures.own, answer(passes, captions), captions,
                                       network.temperature("picture_text"), objective);
    if (objective.gate > 0) {
        // A cut-out pasted on a photograph is neither: what it looks like does not say what it should go by.
        std::vector<float> pair;
        for (const size_t item : drawn.items)
            pair.push_back(data_.corpus.items()[item].role == Role::Pair ? 1 : 0);
        const at::Tensor counted = at::tensor(pair).unsqueeze(1).to(data_.device);
        const at::Tensor closed = (at::softplus(pictures.logit) * counted).sum() / counted.sum().clamp_min(1);
        result.total = result.total + closed * objective.gate;
        result.figures["gate loss"] = closed.detach();
    }
    result.figures["gate"] = pictures.gate.mean();
    result.items = [this, drawn] { return listed(drawn.items, drawn.captions); };
    return result;
}

StepLoss Objectives::sound_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                                Draws& draws) const
{
    const auto drawn = draw_captioned(objective.batch, draws, [&] { return sounds_[sound_draw_.choose(draws)]; });
    const auto windows = data_.sounds.draw(drawn.items, static_cast<size_t>(network.config().max_sound_samples()), draws);
    const size_t media = passes.add(sounds(windows, objective.keep, true, draws, passes.share()));
    const Asked captions = ask(passes, drawn.captions, objective, draws);
    passes.forward();
    StepLoss result = against_captions(passes.rows(media), {}, answer(passes, captions), captions,
                                       network.temperature("sound_text"), objective);
    result.items = [this, drawn] { return listed(drawn.items, drawn.captions); };
    return result;
}

StepLoss Objectives::picture_sound(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                                   Draws& draws) const
{
    const auto& pairs = data_.corpus.picture_sounds();
    std::vector<std::vector<ViewPlace>> clips;
    std::vector<size_t> items, heard_items;
    std::map<std::string, std::vector<int64_t>> rows_of;  // by thing
    while (static_cast<int64_t>(clips.size()) < objective.batch) {
        const auto& pair = pairs[static_cast<size_t>(draws.below(static_cast<int64_t>(pairs.size())))];
        if (data_.pictures.views(pair.picture).empty() || !data_.sounds.has(pair.sound))
            continue;
        rows_of[pair.thing].push_back(static_cast<int64_t>(clips.size()));
        items.insert(items.end(), {pair.picture, pair.sound});
        clips.push_back({draw_view(pair.picture, objective.views, draws)});
        heard_items.push_back(pair.sound);
    }
    const auto windows = data_.sounds.draw(heard_items, static_cast<size_t>(network.config().max_sound_samples()), draws);
    // Every pair of a picture and a sound of one thing is a right one.
    at::Tensor targets = at::zeros({objective.batch, objective.batch});
    for (const auto& [thing, rows] : rows_of)
        for (const int64_t row : rows)
            targets[row].index_fill_(0, at::tensor(rows), 1.0 / static_cast<double>(rows.size()));
    targets = targets.to(data_.device);
    const size_t seen_list =
                     passes.add(views(clips, {objective.keep, kHiddenConcepts, kHiddenShortcut, {}}, draws, passes.share())),
                 heard_list = passes.add(sounds(windows, objective.keep, true, draws, passes.share()));
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

StepLoss Objectives::text_text(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                               Draws& draws) const
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
    const at::Tensor a = passes.rows(list).narrow(0, 0, objective.batch),
                     b = passes.rows(list).narrow(0, objective.batch, objective.batch);
    const at::Tensor contrast = nce(a, b, network.temperature("text_text"));
    const at::Tensor distance = cosine_distance(a, teacher(left)) + cosine_distance(b, teacher(right));
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
                length = piece_ids_[static_cast<size_t>(all[static_cast<size_t>(draws.below(static_cast<int64_t>(all.size())))])]
                             .size();
            }
            const auto found = texts_by_length_[role].find(length);
            if (found != texts_by_length_[role].end())
                texts.push_back(found->second[static_cast<size_t>(draws.below(static_cast<int64_t>(found->second.size())))]);
        }
    }
    const size_t list = passes.add(this->texts(texts, passes.share()));
    passes.forward();
    const at::Tensor& student = passes.rows(list);
    const at::Tensor targets = query_targets(texts);
    // The student must point where the teacher points, and tell the batch's other texts apart as the teacher does.
    const at::Tensor relations = nce(student, targets, at::full({1}, 1 / recipe_.target_sharpness, targets.options()),
                                     {targets, recipe_.target_sharpness});
    const at::Tensor distance = cosine_distance(student, targets);
    StepLoss result;
    result.total = relations * objective.nce + distance * objective.cosine;
    result.figures["nce"] = relations.detach();
    result.figures["cosine"] = distance.detach();
    result.figures["accuracy"] = accuracy(student, targets);
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
    const size_t list = passes.add(this->views(views, {objective.keep, 0, 0, {}}, draws, passes.share()));
    passes.forward();
    const Seen media = seen(passes.rows(list));
    const at::Tensor distance = cosine_distance(media.vectors, media.concepts);
    StepLoss result;
    result.total = distance * objective.cosine;
    if (objective.gate > 0) {
        const at::Tensor open = at::softplus(-media.logit).mean();
        result.total = result.total + open * objective.gate;
        result.figures["gate loss"] = open.detach();
    }
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
    case ObjectiveKind::FilmText:
        result = clip_text(passes, network, entry, draws);
        break;
    case ObjectiveKind::FilmMotion:
        result = film_motion(passes, network, entry, draws);
        break;
    case ObjectiveKind::SoundName:
        result = sound_name(passes, network, entry, draws);
        break;
    case ObjectiveKind::PictureSound:
        result = picture_sound(passes, network, entry, draws);
        break;
    case ObjectiveKind::SoundText:
        result = sound_text(passes, network, entry, draws);
        break;
    case ObjectiveKind::TextText:
        result = text_text(passes, network, entry, draws);
        break;
    case ObjectiveKind::TextTeacher:
        result = text_teacher(passes, entry, draws);
        break;
    case ObjectiveKind::Concept:
        result = concept_teacher(passes, entry, draws);
        break;
    default:
        IMPRINT_ASSERT(!"an objective over a corpus");
    }
    result.samples = entry.batch;
    return result;
}

}  // namespace imprint::training
