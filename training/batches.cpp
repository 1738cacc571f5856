// SPDX-License-Identifier: Apache-2.0
// Drawing batches and computing the six objectives.
#include "training/batches.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "core/base/error.h"
#include "training/objectives.h"

namespace imprint::training {
namespace {

constexpr uint64_t kChoosePurpose = 1, kBatchPurpose = 2;
// How often a text of each role is drawn for distillation: what people type looks like captions and words, not glosses.
constexpr double kRoleShares[] = {0.34, 0.08, 0.40, 0.13, 0.05};  // Caption, Prompt, Lemma, Gloss, ClassText

constexpr double kHiddenConcepts = 0.3;  // recipe.md: the concept as an input is dropped for 30 % of rows
constexpr int64_t kLengthsPerBatch = 4;

/// Items that share a key go through the network together; results come back in the order of the items.
template <typename Key, typename Pass>
at::Tensor grouped(size_t count, const Key& key, const Pass& pass)
{
    std::map<decltype(key(size_t{})), std::vector<int64_t>> groups;
    for (size_t i = 0; i < count; ++i)
        groups[key(i)].push_back(static_cast<int64_t>(i));
    std::vector<at::Tensor> parts;
    std::vector<int64_t> place(count);
    int64_t next = 0;
    for (const auto& [k, members] : groups) {
        parts.push_back(pass(members));
        for (const int64_t member : members)
            place[static_cast<size_t>(member)] = next++;
    }
    return at::cat(parts).index_select(0, at::tensor(place, at::kLong));
}

void add_to(at::Tensor* sum, const at::Tensor& value)
{
    if (sum && value.defined())
        *sum = sum->defined() ? *sum + value : value;
}

double accuracy(const at::Tensor& a, const at::Tensor& b)
{
    const at::Tensor best = at::matmul(a.detach(), b.detach().t()).argmax(-1);
    return (best == at::arange(a.size(0), at::kLong)).to(at::kDouble).mean().item<double>();
}

}  // namespace

Objectives::Objectives(const Recipe& recipe, const TrainingData& data) : recipe_(recipe), data_(data), texts_by_role_(6)
{
    const auto& items = data.corpus.items();
    for (size_t i = 0; i < items.size(); ++i) {
        if (items[i].sound) {
            if (data.sounds.has(i))
                sounds_.push_back(i);
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
    need(ObjectiveKind::SoundText, !sounds_.empty(), "sounds with captions");
    need(ObjectiveKind::TextText, !data.corpus.text_pairs().empty(), "pairs of texts");
    need(ObjectiveKind::Concept, !photos_.empty(), "photos");
}

size_t Objectives::choose(int64_t step) const
{
    double sum = 0;
    for (const auto& objective : recipe_.objectives)
        sum += objective.weight;
    double place = Draws(recipe_.seed, static_cast<uint64_t>(step), kChoosePurpose).uniform() * sum;
    for (size_t i = 0; i < recipe_.objectives.size(); ++i) {
        place -= recipe_.objectives[i].weight;
        if (place < 0)
            return i;
    }
    return recipe_.objectives.size() - 1;
}

at::Tensor Objectives::encode_texts(const model::Network& network, const std::vector<int64_t>& texts, at::Tensor* z_loss) const
{
    const auto ids = [&](size_t i) -> const std::vector<int64_t>& { return piece_ids_[static_cast<size_t>(texts[i])]; };
    return grouped(texts.size(), [&](size_t i) { return ids(i).size(); }, [&](const std::vector<int64_t>& members) {
        const auto length = static_cast<int64_t>(ids(static_cast<size_t>(members.front())).size());
        at::Tensor batch = at::empty({static_cast<int64_t>(members.size()), length}, at::kLong);
        for (size_t row = 0; row < members.size(); ++row)
            std::memcpy(batch.mutable_data_ptr<int64_t>() + static_cast<int64_t>(row) * length,
                        ids(static_cast<size_t>(members[row])).data(), sizeof(int64_t) * static_cast<size_t>(length));
        const auto encoding = network.encode_text(batch);
        // Each group's mean z-loss counts by its share of the batch.
        if (encoding.auxiliary.z_loss.defined())
            add_to(z_loss, encoding.auxiliary.z_loss * (double(members.size()) / double(texts.size())));
        return encoding.vectors;
    });
}

Objectives::Views Objectives::encode_views(const model::Network& network, const std::vector<std::vector<ViewPlace>>& clips,
                                           double keep, double hidden_concepts, Draws& draws, at::Tensor* z_loss) const
{
    const auto frames = static_cast<int64_t>(clips.front().size());
    const auto grid = [&](size_t i) { return data_.pictures.grid(clips[i].front().file); };
    auto generator = at::detail::createCPUGenerator(draws.bits());
    int64_t fewest = INT64_MAX;
    for (size_t i = 0; i < clips.size(); ++i)
        fewest = std::min(fewest, frames * grid(i).first * grid(i).second);
    const auto count = std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(fewest)));

    std::vector<model::Network::MapTokens> tokens;
    std::vector<at::Tensor> encoded;
    const auto seen_of = [&](int64_t batch) -> std::optional<at::Tensor> {
        if (hidden_concepts <= 0)
            return std::nullopt;
        return (at::rand({batch, 1}, generator, at::kFloat) >= hidden_concepts).to(at::kFloat);
    };
    // What belongs to one item travels side by side, so that one reordering serves all of it.
    const auto finish = [&](const model::Network::MapTokens& input, const at::Tensor& concepts) {
        const auto encoding = network.encode_map_tokens(input, concepts, seen_of(concepts.size(0)));
        if (encoding.auxiliary.z_loss.defined())
            add_to(z_loss, encoding.auxiliary.z_loss * (double(concepts.size(0)) / double(clips.size())));
        return at::cat({encoding.vectors, encoding.own, concepts, encoding.gate}, 1);
    };
    std::vector<int64_t> order;
    const at::Tensor parts = grouped(clips.size(), grid, [&](const std::vector<int64_t>& members) {
        const auto batch = static_cast<int64_t>(members.size());
        std::vector<ViewPlace> places;
        for (const int64_t member : members)
            places.insert(places.end(), clips[static_cast<size_t>(member)].begin(), clips[static_cast<size_t>(member)].end());
        const at::Tensor map = data_.pictures.maps(places), logits = data_.pictures.logits(places);
        const at::Tensor concepts = network.concept_of(logits.view({batch, frames, logits.size(1)}));
        const at::Tensor clip = map.view({batch, frames, map.size(1), map.size(2), map.size(3)});
        if (keep >= 1)
            return finish(network.map_tokens(clip), concepts);
        const int64_t all = frames * map.size(1) * map.size(2);
        const at::Tensor shuffled = at::rand({batch, all}, generator, at::kFloat).argsort(false, -1).narrow(-1, 0, count);
        tokens.push_back(network.map_tokens(clip, std::get<0>(shuffled.sort(-1))));
        order.insert(order.end(), members.begin(), members.end());
        return concepts;
    });
    at::Tensor rows = parts;
    if (keep < 1) {
        std::vector<at::Tensor> values, positions;
        for (const auto& part : tokens) {
            values.push_back(part.values);
            positions.push_back(part.positions);
        }
        const at::Tensor places = at::argsort(at::tensor(order, at::kLong), false, -1);
        rows = finish({at::cat(values).index_select(0, places), at::cat(positions).index_select(0, places)}, parts);
    }
    const int64_t dim = network.config().joint_dim;
    return {rows.narrow(1, 0, dim), rows.narrow(1, dim, dim), rows.narrow(1, 2 * dim, dim).detach(), rows.narrow(1, 3 * dim, 1).detach()};
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

at::Tensor Objectives::encode_sounds(const model::Network& network, const std::vector<std::vector<float>>& sounds, at::Tensor* z_loss) const
{
    const auto key = [&](size_t i) { return data_.log_mel.padded_length(static_cast<int64_t>(sounds[i].size())); };
    return grouped(sounds.size(), key, [&](const std::vector<int64_t>& members) {
        const int64_t length = key(static_cast<size_t>(members.front()));
        at::Tensor batch = at::zeros({static_cast<int64_t>(members.size()), length});
        for (size_t row = 0; row < members.size(); ++row) {
            const auto& samples = sounds[static_cast<size_t>(members[row])];
            std::memcpy(batch.mutable_data_ptr<float>() + static_cast<int64_t>(row) * length, samples.data(),
                        samples.size() * sizeof(float));
        }
        const auto encoding = network.encode_spectrogram(data_.log_mel(batch));
        if (encoding.auxiliary.z_loss.defined())
            add_to(z_loss, encoding.auxiliary.z_loss * (double(members.size()) / double(sounds.size())));
        return encoding.vectors;
    });
}

StepLoss Objectives::against_captions(const model::Network& network, const at::Tensor& media, const at::Tensor& own,
                                      const std::vector<int64_t>& captions, const char* temperature, const ObjectiveRecipe& objective, const at::Tensor& media_z) const
{
    at::Tensor z_loss = media_z;
    const at::Tensor texts = encode_texts(network, captions, &z_loss);
    const at::Tensor teacher = data_.corpus.teacher(captions);
    const at::Tensor targets = soft_targets(teacher, recipe_.target_sharpness);
    at::Tensor contrast = nce(media, texts, network.temperature(temperature), targets);
    at::Tensor distance = cosine_distance(media, teacher) + cosine_distance(texts, teacher);
    if (own.defined()) {
        contrast = (contrast + nce(own, texts, network.temperature(temperature), targets)) / 2;
        distance = distance + cosine_distance(own, teacher);
    }
    StepLoss result;
    result.total = contrast * objective.nce + distance * objective.cosine;
    if (z_loss.defined())
        result.total = result.total + z_loss * recipe_.z_loss;
    result.nce = contrast.item<double>();
    result.cosine = distance.item<double>();
    result.accuracy = accuracy(media, texts);
    return result;
}

size_t Objectives::draw_picture(const ObjectiveRecipe& objective, Draws& draws) const
{
    const bool composite = !composites_.empty() && draws.uniform() < objective.composites;
    const auto& list = composite ? composites_ : pairs_;
    return list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
}

StepLoss Objectives::picture_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto drawn = draw_captioned(objective.batch, draws, [&] { return draw_picture(objective, draws); });
    std::vector<std::vector<ViewPlace>> views;
    for (const size_t item : drawn.items) {
        const auto& places = data_.pictures.views(item);
        const bool crop = draws.uniform() < objective.views && places.size() > 1;
        views.push_back({places[crop ? 1 + static_cast<size_t>(draws.below(static_cast<int64_t>(places.size()) - 1)) : 0]});
    }
    at::Tensor z_loss;
    const Views media = encode_views(network, views, objective.keep, kHiddenConcepts, draws, &z_loss);
    StepLoss result = against_captions(network, media.vectors, media.own, drawn.captions, "picture_text", objective, z_loss);
    result.gate = media.gate.mean().item<double>();
    return result;
}

StepLoss Objectives::clip_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto frames = static_cast<size_t>(2 + draws.below(network.config().max_frames - 1));
    const auto drawn = draw_captioned(objective.batch, draws, [&] { return draw_picture(objective, draws); });
    std::vector<std::vector<ViewPlace>> clips;
    for (const size_t item : drawn.items) {
        const auto& places = data_.pictures.views(item);
        std::vector<ViewPlace> same;
        for (const auto& place : places)
            if (data_.pictures.grid(place.file) == data_.pictures.grid(places.front().file))
                same.push_back(place);
        auto& clip = clips.emplace_back();
        for (size_t f = 0; f < frames; ++f)
            clip.push_back(same[static_cast<size_t>(draws.below(static_cast<int64_t>(same.size())))]);
    }
    at::Tensor z_loss;
    const Views media = encode_views(network, clips, objective.keep, kHiddenConcepts, draws, &z_loss);
    StepLoss result = against_captions(network, media.vectors, media.own, drawn.captions, "picture_text", objective, z_loss);
    result.gate = media.gate.mean().item<double>();
    return result;
}

