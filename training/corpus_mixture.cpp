// SPDX-License-Identifier: Apache-2.0
// Puts the corpus and what is made of it together.
#include "training/corpus_mixture.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "core/base/error.h"
#include "training/log/line_of.h"

namespace imprint::training {
namespace {

constexpr double kMaxSoundSeconds = 12;
constexpr uint64_t kScorePurpose = 3, kStatisticsPurpose = 4;
constexpr int kSoundsForStatistics = 768;

// What the checkpoint will hold of a given tensor: in half precision or, of a matrix, as 8-bit rows.
at::Tensor as_held(const at::Tensor& tensor, bool eight_bit)
{
    if (!eight_bit || tensor.dim() != 2)
        return tensor.to(at::kHalf).to(at::kFloat);
    const auto rows = model::eight_bit_rows(tensor);
    return rows.values.to(at::kFloat) * rows.scales.unsqueeze(-1);
}

// The network learns on the trunk as the checkpoint will hold it.
model::Parameters load_trunk(const Corpus& corpus, bool eight_bit)
{
    const model::SafetensorsFile file(corpus.root() / "trunk.safetensors");
    model::Parameters trunk;
    for (const auto& name : model::Trunk::parameter_names())
        trunk[name] = as_held(model::to_tensor(file.at(name), name).to(at::kHalf).to(at::kFloat), eight_bit);
    return trunk;
}

// The sentence encoder of the hybrid text stem, likewise; empty without that stem.
model::Parameters load_text_trunk(const Corpus& corpus, const Recipe& recipe)
{
    model::Parameters trunk;
    if (recipe.model.text_stem != model::TextStem::Hybrid)
        return trunk;
    const model::SafetensorsFile file(corpus.root() / "text_trunk.safetensors");
    for (const auto& name : model::TextTrunk::parameter_names(recipe.model))
        trunk[name] = as_held(model::to_tensor(file.at(name), name).to(at::kHalf).to(at::kFloat), recipe.eight_bit);
    return trunk;
}

std::unique_ptr<model::TextTrunk> make_text_trunk(const Recipe& recipe, const MixtureOptions& options,
                                                  const model::Parameters& weights)
{
    if (weights.empty())
        return nullptr;
    return std::make_unique<model::TextTrunk>(recipe.model, options.precision,
                                              [&](const std::string& name) { return weights.at(name).to(options.device); });
}

// What the sentence encoder makes of each piece alone, turned onto its principal axes: a text then starts as the sum of
// what its pieces mean. Rows keep the mean length that the method's initialisation gives them (imp_method.md 1.5).
void start_from_pieces(at::Tensor& table, const at::Tensor& pieces)
{
    if (pieces.size(0) != table.size(0))
        throw Error(ErrorKind::Malformed, "pieces.safetensors",
                    "holds " + std::to_string(pieces.size(0)) + " pieces, the vocabulary has " + std::to_string(table.size(0)),
                    "Build the corpus again");
    const at::Tensor axes = std::get<1>(at::linalg_eigh(at::matmul(pieces.t(), pieces).to(at::kDouble))).flip(1).to(at::kFloat);
    const int64_t used = std::min(table.size(1), pieces.size(1));
    const at::Tensor turned = at::matmul(pieces, axes.narrow(1, 0, used));
    table.narrow(1, 0, used).copy_(turned / turned.norm(2, {-1}).mean() * std::sqrt(double(used) / double(table.size(1))));
}

/// What the score statistics of a checkpoint are drawn from: lines of texts, and indexes into Corpus::items().
struct Background {
    std::vector<int64_t> captions, lemmas;
    std::vector<size_t> drawings, photos, sounding;
};

Background background_of(const Corpus& corpus, const PictureFeatures& pictures, const SoundClips& sounds)
{
    Background found;
    for (size_t i = 0; i < corpus.texts().size(); ++i) {
        const TextRole role = corpus.text_roles()[i];
        if (role == TextRole::Caption || role == TextRole::Prompt)
            found.captions.push_back(static_cast<int64_t>(i));
        else if (role == TextRole::Lemma || role == TextRole::Word)
            found.lemmas.push_back(static_cast<int64_t>(i));
    }
    for (size_t i = 0; i < corpus.items().size(); ++i) {
        const Item& item = corpus.items()[i];
        if (item.sound && sounds.has(i))
            found.sounding.push_back(i);
        else if (!item.sound && item.frames == 0 && !pictures.views(i).empty() && item.role != Role::Composite)
            (item.role == Role::Pair ? found.drawings : found.photos).push_back(i);
    }
    return found;
}

/// The configuration and the score statistics of a checkpoint; nothing of a run's state, which has none, nor of a file that is gone,
/// which a run that goes on from a state of its own can do without.
std::optional<model::Checkpoint> initial_statistics(const std::filesystem::path& path)
{
    if (path.empty() || !std::filesystem::exists(path))
        return std::nullopt;
    const model::SafetensorsFile file(path);
    if (!file.metadata().count(model::kConfigKey))
        return std::nullopt;
    model::Checkpoint checkpoint = model::load_checkpoint(file);
    checkpoint.parameters.clear();
    checkpoint.trunk.clear();
    checkpoint.text_trunk.clear();
    return checkpoint;
}

bool reads_pictures(ObjectiveKind kind)
{
    return kind == ObjectiveKind::PictureText || kind == ObjectiveKind::ClipText || kind == ObjectiveKind::FilmText
        || kind == ObjectiveKind::FilmMotion || kind == ObjectiveKind::PictureSound || kind == ObjectiveKind::Concept;
}

bool reads_sounds(ObjectiveKind kind)
{
    return kind == ObjectiveKind::SoundText || kind == ObjectiveKind::SoundName || kind == ObjectiveKind::PictureSound;
}

std::vector<double> weights_of(const Recipe& recipe)
{
    std::vector<double> weights;
    for (const auto& objective : recipe.objectives)
        weights.push_back(objective.weight);
    return weights;
}

}  // namespace

CorpusMixture::CorpusMixture(const Recipe& recipe, const MixtureOptions& options)
    : recipe_(recipe), device_(options.device), log_(options.log), initial_(initial_statistics(recipe_.initial)),
      corpus_(recipe_.corpus.empty() ? default_corpus() : recipe_.corpus), trunk_weights_(load_trunk(corpus_, recipe_.eight_bit)),
      trunk_([&](const std::string& name) { return trunk_weights_.at(name).to(options.device); }),
      text_trunk_weights_(load_text_trunk(corpus_, recipe_)), text_trunk_(make_text_trunk(recipe_, options, text_trunk_weights_)),
      tokenizer_(corpus_.tokenizer(recipe_.model.text_stem), recipe_.model.vocabulary, recipe_.model.max_text_tokens,
                 "tokenizer.model"),
      log_mel_(recipe_.model, options.device), sounds_(open_sounds(options)), pictures_(open_pictures(options)),
      dev_(corpus_, trunk_, options.device, recipe_.model, decoder_),
      objectives_(recipe_, {corpus_, pictures_, sounds_, tokenizer_, log_mel_, text_trunk_.get(), options.device}),
      sampler_(weights_of(recipe_), recipe_.seed)
{
    // Before the steps, not after them.
    const Background background = background_of(corpus_, pictures_, sounds_);
    const auto need = [&](bool there, const std::string& what) {
        if (!there)
            throw Error(ErrorKind::Malformed, corpus_.root().string(),
                        "has no " + what + "; a model's scores are measured on some",
                        "Add one at least, or train from a recipe that names data sets in place of a corpus");
    };
    need(!background.captions.empty() && !background.lemmas.empty(), "texts of the roles caption and lemma");
    need(!background.drawings.empty() || !changes(Medium::Pictures), "picture with a caption that could be read");
    need(!background.sounding.empty() || !changes(Medium::Sounds), "sound that could be read");
}

bool CorpusMixture::changes(Medium medium) const
{
    const bool mixed = recipe_.blend < 1 && !recipe_.blend_with.empty();  // with weights that may differ in anything
    if (!initial_ || initial_->eight_bit != recipe_.eight_bit || mixed)
        return true;
    model::ModelConfig had = initial_->config;
    if (medium != Medium::Sounds) {
        had.sound_shortcut = recipe_.model.sound_shortcut;
        had.sound_stem_widths = recipe_.model.sound_stem_widths;
        had.sound_stem_floor = recipe_.model.sound_stem_floor;
        had.sound_blocks_share = recipe_.model.sound_blocks_share;
    }
    if (had != recipe_.model || (medium == Medium::Pictures && recipe_.gate_shift != 0))
        return true;
    const auto of = [](const std::string& name, std::initializer_list<const char*> parts) {
        return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return name.starts_with(part); });
    };
    const auto specs = model::parameter_specs(recipe_.model);
    return std::any_of(specs.begin(), specs.end(), [&](const model::ParameterSpec& spec) {
        const bool pictures = of(spec.name, {"vision.", "concept."}), sounds = of(spec.name, {"sound."}),
                   texts = of(spec.name, {"text."});
        const bool goes_through = medium == Medium::Pictures ? !sounds && !texts
            : medium == Medium::Sounds                       ? !pictures && !texts
                                                             : !pictures && !sounds;
        return !spec.frozen && recipe_.learns(spec.name) && goes_through && !of(spec.name, {"temperature."});
    });
}

