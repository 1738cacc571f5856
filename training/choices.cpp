// SPDX-License-Identifier: Apache-2.0
// Objectives that choose: one of a few texts is right of each item, and the others are near misses that a caption's soft targets
// would let pass. The texts need not be the corpus's own, nor have teacher vectors in it.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "training/batches.h"

namespace imprint::training {
namespace {

// A label that so many sounds share is a name that a sound can be told by.
constexpr size_t kSoundsOfAName = 8;

}  // namespace

int64_t Objectives::own_text(const std::string& text)
{
    own_texts_.push_back(text);
    piece_ids_.push_back(data_.tokenizer.ids(text));
    return static_cast<int64_t>(piece_ids_.size()) - 1;
}

void Objectives::teach_own_texts()
{
    const auto uses = [](const ObjectiveRecipe& o) {
        return o.taught > 0 && (o.kind == ObjectiveKind::FilmMotion || o.kind == ObjectiveKind::SoundName);
    };
    if (std::none_of(recipe_.objectives.begin(), recipe_.objectives.end(), uses))
        return;
    if (!data_.text_trunk)
        throw Error(ErrorKind::Usage, "taught", "needs the hybrid text stem for film-motion and sound-name",
                    "Leave it out of those objectives, or set model.text_stem to \"hybrid\"");
    const at::NoGradGuard guard;
    std::vector<at::Tensor> rows;
    const size_t first = piece_ids_.size() - own_texts_.size();
    for (size_t i = 0; i < own_texts_.size(); ++i)
        rows.push_back(
            data_.text_trunk->forward(at::tensor(piece_ids_[first + i]).unsqueeze(0).to(data_.device)).sentence.to(at::kFloat));
    const at::Tensor centred = at::cat(rows) - data_.corpus.lemma_mean().to(data_.device);
    own_taught_ = centred / centred.norm(2, {-1}, true).clamp_min(1e-6);
}

at::Tensor Objectives::taught(const std::vector<int64_t>& texts) const
{
    const auto of_corpus = static_cast<int64_t>(data_.corpus.texts().size());
    if (std::all_of(texts.begin(), texts.end(), [&](int64_t text) { return text < of_corpus; }))
        return teacher(texts);
    std::vector<int64_t> own;
    for (const int64_t text : texts)
        own.push_back(text - of_corpus);
    return own_taught_.index({at::tensor(own, at::kLong)});
}

Objectives::Asked Objectives::ask(Passes& passes, std::vector<int64_t> texts, const ObjectiveRecipe& objective,
                                  Draws& draws) const
{
    Asked asked{std::nullopt, std::move(texts)};
    if (draws.uniform() >= objective.taught)
        asked.list = passes.add(this->texts(asked.texts, passes.share()));
    return asked;
}

at::Tensor Objectives::answer(const Passes& passes, const Asked& asked) const
{
    return asked.list ? passes.rows(*asked.list) : taught(asked.texts);
}

void Objectives::list_moving()
{
    const auto& motions = data_.corpus.motions();
    const auto index_of = [&](const std::string& name) -> int64_t {
        for (size_t i = 0; i < motions.size(); ++i)
            if (motions[i].name == name)
                return static_cast<int64_t>(i);
        return -1;
    };
    // What a mirror and a film run backwards make of each; things that turn or stand still stay what they are.
    static const std::map<std::string, std::string> kMirror{{"left", "right"}, {"right", "left"}},
        kReverse{{"left", "right"}, {"right", "left"}, {"up", "down"}, {"down", "up"}, {"closer", "away"}, {"away", "closer"}};
    std::vector<int64_t> alone, something;
    for (const auto& motion : motions) {
        const auto other = [&](const std::map<std::string, std::string>& changes) {
            const auto found = changes.find(motion.name);
            return index_of(found == changes.end() ? motion.name : found->second);
        };
        motion_mirrored_.push_back(other(kMirror));
        motion_reversed_.push_back(other(kReverse));
        alone.push_back(own_text(motion.phrase));
        something.push_back(own_text("something " + motion.phrase));
    }
    std::map<std::string, std::vector<int64_t>> of_thing;
    for (const size_t item : films_) {
        const Item& film = data_.corpus.items()[item];
        const int64_t motion = index_of(film.motion);
        if (motion < 0)
            continue;
        const std::string& whole = data_.corpus.texts()[static_cast<size_t>(film.texts.front())];
        const std::string& phrase = motions[static_cast<size_t>(motion)].phrase;
        if (!whole.ends_with(" " + phrase))
            continue;
        const std::string thing = whole.substr(0, whole.size() - phrase.size());
        auto& asked = of_thing[thing];
        if (asked.empty())
            for (const auto& way : motions)
                asked.push_back(own_text(thing + way.phrase));
        moving_.push_back(item);
        motion_texts_.push_back({asked, asked, asked, something, alone});
    }
}

void Objectives::list_named()
{
    const auto& items = data_.corpus.items();
    std::map<std::string, std::vector<size_t>> by_label;
    for (const size_t item : sounds_)
        if (items[item].role == Role::Pair)
            by_label[items[item].label].push_back(item);
    for (const auto& [label, members] : by_label) {
        if (members.size() < kSoundsOfAName)
            continue;
        for (const size_t item : members) {
            named_.push_back(item);
            name_of_.push_back(static_cast<int64_t>(names_.size()));
        }
        names_.push_back(own_text(label));
    }
}

StepLoss Objectives::film_motion(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                                 Draws& draws) const
{
    std::vector<std::vector<ViewPlace>> clips;
    std::vector<size_t> items;
    std::vector<int64_t> asked, right;  // `motions` texts for each film, one after the other
    Look look{objective.keep, kHiddenConcepts, kHiddenShortcut, {}};
    const auto motions = static_cast<int64_t>(data_.corpus.motions().size());
    for (int64_t i = 0; i < objective.batch; ++i) {
        const auto drawn = static_cast<size_t>(draws.below(static_cast<int64_t>(moving_.size())));
        const Item& film = data_.corpus.items()[moving_[drawn]];
        items.push_back(moving_[drawn]);
        clips.push_back(data_.pictures.views(moving_[drawn]));
        int64_t motion = 0;
        while (data_.corpus.motions()[static_cast<size_t>(motion)].name != film.motion)
            ++motion;
        look.mirrored.push_back(draws.uniform() < 0.5);
        if (look.mirrored.back())
            motion = motion_mirrored_[static_cast<size_t>(motion)];
        if (draws.uniform() < 0.5 && motion >= 0) {
            motion = motion_reversed_[static_cast<size_t>(motion)];
            std::reverse(clips.back().begin(), clips.back().end());
        }
        if (motion < 0) {  // the corpus has no such motion: another film is drawn
            clips.pop_back();
            items.pop_back();
            look.mirrored.pop_back();
            --i;
            continue;
        }
        const auto& ways = motion_texts_[drawn];
        const auto& texts = ways[static_cast<size_t>(draws.below(static_cast<int64_t>(ways.size())))];
        asked.insert(asked.end(), texts.begin(), texts.end());
        right.push_back(motion);
    }
    // Every distinct text goes through the network once.
    std::vector<int64_t> distinct = asked;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    std::vector<int64_t> rows;
    for (const int64_t text : asked)
        rows.push_back(std::lower_bound(distinct.begin(), distinct.end(), text) - distinct.begin());
    const size_t media = passes.add(views(clips, look, draws, passes.share()));
    const Asked captions = ask(passes, distinct, objective, draws);
    passes.forward();
    const Seen films = seen(passes.rows(media));
    const at::Tensor choices = answer(passes, captions).index({at::tensor(rows, at::kLong)}).view({objective.batch, motions, -1});
    const at::Tensor truth = at::tensor(right, at::kLong).to(data_.device);
    const auto judged = [&](const at::Tensor& vectors) {
        const at::Tensor scores = at::matmul(choices, vectors.unsqueeze(2)).squeeze(2) / network.temperature("picture_text");
        return std::pair{-at::log_softmax(scores, -1).gather(1, truth.unsqueeze(1)).mean(),
                         (scores.detach().argmax(-1) == truth).to(at::kDouble).mean()};
    };
    const auto [mixed, told] = judged(films.vectors);
    const auto [own, own_told] = judged(films.own);
    StepLoss result;
    result.total = (mixed + own) / 2 * objective.nce;
    result.figures["nce"] = mixed.detach();
    result.figures["accuracy"] = told;
    result.figures["own accuracy"] = own_told;
    result.items = [this, items] { return listed(items, {}); };
    return result;
}

StepLoss Objectives::sound_name(Passes& passes, const model::Network& network, const ObjectiveRecipe& objective,
                                Draws& draws) const
{
    std::vector<size_t> items;
    std::vector<int64_t> right;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const auto drawn = static_cast<size_t>(draws.below(static_cast<int64_t>(named_.size())));
        items.push_back(named_[drawn]);
        right.push_back(name_of_[drawn]);
    }
    const auto windows = data_.sounds.draw(items, static_cast<size_t>(network.config().max_sound_samples()), draws);
    const size_t media = passes.add(sounds(windows, objective.keep, true, draws, passes.share()));
    const Asked captions = ask(passes, names_, objective, draws);
    passes.forward();
    const at::Tensor truth = at::tensor(right, at::kLong).to(data_.device);
    const at::Tensor scores = at::matmul(passes.rows(media), answer(passes, captions).t()) / network.temperature("sound_text");
    const at::Tensor contrast = -at::log_softmax(scores, -1).gather(1, truth.unsqueeze(1)).mean();
    StepLoss result;
    result.total = contrast * objective.nce;
    result.figures["nce"] = contrast.detach();
    result.figures["accuracy"] = (scores.detach().argmax(-1) == truth).to(at::kDouble).mean();
    result.items = [this, items] { return listed(items, {}); };
    return result;
}

}  // namespace imprint::training