StepLoss Objectives::sound_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto drawn = draw_captioned(objective.batch, draws,
                                      [&] { return sounds_[static_cast<size_t>(draws.below(static_cast<int64_t>(sounds_.size())))]; });
    std::vector<std::vector<float>> windows;
    for (const size_t item : drawn.items)
        windows.push_back(data_.sounds.draw(item, static_cast<size_t>(network.config().max_sound_samples()), draws));
    at::Tensor z_loss;
    const at::Tensor media = encode_sounds(network, windows, &z_loss);
    return against_captions(network, media, {}, drawn.captions, "sound_text", objective, z_loss);
}

StepLoss Objectives::text_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto& pairs = data_.corpus.text_pairs();
    std::vector<int64_t> left, right;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const auto& pair = pairs[static_cast<size_t>(draws.below(static_cast<int64_t>(pairs.size())))];
        left.push_back(pair.first);
        right.push_back(pair.second);
    }
    at::Tensor z_loss;
    const at::Tensor a = encode_texts(network, left, &z_loss), b = encode_texts(network, right, &z_loss);
    const at::Tensor contrast = nce(a, b, network.temperature("text_text"));
    const at::Tensor distance = cosine_distance(a, data_.corpus.teacher(left)) + cosine_distance(b, data_.corpus.teacher(right));
    StepLoss result;
    result.total = contrast * objective.nce + distance * objective.cosine;
    if (z_loss.defined())
        result.total = result.total + z_loss * recipe_.z_loss;
    result.nce = contrast.item<double>();
    result.cosine = distance.item<double>();
    result.accuracy = accuracy(a, b);
    return result;
}