bool CorpusMixture::needs(Medium medium) const
{
    const auto reads = medium == Medium::Pictures ? reads_pictures : reads_sounds;
    return changes(medium) || std::any_of(recipe_.objectives.begin(), recipe_.objectives.end(), [&](const ObjectiveRecipe& objective) {
               return objective.weight > 0 && reads(objective.kind);
           });
}

PictureFeatures CorpusMixture::open_pictures(const MixtureOptions& options)
{
    if (!needs(Medium::Pictures))
        return PictureFeatures(corpus_);
    return PictureFeatures(corpus_, recipe_.model, recipe_.views_per_picture, recipe_.seed, trunk_, options.device, decoder_,
                           feature_folder(), options.log, options.cancel);
}

SoundClips CorpusMixture::open_sounds(const MixtureOptions& options)
{
    if (!needs(Medium::Sounds))
        return SoundClips(corpus_);
    return SoundClips(corpus_, kMaxSoundSeconds, decoder_, options.log, options.cancel);
}

StepLoss CorpusMixture::loss(Passes& passes, const model::Network& network, const Task& task)
{
    RouterUse use;
    if (task.step % recipe_.log_every == 0)
        passes.watch(&use);
    StepLoss loss = objectives_.loss(passes, network, task.objective, task.draw);
    loss.add_use(use);
    return loss;
}

