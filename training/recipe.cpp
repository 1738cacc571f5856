// SPDX-License-Identifier: Apache-2.0
// TOML in, a checked recipe out.
#include "training/recipe.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/named_configs.h"
#include "training/recipe_parts.h"
#include "training/recipe_table.h"
#include "training/samplers.h"

namespace imprint::training {
namespace {

/// One file while it is read.
class Reader {
public:
    explicit Reader(const std::filesystem::path& path)
        : path_(path), file_(path.string()), table_(parsed(path)), root_(table_, file_, "")
    {
    }

    Recipe recipe();
    Recipe suite(const model::ModelConfig& model);

private:
    static toml::table parsed(const std::filesystem::path& path);
    void read_model(model::ModelConfig& model);
    void read_optimizer(RecipeTable& t);
    void read_text_shares(RecipeTable& t);
    void read_learning(RecipeTable& t);
    void check_whole();
    void check_combine();

    template <typename Fill>
    void section(const char* name, const Fill& fill)
    {
        const toml::node* node = root_.take(name);
        const toml::table empty;
        if (node && !node->is_table())
            root_.refuse(name, "must be a table");
        RecipeTable reader(node ? *node->as_table() : empty, file_, name);
        fill(reader);
        reader.finish("[" + std::string(name) + "]");
    }
    /// Each table of [[name]].
    template <typename Read>
    void each(const char* name, const Read& read)
    {
        const toml::node* node = root_.take(name);
        if (!node)
            return;
        if (!node->is_array_of_tables())
            root_.refuse(name, "must be tables, as [[" + std::string(name) + "]]");
        for (const auto& entry : *node->as_array()) {
            RecipeTable reader(*entry.as_table(), file_, name);
            read(reader);
        }
    }
    void read_datasets()
    {
        each("dataset", [&](RecipeTable& t) {
            recipe_.datasets.push_back(parts::read_dataset(t, path_));
            for (size_t i = 0; i + 1 < recipe_.datasets.size(); ++i)
                if (recipe_.datasets[i].name == recipe_.datasets.back().name)
                    t.refuse("name", "\"" + recipe_.datasets[i].name + "\" is taken by another data set");
        });
    }
    void read_evaluations()
    {
        each("evaluation", [&](RecipeTable& t) {
            recipe_.evaluations.push_back(parts::read_evaluation(t, recipe_, path_));
            for (size_t i = 0; i + 1 < recipe_.evaluations.size(); ++i)
                if (recipe_.evaluations[i].name == recipe_.evaluations.back().name)
                    t.refuse("name",
                             "\"" + recipe_.evaluations[i].name + "\" is taken by another evaluation: give it one of its own");
        });
    }