StepLoss Objectives::text_teacher(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    // Few lengths a batch: each is a pass of its own, and a pass over a handful of texts costs as much as one over many.
    std::vector<int64_t> texts;
    for (int64_t group = 0; group < kLengthsPerBatch; ++group) {
        size_t length = 0;
        const auto end = static_cast<size_t>(objective.batch * (group + 1) / kLengthsPerBatch);
        while (texts.size() < end) {
            double place = draws.uniform();
            size_t role = 0;
            while (role + 1 < std::size(kRoleShares) && place >= kRoleShares[role])
                place -= kRoleShares[role++];
            if (length == 0 && !texts_by_role_[role].empty()) {
                const auto& all = texts_by_role_[role];
                length = piece_ids_[static_cast<size_t>(all[static_cast<size_t>(draws.below(static_cast<int64_t>(all.size())))])].size();
            }
            const auto found = texts_by_length_[role].find(length);
            if (found != texts_by_length_[role].end())
                texts.push_back(found->second[static_cast<size_t>(draws.below(static_cast<int64_t>(found->second.size())))]);
        }
    }
    at::Tensor z_loss;
    const at::Tensor student = encode_texts(network, texts, &z_loss);
    const at::Tensor teacher = data_.corpus.teacher(texts);
    // The student must point where the teacher points, and tell the batch's other texts apart as the teacher does.
    const at::Tensor relations = nce(student, teacher, at::full({1}, 1 / recipe_.target_sharpness),
                                     soft_targets(teacher, recipe_.target_sharpness));
    const at::Tensor distance = cosine_distance(student, teacher);
    StepLoss result;
    result.total = relations * objective.nce + distance * objective.cosine;
    if (z_loss.defined())
        result.total = result.total + z_loss * recipe_.z_loss;
    result.nce = relations.item<double>();
    result.cosine = distance.item<double>();
    result.accuracy = accuracy(student, teacher);
    return result;
}