void CorpusMixture::begin(const model::Network& network) const
{
    if (dev_.empty())
        return;
    const auto untrained = dev_.concept_figures(network, corpus_);
    log_(line_of("dev photos, untrained concepts: R@1 %.1f R@10 %.1f MRR %.3f over %zu queries", untrained.r1, untrained.r10,
                 untrained.mrr, dev_.queries()));
}

std::filesystem::path CorpusMixture::feature_folder() const
{
    // The seed chooses crops, and nothing else: without them all seeds share one cache.
    const uint64_t seed = recipe_.views_per_picture > 0 ? recipe_.seed : 0;
    return corpus_.root()
        / (std::string(recipe_.model.own_tail() ? "middles-" : "views-") + corpus_.hash() + "-" + std::to_string(seed) + "-"
           + std::to_string(recipe_.views_per_picture));
}

void CorpusMixture::fill_given_parts(model::Parameters& parameters) const
{
    model::take_trunk(parameters, recipe_.model, trunk_weights_);
    model::Parameters own = parameters;
    for (auto& [name, tensor] : own)
        tensor = tensor.to(device_);
    const model::Network network(recipe_.model, own);
    const auto [mean, deviation] = pictures_.channel_statistics([&](const at::Tensor& map) { return network.last_map(map); });
    parameters["vision.map_mean"] = mean;
    parameters["vision.map_deviation"] = deviation;
    if (recipe_.model.text_stem == model::TextStem::Hybrid)
        parameters["text.concept.mean"] = corpus_.lemma_mean().clone();
    else if (const at::Tensor pieces = corpus_.piece_vectors(); pieces.defined())
        start_from_pieces(parameters.at("text.table"), pieces);
    parameters["concept.class_text"] = corpus_.class_text().to(at::kHalf).to(at::kFloat);
    std::vector<at::Tensor> frames;
    for (size_t i = 0; i < corpus_.items().size() && frames.size() < 400; ++i)
        if (corpus_.items()[i].sound && sounds_.has(i)) {
            const auto head = sounds_.head(i, static_cast<size_t>(recipe_.model.max_sound_samples()));
            at::Tensor samples = at::zeros({1, log_mel_.padded_length(static_cast<int64_t>(head.size()))});
            samples[0].narrow(0, 0, static_cast<int64_t>(head.size())).copy_(at::tensor(head));
            frames.push_back(log_mel_(samples.to(device_))[0].cpu());
        }
    if (!frames.empty()) {
        const at::Tensor all = at::cat(frames);
        parameters["sound.mel_mean"] = all.mean(0);
        parameters["sound.mel_deviation"] = all.std(0).clamp_min(0.1);
    }
}

