// SPDX-License-Identifier: Apache-2.0
// One table at a time.
#include "training/recipe_parts.h"

#include <algorithm>

#include "core/base/error.h"

namespace imprint::training {

namespace {

struct KindRow {
    ObjectiveKind kind;
    const char* name;
};
constexpr KindRow kKinds[] = {{ObjectiveKind::PictureText, "picture-text"},
                              {ObjectiveKind::ClipText, "clip-text"},
                              {ObjectiveKind::FilmText, "film-text"},
                              {ObjectiveKind::FilmMotion, "film-motion"},
                              {ObjectiveKind::SoundText, "sound-text"},
                              {ObjectiveKind::SoundName, "sound-name"},
                              {ObjectiveKind::PictureSound, "picture-sound"},
                              {ObjectiveKind::TextText, "text-text"},
                              {ObjectiveKind::TextTeacher, "text-teacher"},
                              {ObjectiveKind::Concept, "concept"},
                              {ObjectiveKind::Nce, "nce"},
                              {ObjectiveKind::Classify, "classify"},
                              {ObjectiveKind::Distill, "distill"},
                              {ObjectiveKind::MaskedLanguage, "masked-language"}};

}  // namespace

const char* objective_name(ObjectiveKind kind)
{
    for (const auto& row : kKinds)
        if (row.kind == kind)
            return row.name;
    return "";
}

bool on_corpus(ObjectiveKind kind) { return kind < ObjectiveKind::Nce; }

bool ObjectiveRecipe::draws_like(const ObjectiveRecipe& o) const
{
    return datasets == o.datasets && dataset_weights == o.dataset_weights && batch == o.batch && resolutions == o.resolutions
        && frame_stride == o.frame_stride && sound_seconds == o.sound_seconds && clips == o.clips && captions == o.captions
        && text_tokens == o.text_tokens && augment == o.augment;
}

namespace parts {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

const DatasetRecipe& dataset_named(const Recipe& recipe, const std::string& name, const RecipeTable& table, const char* key)
{
    const auto found =
        std::find_if(recipe.datasets.begin(), recipe.datasets.end(), [&](const auto& d) { return d.name == name; });
    if (found == recipe.datasets.end())
        table.refuse(key, "names \"" + name + "\", which is no [[dataset]] of the recipe");
    return *found;
}

void read_modalities(RecipeTable& table, const Recipe& recipe, std::vector<std::string>& modalities, size_t least, size_t most)
{
    table.read_list("modalities", modalities);
    const auto known = recipe.model.modalities();
    for (const auto& modality : modalities)
        if (!contains(known, modality))
            table.refuse("modalities",
                         "\"" + modality + "\" is none of the model's"
                             + (modality == "waveform" ? " (model.waveform switches it on)" : ""));
    for (size_t i = 0; i < modalities.size(); ++i)
        if (std::count(modalities.begin(), modalities.end(), modalities[i]) > 1)
            table.refuse("modalities", "must not name \"" + modalities[i] + "\" twice");
    if (modalities.size() < least || modalities.size() > most)
        table.refuse("modalities",
                     least == most ? "must name " + std::to_string(least) : "must name at least " + std::to_string(least));
}

/// Fits it the model? What the token table says goes to the recipe's line.
Resolution checked(const RecipeTable& table, const char* key, const Recipe& recipe, const Resolution& resolution)
{
    try {
        vision_grid(recipe.model, resolution);
    } catch (const Error& error) {
        table.refuse(key, "names " + error.subject() + ": " + error.reason() + ". " + error.remedy());
    }
    return resolution;
}

Resolution parsed(const RecipeTable& table, const char* key, const Recipe& recipe, const std::string& text)
{
    const auto resolution = parse_resolution(text);
    if (!resolution)
        table.refuse(key, "\"" + text + "\" is not \"[FRAMESx]HEIGHTxWIDTH [drop SHARE]\"");
    return checked(table, key, recipe, *resolution);
}

void read_resolutions(RecipeTable& table, const Recipe& recipe, std::vector<Resolution>& resolutions)
{
    std::vector<std::string> texts;
    table.read_list("resolutions", texts);
    const auto menu = constant_token_menu(recipe.model);
    for (const auto& text : texts) {
        if (text == "constant-token")
            for (const auto& resolution : menu)
                resolutions.push_back(checked(table, "resolutions", recipe, resolution));
        else
            resolutions.push_back(parsed(table, "resolutions", recipe, text));
    }
    if (resolutions.empty())
        resolutions.push_back(checked(table, "resolutions", recipe, menu.front()));
}

void read_sound_window(RecipeTable& table, const Recipe& recipe, const std::vector<std::string>& modalities, double& seconds)
{
    double most = 1e9;
    if (contains(modalities, "sound"))
        most = double(recipe.model.max_sound_samples()) / media::kSampleRate;
    if (contains(modalities, "waveform"))
        most = std::min(most, double(recipe.model.max_waveform_samples()) / media::kSampleRate);
    table.read("sound_seconds", seconds, 0.0, most);
    if (seconds == 0)
        seconds = most;
}

void read_classifier(RecipeTable& table, const Recipe& recipe, ObjectiveRecipe& objective, int outputs)
{
    table.read("classifier", objective.classifier);
    const auto& heads = recipe.model.classifiers;
    const auto head = std::find_if(heads.begin(), heads.end(), [&](const auto& h) {
        return h.name == objective.classifier && h.modality == objective.modalities.front();
    });
    if (head == heads.end())
        table.refuse("classifier",
                     "\"" + objective.classifier + "\" is no classifier of " + objective.modalities.front()
                         + " in model.classifiers");
    if (outputs > 0 && head->classes != outputs)
        table.refuse("classifier", "must have the trunk's " + std::to_string(outputs) + " channels as its classes");
}

void read_distillation(RecipeTable& table, const Recipe& recipe, ObjectiveRecipe& objective)
{
    read_modalities(table, recipe, objective.modalities, 1, 1);
    table.read("teacher", objective.teacher);
    table.read("cosine", objective.cosine, 0.0, 1e3);
    table.read("nce", objective.nce, 0.0, 1e3);
    if (objective.teacher == "trunk") {
        if (objective.modalities.front() != "vision")
            table.refuse("teacher", "\"trunk\" teaches vision alone");
        if (recipe.stem.empty())
            table.refuse("teacher", "\"trunk\" needs `stem`, a checkpoint that has one");
        read_classifier(table, recipe, objective, recipe.model.trunk_channels);
        return;
    }
    const auto& teacher = dataset_named(recipe, objective.teacher, table, "teacher");
    if (teacher.kind != DatasetKind::Features)
        table.refuse("teacher", "must be a data set of features, or \"trunk\"");
    if (objective.datasets.size() != 1)
        table.refuse("teacher",
                     "has one row per sample of one data set, and the objective has "
                         + std::to_string(objective.datasets.size()));
}

void read_corpus_objective(RecipeTable& table, const Recipe& recipe, ObjectiveRecipe& objective)
{
    const bool sounds = objective.kind == ObjectiveKind::SoundText || objective.kind == ObjectiveKind::SoundName;
    table.read("keep", objective.keep, 0.0, 1.0);
    if (objective.keep < 0.05 && !(objective.keep == 0 && sounds && recipe.model.sound_shortcut > 0))
        table.refuse("keep",
                     "must be 0.05 … 1, or 0 where sounds have a shortcut (model.sound_shortcut), which then learns alone");
    // Elsewhere its norms go by what is stored, which would be measured anew once other weights had grown used to it.
    const bool heard = sounds || objective.kind == ObjectiveKind::PictureSound;
    if (heard && objective.keep > 0 && !recipe.model.sound_stem_widths.empty() && recipe.learns("sound.stem."))
        table.refuse("keep", "must be 0 while sound's convolutions (model.sound_stem_widths) learn: list what else learns in run.learning");
    table.read("cosine", objective.cosine, 0.0, 1e3);
    table.read("nce", objective.nce, 0.0, 1e3);
    table.read("composites", objective.composites, 0.0, 1.0);
    table.read("views", objective.views, 0.0, 1.0);
    table.read("gate", objective.gate, 0.0, 1e3);
    table.read("taught", objective.taught, 0.0, 1.0);
}

void read_datasets(RecipeTable& table, const Recipe& recipe, ObjectiveRecipe& objective)
{
    table.read_list("datasets", objective.datasets);
    if (objective.datasets.empty())
        table.refuse("datasets", "must name at least one [[dataset]]");
    for (const auto& name : objective.datasets)
        if (dataset_named(recipe, name, table, "datasets").kind == DatasetKind::Features)
            table.refuse("datasets", "\"" + name + "\" holds features: they can teach, not be looked at");
    table.read_list("dataset_weights", objective.dataset_weights);
    if (!objective.dataset_weights.empty() && objective.dataset_weights.size() != objective.datasets.size())
        table.refuse("dataset_weights", "must be one per data set");
    for (const double weight : objective.dataset_weights)
        if (!(weight > 0 && weight < 1e9))
            table.refuse("dataset_weights", "must be above 0");
}

// Groups of the paper's routing span items and must be equal: what the batch gives must divide among the experts.
void check_routing(const RecipeTable& table, const Recipe& recipe, const ObjectiveRecipe& objective)
{
    const auto& model = recipe.model;
    if (model.sparse_layers == 0 || model.routing_group != model::RoutingGroup::Batch)
        return;
    const auto check = [&](int64_t items, int64_t tokens, const std::string& of) {
        if (items * tokens % model.experts != 0)
            table.refuse("batch",
                         "of " + std::to_string(items) + " × " + std::to_string(tokens) + " " + of
                             + " tokens cannot be cut into equal groups for " + std::to_string(model.experts) + " experts");
    };
    for (const auto& modality : objective.modalities) {
        if (modality == "vision")
            for (const auto& resolution : objective.resolutions)
                check(objective.batch * objective.clips, kept_tokens(vision_grid(model, resolution), resolution.drop), "vision");
        if (modality != "text")
            continue;
        if (objective.text_tokens == 0)
            table.refuse("text_tokens", "is wanted where model.routing_group is \"batch\": texts of one length");
        check(objective.batch * objective.captions, objective.text_tokens, "text");
    }
}

void read_data_objective(RecipeTable& table, const Recipe& recipe, ObjectiveRecipe& objective)
{
    read_datasets(table, recipe, objective);
    table.read("loss_weight", objective.loss_weight, 0.0, 1e6);
    switch (objective.kind) {
    case ObjectiveKind::Nce:
        read_modalities(table, recipe, objective.modalities, 2, 4);
        table.read("margin", objective.margin, 0.0, 10.0);
        break;
    case ObjectiveKind::Classify:
        read_modalities(table, recipe, objective.modalities, 1, 1);
        read_classifier(table, recipe, objective, 0);
        objective.labels = static_cast<LabelLoss>(table.read_word("loss", kLabelLosses, 0));
        table.read("smoothing", objective.smoothing, 0.0, 0.999);
        break;
    case ObjectiveKind::Distill:
        read_distillation(table, recipe, objective);
        break;
    case ObjectiveKind::MaskedLanguage:
        objective.modalities = {"text"};
        table.read("masked", objective.masked, 0.01, 0.9);
        if (!recipe.model.target_classifier)
            table.refuse("kind", "\"masked-language\" needs model.target_classifier");
        break;
    default:
        IMPRINT_ASSERT(!"an objective over a corpus");
    }
    if (contains(objective.modalities, "vision")) {
        read_resolutions(table, recipe, objective.resolutions);
        table.read_int("frame_stride", objective.frame_stride, 1, 1000);
        table.read("augment", objective.augment);
    }
    if (contains(objective.modalities, "sound") || contains(objective.modalities, "waveform"))
        read_sound_window(table, recipe, objective.modalities, objective.sound_seconds);
    if (objective.modalities != std::vector<std::string>{"text"})
        table.read_int("clips", objective.clips, 1, 64);
    if (contains(objective.modalities, "text")) {
        table.read_int("captions", objective.captions, 1, 64);
        table.read_int("text_tokens", objective.text_tokens, 0, recipe.model.max_text_tokens);
    }
    check_routing(table, recipe, objective);
}

}  // namespace

std::filesystem::path beside(const std::filesystem::path& recipe, const std::string& path)
{
    return path.empty() ? std::filesystem::path() : std::filesystem::absolute(recipe.parent_path() / path).lexically_normal();
}

DatasetRecipe read_dataset(RecipeTable& table, const std::filesystem::path& recipe)
{
    DatasetRecipe dataset;
    table.read("name", dataset.name);
    if (dataset.name.empty() || dataset.name == "trunk")
        table.refuse("name", "must name the data set (and not \"trunk\")");
    dataset.kind = static_cast<DatasetKind>(table.read_word("kind", kDatasetKinds, 0));
    table.read_list("path", dataset.paths);
    if (dataset.paths.empty())
        table.refuse("path", "is wanted");
    for (auto& path : dataset.paths)
        path = beside(recipe, path).string();
    const bool many = dataset.kind == DatasetKind::Shards || dataset.kind == DatasetKind::Features;
    if (!many && dataset.paths.size() != 1)
        table.refuse("path", "must be one");
    std::string root, templates;
    if (dataset.kind == DatasetKind::Manifest) {
        table.read("root", root);
        table.read("path_column", dataset.path_column);
        table.read("split", dataset.split);
    }
    if (dataset.kind == DatasetKind::Manifest || dataset.kind == DatasetKind::Shards) {
        table.read_list("texts", dataset.texts);
        table.read("label", dataset.label);
    }
    if (dataset.kind == DatasetKind::Shards) {
        table.read_list("media", dataset.media);
        if (!dataset.label.empty() && !table.has("classes"))
            table.refuse("classes", "is wanted: shards are not read before they are drawn from");
    }
    if (dataset.kind == DatasetKind::Corpus) {
        const std::vector<std::string> kinds = {"image", "sound"};
        dataset.media = {kinds[table.read_word("media", kinds, 0)]};
    }
    if (dataset.kind != DatasetKind::Features && dataset.kind != DatasetKind::Corpus) {
        table.read_list("classes", dataset.classes);
        table.read("templates", templates);
    }
    dataset.root = beside(recipe, root);
    dataset.templates = beside(recipe, templates);
    table.finish("a data set of the kind " + kDatasetKinds[static_cast<size_t>(dataset.kind)]);
    return dataset;
}

ObjectiveRecipe read_objective(RecipeTable& table, const Recipe& recipe)
{
    ObjectiveRecipe objective;
    std::string kind;
    table.read("kind", kind);
    const auto row = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& r) { return kind == r.name; });
    if (row == std::end(kKinds))
        table.refuse("kind", "\"" + kind + "\" is not an objective");
    objective.kind = row->kind;
    objective.name = kind;
    table.read("name", objective.name);
    if (recipe.sampling == Sampling::Interval) {
        if (table.has("weight"))
            table.refuse("weight", "has no meaning where mixture.sampler is \"interval\": give an interval");
        table.read<int64_t>("interval", objective.interval, 1, INT32_MAX);
    } else {
        if (table.has("interval"))
            table.refuse("interval", "has no meaning where mixture.sampler is \"weighted\": give a weight");
        table.read("weight", objective.weight, 0.0, 1e6);
    }
    table.read<int64_t>("batch", objective.batch, 2, 1 << 20);
    if (on_corpus(objective.kind))
        read_corpus_objective(table, recipe, objective);
    else
        read_data_objective(table, recipe, objective);
    table.finish("the objective " + kind);
    return objective;
}