StepLoss Objectives::concept_teacher(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    std::vector<std::vector<ViewPlace>> views;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const size_t item = photos_[static_cast<size_t>(draws.below(static_cast<int64_t>(photos_.size())))];
        views.push_back({data_.pictures.views(item).front()});
    }
    at::Tensor z_loss;
    const Views media = encode_views(network, views, objective.keep, 0, draws, &z_loss);
    const at::Tensor distance = cosine_distance(media.vectors, media.concepts);
    StepLoss result;
    result.total = distance * objective.cosine;
    if (z_loss.defined())
        result.total = result.total + z_loss * recipe_.z_loss;
    result.cosine = distance.item<double>();
    result.accuracy = accuracy(media.vectors, media.concepts);
    result.gate = media.gate.mean().item<double>();
    return result;
}

StepLoss Objectives::loss(const model::Network& network, size_t objective, int64_t step) const
{
    const ObjectiveRecipe& entry = recipe_.objectives[objective];
    Draws draws(recipe_.seed, static_cast<uint64_t>(step), kBatchPurpose);
    switch (entry.kind) {
    case ObjectiveKind::PictureText: return picture_text(network, entry, draws);
    case ObjectiveKind::ClipText: return clip_text(network, entry, draws);
    case ObjectiveKind::SoundText: return sound_text(network, entry, draws);
    case ObjectiveKind::TextText: return text_text(network, entry, draws);
    case ObjectiveKind::TextTeacher: return text_teacher(network, entry, draws);
    case ObjectiveKind::Concept: return concept_teacher(network, entry, draws);
    }
    IMPRINT_ASSERT(false);
}

}  // namespace imprint::training