void CorpusMixture::settle(model::Parameters& parameters) const
{
    if (recipe_.model.sound_stem_widths.empty() || !recipe_.learns("sound.stem."))
        return;
    const at::NoGradGuard guard;
    const std::vector<size_t> sounding = background_of(corpus_, pictures_, sounds_).sounding;
    Draws draws(recipe_.seed, 0, kStatisticsPurpose);
    std::vector<at::Tensor> spectrograms;
    const int64_t window = log_mel_.padded_length(recipe_.model.max_sound_samples());
    for (int i = 0; i < kSoundsForStatistics; ++i) {
        const auto head = sounds_.head(sounding[static_cast<size_t>(draws.below(static_cast<int64_t>(sounding.size())))],
                                       static_cast<size_t>(window));
        at::Tensor samples = at::zeros({1, window});
        samples[0].narrow(0, 0, static_cast<int64_t>(head.size())).copy_(at::tensor(head));
        spectrograms.push_back(log_mel_(samples.to(device_)));
    }
    for (const auto& [name, value] : model::Network(recipe_.model, parameters).sound_statistics(at::cat(spectrograms)))
        parameters[name] = value;
}

nlohmann::json CorpusMixture::evaluate(const model::Network& network) const
{
    if (dev_.empty())
        return nullptr;
    const auto figures = dev_.figures(network, [&](const std::vector<int64_t>& texts) {
        const at::NoGradGuard guard;
        return objectives_.texts(texts).run(network);
    });
    const auto taught = dev_.figures(network, [&](const std::vector<int64_t>& texts) { return corpus_.teacher(texts); });
    const auto group = [](const DevFigures& f) { return nlohmann::json{{"r1", f.r1}, {"r10", f.r10}, {"mrr", f.mrr}}; };
    return {{"dev", group(figures)}, {"dev_teacher", group(taught)}};
}

void CorpusMixture::complete(model::Checkpoint& checkpoint, const model::Network& network) const
{
    checkpoint.trunk = trunk_weights_;
    checkpoint.text_trunk = text_trunk_weights_;
    checkpoint.tokenizer = corpus_.tokenizer(recipe_.model.text_stem);

    // Score statistics: a bank of everyday words and captions, and background moments that belong to nobody's library.
    Draws draws(recipe_.seed, 0, kScorePurpose);
    const Background background = background_of(corpus_, pictures_, sounds_);
    const auto any_of = [&draws](const auto& list) {
        return list[static_cast<size_t>(draws.below(static_cast<int64_t>(list.size())))];
    };
    const auto measure_texts = [&] {
        std::vector<int64_t> bank;
        for (int i = 0; i < 512; ++i)
            bank.push_back(any_of(i % 2 ? background.lemmas : background.captions));
        return objectives_.texts(bank).run(network).cpu();
    };
    const auto measure_pictures = [&] {
        std::vector<std::vector<ViewPlace>> views;
        for (int i = 0; i < 256; ++i) {
            const auto& list = (i % 2 || background.photos.empty()) ? background.drawings : background.photos;
            views.push_back({pictures_.views(any_of(list)).front()});
        }
        return objectives_.views(views, {}, draws).run(network).narrow(1, 0, recipe_.model.joint_dim).contiguous().cpu();
    };
    const auto measure_sounds = [&] {
        std::vector<std::vector<float>> windows;
        for (int i = 0; i < 192; ++i)
            windows.push_back(sounds_.head(any_of(background.sounding), static_cast<size_t>(recipe_.model.max_sound_samples())));
        return objectives_.sounds(windows, 1.0, false, draws).run(network).cpu();
    };
    // Of what did not change, the old ones stand: scores of a library stay comparable.
    checkpoint.text_bank = changes(Medium::Texts) ? measure_texts() : initial_->text_bank;
    checkpoint.background_picture = changes(Medium::Pictures) ? measure_pictures() : initial_->background_picture;
    checkpoint.background_sound = changes(Medium::Sounds) ? measure_sounds() : initial_->background_sound;

    checkpoint.provenance["corpus"] = corpus_.hash();
    checkpoint.provenance["data"] = "see training/corpus and resources/ATTRIBUTION.md";
}

}  // namespace imprint::training
