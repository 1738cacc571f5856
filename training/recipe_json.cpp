// SPDX-License-Identifier: Apache-2.0
// A recipe as it was resolved, written down again.
#include <sstream>

#include <nlohmann/json.hpp>

#include "training/recipe.h"
#include "training/recipe_parts.h"
#include "training/recipe_table.h"

namespace imprint::training {
namespace {

using nlohmann::json;

/// Keys that a kind of objective or data set does not know would be refused when the recipe is read again.
void put_if(json& object, const char* key, const json& value, bool there)
{
    if (there)
        object[key] = value;
}

bool has(const std::vector<std::string>& list, const char* word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

json json_of(const DatasetRecipe& d)
{
    json object = {{"name", d.name}, {"kind", parts::kDatasetKinds[static_cast<size_t>(d.kind)]}, {"path", d.paths}};
    const bool manifest = d.kind == DatasetKind::Manifest, shards = d.kind == DatasetKind::Shards;
    put_if(object, "root", d.root.string(), !d.root.empty());
    put_if(object, "path_column", d.path_column, manifest);
    put_if(object, "split", d.split, manifest);
    put_if(object, "texts", d.texts, (manifest || shards) && !d.texts.empty());
    put_if(object, "label", d.label, manifest || shards);
    put_if(object, "media", d.media, shards && !d.media.empty());
    if (d.kind == DatasetKind::Corpus)
        object["media"] = d.media.front();
    put_if(object, "classes", d.classes, !d.classes.empty());
    put_if(object, "templates", d.templates.string(), !d.templates.empty());
    return object;
}

std::vector<std::string> names_of(const std::vector<Resolution>& resolutions)
{
    std::vector<std::string> names;
    for (const auto& resolution : resolutions)
        names.push_back(name_of(resolution));
    return names;
}

json json_of(const ObjectiveRecipe& o, Sampling sampling)
{
    json object = {{"kind", objective_name(o.kind)}, {"name", o.name}, {"batch", o.batch}};
    put_if(object, "weight", o.weight, sampling == Sampling::Weighted);
    put_if(object, "interval", o.interval, sampling == Sampling::Interval);
    const bool corpus = on_corpus(o.kind), vision = has(o.modalities, "vision");
    const bool vectors = o.kind == ObjectiveKind::Distill || corpus;
    put_if(object, "cosine", o.cosine, vectors);
    put_if(object, "nce", o.nce, vectors);
    if (corpus) {
        object.update(
            {{"keep", o.keep}, {"composites", o.composites}, {"views", o.views}, {"gate", o.gate}, {"taught", o.taught}});
        return object;
    }
    object["datasets"] = o.datasets;
    object["loss_weight"] = o.loss_weight;
    put_if(object, "dataset_weights", o.dataset_weights, !o.dataset_weights.empty());
    put_if(object, "modalities", o.modalities, o.kind != ObjectiveKind::MaskedLanguage);
    put_if(object, "resolutions", names_of(o.resolutions), vision);
    put_if(object, "frame_stride", o.frame_stride, vision);
    put_if(object, "augment", o.augment, vision);
    put_if(object, "sound_seconds", o.sound_seconds, has(o.modalities, "sound") || has(o.modalities, "waveform"));
    put_if(object, "clips", o.clips, o.modalities != std::vector<std::string>{"text"});
    put_if(object, "captions", o.captions, has(o.modalities, "text"));
    put_if(object, "text_tokens", o.text_tokens, has(o.modalities, "text"));
    put_if(object, "margin", o.margin, o.kind == ObjectiveKind::Nce);
    put_if(object, "loss", parts::kLabelLosses[static_cast<size_t>(o.labels)], o.kind == ObjectiveKind::Classify);
    put_if(object, "smoothing", o.smoothing, o.kind == ObjectiveKind::Classify);
    put_if(object, "classifier", o.classifier, !o.classifier.empty());
    put_if(object, "teacher", o.teacher, o.kind == ObjectiveKind::Distill);
    put_if(object, "masked", o.masked, o.kind == ObjectiveKind::MaskedLanguage);
    return object;
}

json json_of(const EvaluationRecipe& e)
{
    json object = {{"kind", parts::kEvaluations[static_cast<size_t>(e.kind)]},
                   {"name", e.name},
                   {"dataset", e.dataset},
                   {"modalities", e.modalities},
                   {"clips", e.clips},
                   {"captions", e.captions},
                   {"most", e.most}};
    put_if(object, "train_dataset", e.train_dataset, e.kind == EvaluationKind::Probe);
    put_if(object, "templates", e.templates.string(), e.kind == EvaluationKind::ZeroShot);
    put_if(object, "resolution", name_of(e.resolution), has(e.modalities, "vision"));
    put_if(object, "sound_seconds", e.sound_seconds, has(e.modalities, "sound") || has(e.modalities, "waveform"));
    return object;
}

}  // namespace

json to_json(const Recipe& r)
{
    json datasets = json::array(), objectives = json::array(), evaluations = json::array();
    bool corpus = false;
    for (const auto& d : r.datasets)
        datasets.push_back(json_of(d));
    for (const auto& o : r.objectives) {
        corpus = corpus || on_corpus(o.kind);
        objectives.push_back(json_of(o, r.sampling));
    }
    for (const auto& e : r.evaluations)
        evaluations.push_back(json_of(e));
    json out = {{"seed", r.seed},
                {"steps", r.steps},
                {"device", r.device},
                {"model", model::to_json(r.model)},
                {"mixture",
                 {{"sampler", parts::kSamplings[static_cast<size_t>(r.sampling)]},
                  {"policy", parts::kPolicies[static_cast<size_t>(r.policy)]}}},
                {"data",
                 {{"workers", r.workers},
                  {"prefetch", r.prefetch},
                  {"cache_mib", r.cache_mib},
                  {"most_unreadable", r.most_unreadable},
                  {"views_per_picture", r.views_per_picture},
                  {"target_sharpness", r.target_sharpness}}},
                {"optimizer",
                 {{"rate", r.rate},
                  {"final_rate", r.final_rate},
                  {"warmup", r.warmup},
                  {"pre_warmup", r.pre_warmup},
                  {"pre_warmup_rate", r.pre_warmup_rate},
                  {"beta1", r.beta1},
                  {"beta2", r.beta2},
                  {"epsilon", r.epsilon},
                  {"decay", r.decay},
                  {"clip", r.clip},
                  {"z_loss", r.z_loss},
                  {"average", r.average},
                  {"precision", r.precision}}},
                {"run",
                 {{"checkpoint_every", r.checkpoint_every},
                  {"evaluate_every", r.evaluate_every},
                  {"log_every", r.log_every},
                  {"pass_tokens", r.pass_tokens},
                  {"recompute", r.recompute},
                  {"recompute_blocks", r.recompute_blocks},
                  {"keep_checkpoints", r.keep_checkpoints},
                  {"eight_bit", r.eight_bit},
                  {"blend", r.blend},
                  {"learning", r.learning}}},
                {"objective", objectives}};
    put_if(out["optimizer"], "warmup_rate", r.warmup_rate, r.warmup_rate >= 0);
    put_if(out["run"], "gate_shift", r.gate_shift, r.gate_shift != 0);
    put_if(out["run"], "blend_with", r.blend_with.string(), !r.blend_with.empty());
    put_if(out, "initial", r.initial.string(), !r.initial.empty());
    put_if(out, "corpus", r.corpus.string(), !r.corpus.empty());
    put_if(out, "tokenizer", r.tokenizer.string(), !r.tokenizer.empty());
    put_if(out, "stem", r.stem.string(), !r.stem.empty());
    put_if(out, "dataset", datasets, !datasets.empty());
    put_if(out, "evaluation", evaluations, !evaluations.empty());
    const auto& t = r.text_shares;
    put_if(out, "text_shares",
           {{"caption", t.caption},
            {"word", t.word},
            {"prompt", t.prompt},
            {"lemma", t.lemma},
            {"gloss", t.gloss},
            {"class_text", t.class_text}},
           corpus);
    return out;
}

std::string to_toml(const Recipe& recipe)
{
    std::ostringstream text;
    text << toml_of(to_json(recipe)) << "\n";
    return text.str();
}

}  // namespace imprint::training