    std::filesystem::path path_;
    std::string file_;
    toml::table table_;
    RecipeTable root_;
    Recipe recipe_;
};

toml::table Reader::parsed(const std::filesystem::path& path)
{
    if (!std::filesystem::is_regular_file(path))
        throw Error(ErrorKind::NotFound, path.string(), "there is no such recipe", "Recipes lie under resources/recipes");
    try {
        return toml::parse_file(path.string());
    } catch (const toml::parse_error& e) {
        throw Error(ErrorKind::Malformed, path.string() + ":" + std::to_string(e.source().begin.line),
                    std::string(e.description()));
    }
}

// The checkpoint's own field names and checks, over the defaults or a named configuration.
void Reader::read_model(model::ModelConfig& model)
{
    const toml::node* node = root_.take("model");
    if (!node)
        return;
    if (!node->is_table())
        root_.refuse("model", "must be a table");
    RecipeTable reader(*node->as_table(), file_, "model");
    std::string base;
    reader.read("config", base);
    nlohmann::json fields = nlohmann::json::object(), own = json_of(*node);
    own.erase("config");
    if (!base.empty()) {
        try {
            fields = model::to_json(model::named_config(base));
        } catch (const Error& error) {
            reader.refuse("config", "\"" + base + "\" " + error.reason() + ". " + error.remedy());
        }
    }
    fields.update(own);
    model = model::config_from_json(fields, file_ + ":" + std::to_string(node->source().begin.line));
}

void Reader::read_text_shares(RecipeTable& t)
{
    auto& shares = recipe_.text_shares;
    t.read("caption", shares.caption, 0.0, 1e6);
    t.read("word", shares.word, 0.0, 1e6);
    t.read("prompt", shares.prompt, 0.0, 1e6);
    t.read("lemma", shares.lemma, 0.0, 1e6);
    t.read("gloss", shares.gloss, 0.0, 1e6);
    t.read("class_text", shares.class_text, 0.0, 1e6);
    if (shares.caption + shares.word + shares.prompt + shares.lemma + shares.gloss + shares.class_text <= 0)
        root_.refuse("text_shares", "are all zero");
}

void Reader::read_optimizer(RecipeTable& t)
{
    t.read("rate", recipe_.rate, 0.0, 1.0);
    t.read("final_rate", recipe_.final_rate, 0.0, 1.0);
    t.read<int64_t>("warmup", recipe_.warmup, 0, INT64_MAX / 4);
    t.read<int64_t>("pre_warmup", recipe_.pre_warmup, 0, INT64_MAX / 4);
    if (t.has("warmup_rate"))
        t.read("warmup_rate", recipe_.warmup_rate, 0.0, 1.0);
    t.read("pre_warmup_rate", recipe_.pre_warmup_rate, 0.0, 1.0);
    t.read("beta1", recipe_.beta1, 0.0, 0.9999);
    t.read("beta2", recipe_.beta2, 0.0, 0.99999);
    t.read("epsilon", recipe_.epsilon, 0.0, 1.0);
    t.read("decay", recipe_.decay, 0.0, 10.0);
    t.read("clip", recipe_.clip, 0.0, 1e9);
    t.read("z_loss", recipe_.z_loss, 0.0, 1e3);
    t.read("average", recipe_.average, 0.0, 0.999999);
    const std::vector<std::string> precisions = {"auto", "fp32", "bf16"};
    recipe_.precision = precisions[t.read_word("precision", precisions, 0)];
}

void Reader::read_learning(RecipeTable& t)
{
    t.read_list("learning", recipe_.learning);
    const auto specs = model::parameter_specs(recipe_.model);
    for (const std::string& prefix : recipe_.learning)
        if (std::none_of(specs.begin(), specs.end(),
                         [&](const auto& spec) { return !spec.frozen && spec.name.starts_with(prefix); }))
            t.refuse("learning", "names \"" + prefix + "\", with which no parameter that could learn begins");
}

Recipe Reader::recipe()
{
    std::string corpus, initial, tokenizer, stem;
    int64_t seed = 1;
    root_.read("corpus", corpus);
    root_.read("initial", initial);
    root_.read("tokenizer", tokenizer);
    root_.read("stem", stem);
    root_.read<int64_t>("seed", seed, 0, INT64_MAX);
    root_.read<int64_t>("steps", recipe_.steps, 0, INT64_MAX / 4);
    root_.read("device", recipe_.device);
    if (recipe_.device != "auto" && recipe_.device != "cpu" && recipe_.device.rfind("cuda", 0) != 0)
        root_.refuse("device", "\"" + recipe_.device + "\" is not auto, cpu or cuda[:N]");
    recipe_.corpus = corpus;
    recipe_.initial = initial;
    recipe_.tokenizer = parts::beside(path_, tokenizer);
    recipe_.stem = parts::beside(path_, stem);
    recipe_.seed = static_cast<uint64_t>(seed);
    read_model(recipe_.model);
    section("mixture", [&](RecipeTable& t) {
        recipe_.sampling = static_cast<Sampling>(t.read_word("sampler", parts::kSamplings, 0));
        recipe_.policy = static_cast<Policy>(t.read_word("policy", parts::kPolicies, 0));
    });
    section("data", [&](RecipeTable& t) {
        t.read_int("workers", recipe_.workers, 0, 1024);
        t.read_int("prefetch", recipe_.prefetch, 0, 1024);
        t.read_int("cache_mib", recipe_.cache_mib, 0, 1 << 24);
        t.read<int64_t>("most_unreadable", recipe_.most_unreadable, 0, INT64_MAX);
        t.read_int("views_per_picture", recipe_.views_per_picture, 0, 16);
        t.read("target_sharpness", recipe_.target_sharpness, 1.0, 1000.0);
    });
    section("text_shares", [&](RecipeTable& t) { read_text_shares(t); });
    section("optimizer", [&](RecipeTable& t) { read_optimizer(t); });
    section("run", [&](RecipeTable& t) {
        t.read<int64_t>("checkpoint_every", recipe_.checkpoint_every, 1, INT64_MAX);
        t.read<int64_t>("evaluate_every", recipe_.evaluate_every, 1, INT64_MAX);
        t.read<int64_t>("log_every", recipe_.log_every, 1, INT64_MAX);
        t.read<int64_t>("pass_tokens", recipe_.pass_tokens, 1, INT64_MAX);
        t.read("recompute", recipe_.recompute);
        t.read("recompute_blocks", recipe_.recompute_blocks);
        t.read_int("keep_checkpoints", recipe_.keep_checkpoints, 1, 1000);
        t.read("eight_bit", recipe_.eight_bit);
        t.read("blend", recipe_.blend, 0.0, 1.0);
        std::string blend_with;
        t.read("blend_with", blend_with);
        recipe_.blend_with = blend_with;
        t.read("gate_shift", recipe_.gate_shift, -10.0, 10.0);
        read_learning(t);
    });
    read_datasets();
    each("objective", [&](RecipeTable& t) {
        recipe_.objectives.push_back(parts::read_objective(t, recipe_));
        for (size_t i = 0; i + 1 < recipe_.objectives.size(); ++i)
            if (!on_corpus(recipe_.objectives[i].kind) && recipe_.objectives[i].name == recipe_.objectives.back().name)
                t.refuse("name", "\"" + recipe_.objectives[i].name + "\" is taken by another objective: give it one of its own");
    });
    read_evaluations();
    root_.finish("a recipe");
    check_whole();
    return recipe_;
}

void Reader::check_whole()
{
    if (recipe_.objectives.empty())
        root_.refuse("objective", "is wanted at least once, as [[objective]]");
    double sum = 0;
    bool corpus = false, data = false, texts = !recipe_.evaluations.empty(), sounds = false;
    for (const auto& objective : recipe_.objectives) {
        sum += objective.weight;
        (on_corpus(objective.kind) ? corpus : data) = true;
        for (const auto& modality : objective.modalities) {
            texts = texts || modality == "text";
            sounds = sounds || modality == "sound";
        }
    }
    if (sum <= 0)
        root_.refuse("objective", "weights add up to nothing");
    if (corpus && data)
        root_.refuse(
            "objective",
            "kinds over a corpus and over data sets do not go together: name the corpus as a data set of the kind \"corpus\"");
    if (corpus && (recipe_.policy != Policy::Alternate || recipe_.sampling != Sampling::Weighted))
        root_.refuse("mixture", "of objectives over a corpus is weighted and alternates");
    if (corpus && recipe_.model.vision_stem != model::VisionStem::Hybrid)
        root_.refuse("model", "must have the hybrid stem: objectives over a corpus read the trunk's maps");
    if (corpus && !recipe_.evaluations.empty())
        root_.refuse("evaluation", "is for objectives over data sets; a corpus has its own pools");
    if (data && texts && recipe_.tokenizer.empty())
        root_.refuse("tokenizer", "is wanted: a SentencePiece model, or a checkpoint that has one");
    if (data && recipe_.model.vision_stem == model::VisionStem::Hybrid && recipe_.stem.empty())
        root_.refuse("stem", "is wanted with the hybrid stem: a checkpoint whose trunk and class texts it takes");
    if (sounds && recipe_.model.standardise_sound && recipe_.stem.empty())
        root_.refuse("stem", "is wanted where model.standardise_sound is on: a checkpoint whose statistics of sound it takes");
    if (recipe_.policy == Policy::Combine)
        check_combine();
    if (recipe_.steps > 0 && recipe_.warmup + recipe_.pre_warmup >= recipe_.steps)
        root_.refuse("optimizer.warmup", "must be shorter than the run's steps");
    if (recipe_.pre_warmup > 0 && recipe_.warmup_rate < 0)
        root_.refuse("optimizer.pre_warmup", "needs a warmup_rate to fall to");
}

void Reader::check_combine()
{
    for (const auto& a : recipe_.objectives)
        for (const auto& b : recipe_.objectives)
            if (&a != &b && a.draws_like(b))
                return;
    root_.refuse("mixture",
                 "policy \"combine\" needs objectives that can share a batch: equal datasets, batch, resolutions, "
                 "sound_seconds, clips, captions and text_tokens");
}

Recipe Reader::suite(const model::ModelConfig& model)
{
    recipe_.model = model;
    read_datasets();
    read_evaluations();
    if (recipe_.evaluations.empty())
        root_.refuse("evaluation", "is wanted at least once, as [[evaluation]]");
    // What else a recipe says does not concern an evaluation.
    static const std::set<std::string> of_recipes = {"corpus",      "initial",   "tokenizer", "stem",     "seed",
                                                     "steps",       "device",    "model",     "mixture",  "data",
                                                     "text_shares", "optimizer", "run",       "objective"};
    for (const auto& name : of_recipes)
        root_.take(name.c_str());
    root_.finish("an evaluation suite");
    return recipe_;
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& path) { return Reader(path).recipe(); }

Recipe read_suite(const std::filesystem::path& path, const model::ModelConfig& model) { return Reader(path).suite(model); }

Recipe with_steps(Recipe recipe, int64_t steps)
{
    const int64_t warmups = recipe.warmup + recipe.pre_warmup;
    if (warmups >= steps) {
        const double share = static_cast<double>(steps) / static_cast<double>(std::max(recipe.steps, warmups + 1));
        for (int64_t* length : {&recipe.warmup, &recipe.pre_warmup})
            *length = static_cast<int64_t>(static_cast<double>(*length) * share);
    }
    recipe.steps = steps;
    return recipe;
}

Schedule schedule_of(const Recipe& recipe)
{
    Schedule schedule;
    schedule.steps = recipe.steps;
    schedule.pre_warmup = recipe.pre_warmup;
    schedule.pre_warmup_from = recipe.pre_warmup_rate;
    schedule.warmup = recipe.warmup;
    schedule.warmup_from =
        recipe.warmup_rate >= 0 ? recipe.warmup_rate : recipe.rate / static_cast<double>(std::max<int64_t>(1, recipe.warmup));
    schedule.peak = recipe.rate;
    schedule.last = recipe.final_rate;
    return schedule;
}

double learning_rate(const Recipe& recipe, int64_t step) { return schedule_of(recipe).rate(step); }

std::filesystem::path default_corpus()
{
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::filesystem::path base = cache && *cache ? cache : std::filesystem::path(home ? home : "/") / ".cache";
    return base / "imprint" / "corpus";
}

}  // namespace imprint::training