EvaluationRecipe read_evaluation(RecipeTable& table, const Recipe& recipe, const std::filesystem::path& path)
{
    EvaluationRecipe evaluation;
    evaluation.kind = static_cast<EvaluationKind>(table.read_word("kind", kEvaluations, 0));
    evaluation.name = kEvaluations[static_cast<size_t>(evaluation.kind)];
    table.read("name", evaluation.name);
    const auto known = [&](const char* key, std::string& name) {
        table.read(key, name);
        if (dataset_named(recipe, name, table, key).kind == DatasetKind::Features)
            table.refuse(key, "\"" + name + "\" holds features, not media");
    };
    known("dataset", evaluation.dataset);
    const size_t wanted = evaluation.kind == EvaluationKind::Retrieval ? 2 : 1;
    read_modalities(table, recipe, evaluation.modalities, wanted, wanted);
    if (evaluation.kind == EvaluationKind::ZeroShot) {
        std::string templates;
        table.read("templates", templates);
        if (templates.empty())
            table.refuse("templates", "is wanted: sentences around the class names");
        evaluation.templates = beside(path, templates);
        if (evaluation.modalities.front() == "text")
            table.refuse("modalities", "texts are what the classes are made of");
    }
    if (evaluation.kind == EvaluationKind::Probe)
        known("train_dataset", evaluation.train_dataset);
    if (contains(evaluation.modalities, "vision")) {
        std::string text;
        table.read("resolution", text);
        evaluation.resolution = text.empty() ? checked(table, "resolution", recipe, constant_token_menu(recipe.model).front())
                                             : parsed(table, "resolution", recipe, text);
        evaluation.resolution.drop = 0;
    }
    if (contains(evaluation.modalities, "sound") || contains(evaluation.modalities, "waveform"))
        read_sound_window(table, recipe, evaluation.modalities, evaluation.sound_seconds);
    table.read_int("clips", evaluation.clips, 1, 64);
    table.read_int("captions", evaluation.captions, 1, 64);
    table.read<int64_t>("most", evaluation.most, 0, INT64_MAX);
    table.finish("the evaluation " + kEvaluations[static_cast<size_t>(evaluation.kind)]);
    return evaluation;
}

}  // namespace parts
}  // namespace imprint::training
