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
    const auto key = [&](size_t i) { return std::pair(data_.pictures.grid(clips[i].front().file), clips[i].size()); };
    auto generator = at::detail::createCPUGenerator(draws.bits());
    const int64_t dim = network.config().joint_dim;
    // What belongs to one item travels side by side, so that one reordering serves all of it.
    const at::Tensor rows = grouped(clips.size(), key, [&](const std::vector<int64_t>& members) {
        const auto batch = static_cast<int64_t>(members.size());
        const auto frames = static_cast<int64_t>(clips[static_cast<size_t>(members.front())].size());
        std::vector<ViewPlace> places;
        for (const int64_t member : members)
            places.insert(places.end(), clips[static_cast<size_t>(member)].begin(), clips[static_cast<size_t>(member)].end());
        const at::Tensor map = data_.pictures.maps(places);
        const at::Tensor logits = data_.pictures.logits(places);
        const int64_t tokens = frames * map.size(1) * map.size(2);
        const at::Tensor concept_vector = network.concept_of(logits.view({batch, frames, logits.size(1)}));
        std::optional<at::Tensor> kept, seen;
        if (keep < 1) {
            const auto count = std::max<int64_t>(1, static_cast<int64_t>(keep * static_cast<double>(tokens)));
            const at::Tensor order = at::rand({batch, tokens}, generator, at::kFloat).argsort(false, -1).narrow(-1, 0, count);
            kept = std::get<0>(order.sort(-1));
        }
        if (hidden_concepts > 0)
            seen = (at::rand({batch, 1}, generator, at::kFloat) >= hidden_concepts).to(at::kFloat);
        const auto encoding = network.encode_map(map.view({batch, frames, map.size(1), map.size(2), map.size(3)}), concept_vector, kept, seen);
        if (encoding.auxiliary.z_loss.defined())
            add_to(z_loss, encoding.auxiliary.z_loss * (double(batch) / double(clips.size())));
        return at::cat({encoding.vectors, encoding.own, concept_vector, encoding.gate}, 1);
    });
    return {rows.narrow(1, 0, dim), rows.narrow(1, dim, dim), rows.narrow(1, 2 * dim, dim).detach(), rows.narrow(1, 3 * dim, 1).detach()};
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

StepLoss Objectives::picture_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    std::vector<std::vector<ViewPlace>> views;
    std::vector<int64_t> captions;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const bool composite = !composites_.empty() && draws.uniform() < objective.composites;
        const auto& list = composite ? composites_ : pairs_;
        const size_t item = list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
        const auto& places = data_.pictures.views(item);
        const bool crop = draws.uniform() < objective.views && places.size() > 1;
        views.push_back({places[crop ? 1 + static_cast<size_t>(draws.below(static_cast<int64_t>(places.size()) - 1)) : 0]});
        const auto& texts = data_.corpus.items()[item].texts;
        captions.push_back(texts[static_cast<size_t>(draws.below(static_cast<int64_t>(texts.size())))]);
    }
    at::Tensor z_loss;
    const Views media = encode_views(network, views, objective.keep, kHiddenConcepts, draws, &z_loss);
    StepLoss result = against_captions(network, media.vectors, media.own, captions, "picture_text", objective, z_loss);
    result.gate = media.gate.mean().item<double>();
    return result;
}

StepLoss Objectives::clip_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    const auto frames = static_cast<size_t>(2 + draws.below(network.config().max_frames - 1));
    std::vector<std::vector<ViewPlace>> clips;
    std::vector<int64_t> captions;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const bool composite = !composites_.empty() && draws.uniform() < objective.composites;
        const auto& list = composite ? composites_ : pairs_;
        const size_t item = list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
        const auto& places = data_.pictures.views(item);
        const auto grid = data_.pictures.grid(places.front().file);
        std::vector<ViewPlace> same;
        for (const auto& place : places)
            if (data_.pictures.grid(place.file) == grid)
                same.push_back(place);
        auto& clip = clips.emplace_back();
        for (size_t f = 0; f < frames; ++f)
            clip.push_back(same[static_cast<size_t>(draws.below(static_cast<int64_t>(same.size())))]);
        const auto& texts = data_.corpus.items()[item].texts;
        captions.push_back(texts[static_cast<size_t>(draws.below(static_cast<int64_t>(texts.size())))]);
    }
    at::Tensor z_loss;
    const Views media = encode_views(network, clips, objective.keep, kHiddenConcepts, draws, &z_loss);
    StepLoss result = against_captions(network, media.vectors, media.own, captions, "picture_text", objective, z_loss);
    result.gate = media.gate.mean().item<double>();
    return result;
}

StepLoss Objectives::sound_text(const model::Network& network, const ObjectiveRecipe& objective, Draws& draws) const
{
    std::vector<std::vector<float>> windows;
    std::vector<int64_t> captions;
    for (int64_t i = 0; i < objective.batch; ++i) {
        const size_t item = sounds_[static_cast<size_t>(draws.below(static_cast<int64_t>(sounds_.size())))];
        windows.push_back(data_.sounds.draw(item, static_cast<size_t>(network.config().max_sound_samples()), draws));
        const auto& texts = data_.corpus.items()[item].texts;
        captions.push_back(texts[static_cast<size_t>(draws.below(static_cast<int64_t>(texts.size())))]);
    }
    at::Tensor z_loss;
    const at::Tensor media = encode_sounds(network, windows, &z_loss);
    return against_captions(network, media, {}, captions, "sound_text", objective, z_loss);
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
