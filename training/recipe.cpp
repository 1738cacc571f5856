// SPDX-License-Identifier: Apache-2.0
// TOML in, a checked recipe out.
#include "training/recipe.h"

#include <cmath>
#include <cstdlib>
#include <numbers>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>

#include "core/base/error.h"

namespace imprint::training {
namespace {

struct KindRow {
    ObjectiveKind kind;
    const char* name;
};
constexpr KindRow kKinds[] = {{ObjectiveKind::PictureText, "picture-text"}, {ObjectiveKind::ClipText, "clip-text"},
                              {ObjectiveKind::FilmText, "film-text"},       {ObjectiveKind::SoundText, "sound-text"},
                              {ObjectiveKind::PictureSound, "picture-sound"}, {ObjectiveKind::TextText, "text-text"},
                              {ObjectiveKind::TextTeacher, "text-teacher"}, {ObjectiveKind::Concept, "concept"}};

/// Reads one table and remembers which keys were asked for, so that the rest can be refused.
class Table {
public:
    Table(const toml::table& table, std::string file, std::string place)
        : table_(table), file_(std::move(file)), place_(std::move(place))
    {
    }

    template <typename T>
    void read(const char* key, T& value)
    {
        known_.insert(key);
        const toml::node* node = table_.get(key);
        if (!node)
            return;
        std::optional<T> found;
        if constexpr (std::is_same_v<T, double>)
            found = node->is_number() ? node->value<double>() : std::nullopt;
        else
            found = node->value_exact<T>();
        if (!found)
            refuse(*node, key, "has the wrong type");
        value = *found;
    }
    template <typename T>
    void read(const char* key, T& value, T low, T high)
    {
        read(key, value);
        if (!(value >= low && value <= high))
            refuse(table_.get(key) ? *table_.get(key) : static_cast<const toml::node&>(table_), key,
                   "must lie in " + text(low) + " … " + text(high));
    }
    void read_int(const char* key, int& value, int low, int high)
    {
        int64_t wide = value;
        read<int64_t>(key, wide, low, high);
        value = static_cast<int>(wide);
    }
    const toml::node* take(const char* key)
    {
        known_.insert(key);
        return table_.get(key);
    }
    void finish() const
    {
        for (const auto& [key, node] : table_)
            if (!known_.count(std::string(key.str())))
                refuse(node, std::string(key.str()), "is not a key of a recipe");
    }
    [[noreturn]] void refuse(const toml::node& node, const std::string& key, const std::string& reason) const
    {
        throw Error(ErrorKind::Malformed, file_ + ":" + std::to_string(node.source().begin.line),
                    (place_.empty() ? "" : place_ + ".") + key + " " + reason);
    }

private:
    static std::string text(double v) { return nlohmann::json(v).dump(); }
    static std::string text(int64_t v) { return std::to_string(v); }

    const toml::table& table_;
    std::string file_, place_;
    std::set<std::string> known_;
};

// The model table uses the checkpoint's own field names and checks.
model::ModelConfig read_model(const toml::node* node, const Table& root, const std::string& file)
{
    if (!node)
        return {};
    if (!node->is_table())
        root.refuse(*node, "model", "must be a table");
    nlohmann::json fields = nlohmann::json::object();
    for (const auto& [key, value] : *node->as_table()) {
        const std::string name(key.str());
        if (value.is_string())
            fields[name] = *value.value<std::string>();
        else if (value.is_boolean())
            fields[name] = *value.value<bool>();
        else if (value.is_integer())
            fields[name] = *value.value<int64_t>();
        else if (value.is_floating_point())
            fields[name] = *value.value<double>();
        else
            root.refuse(value, "model." + name, "has the wrong type");
    }
    return model::config_from_json(fields, file + ":" + std::to_string(node->source().begin.line));
}

ObjectiveRecipe read_objective(const toml::table& table, const std::string& file)
{
    Table reader(table, file, "objective");
    ObjectiveRecipe objective;
    std::string kind;
    reader.read("kind", kind);
    const auto row = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& r) { return kind == r.name; });
    if (row == std::end(kKinds))
        reader.refuse(table, "kind", "\"" + kind + "\" is not an objective");
    objective.kind = row->kind;
    reader.read("weight", objective.weight, 0.0, 1e6);
    reader.read<int64_t>("batch", objective.batch, 2, 1 << 20);
    reader.read("keep", objective.keep, 0.05, 1.0);
    reader.read("cosine", objective.cosine, 0.0, 1e3);
    reader.read("nce", objective.nce, 0.0, 1e3);
    reader.read("composites", objective.composites, 0.0, 1.0);
    reader.read("views", objective.views, 0.0, 1.0);
    reader.finish();
    return objective;
}

}  // namespace

const char* objective_name(ObjectiveKind kind)
{
    for (const auto& row : kKinds)
        if (row.kind == kind)
            return row.name;
    return "";
}

Recipe read_recipe(const std::filesystem::path& path)
{
    const std::string file = path.string();
    if (!std::filesystem::is_regular_file(path))
        throw Error(ErrorKind::NotFound, file, "there is no such recipe", "Recipes lie under resources/recipes");
    toml::table table;
    try {
        table = toml::parse_file(file);
    } catch (const toml::parse_error& e) {
        throw Error(ErrorKind::Malformed, file + ":" + std::to_string(e.source().begin.line), std::string(e.description()));
    }
    Table root(table, file, "");
    Recipe recipe;
    std::string corpus, initial;
    int64_t seed = 1;
    root.read("corpus", corpus);
    root.read("initial", initial);
    root.read<int64_t>("seed", seed, 0, INT64_MAX);
    root.read<int64_t>("steps", recipe.steps, 0, INT64_MAX);
    recipe.corpus = corpus;
    recipe.initial = initial;
    recipe.seed = static_cast<uint64_t>(seed);
    recipe.model = read_model(root.take("model"), root, file);

    const auto section = [&](const char* name, auto&& fill) {
        const toml::node* node = root.take(name);
        static const toml::table empty;
        if (node && !node->is_table())
            root.refuse(*node, name, "must be a table");
        Table reader(node ? *node->as_table() : empty, file, name);
        fill(reader);
        reader.finish();
    };
    section("data", [&](Table& t) {
        t.read_int("views_per_picture", recipe.views_per_picture, 0, 16);
        t.read("target_sharpness", recipe.target_sharpness, 1.0, 1000.0);
    });
    section("text_shares", [&](Table& t) {
        auto& shares = recipe.text_shares;
        t.read("caption", shares.caption, 0.0, 1e6);
        t.read("word", shares.word, 0.0, 1e6);
        t.read("prompt", shares.prompt, 0.0, 1e6);
        t.read("lemma", shares.lemma, 0.0, 1e6);
        t.read("gloss", shares.gloss, 0.0, 1e6);
        t.read("class_text", shares.class_text, 0.0, 1e6);
        if (shares.caption + shares.word + shares.prompt + shares.lemma + shares.gloss + shares.class_text <= 0)
            throw Error(ErrorKind::Malformed, file, "text_shares are all zero");
    });
    section("optimizer", [&](Table& t) {
        t.read("rate", recipe.rate, 0.0, 1.0);
        t.read("final_rate", recipe.final_rate, 0.0, 1.0);
        t.read<int64_t>("warmup", recipe.warmup, 0, INT64_MAX);
        t.read("beta1", recipe.beta1, 0.0, 0.9999);
        t.read("beta2", recipe.beta2, 0.0, 0.99999);
        t.read("epsilon", recipe.epsilon, 0.0, 1.0);
        t.read("decay", recipe.decay, 0.0, 10.0);
        t.read("clip", recipe.clip, 0.0, 1e9);
        t.read("z_loss", recipe.z_loss, 0.0, 1e3);
        t.read("precision", recipe.precision);
        if (recipe.precision != "auto" && recipe.precision != "fp32" && recipe.precision != "bf16")
            t.refuse(*t.take("precision"), "precision", "\"" + recipe.precision + "\" is not auto, fp32 or bf16");
    });
    section("run", [&](Table& t) {
        t.read<int64_t>("checkpoint_every", recipe.checkpoint_every, 1, INT64_MAX);
        t.read<int64_t>("evaluate_every", recipe.evaluate_every, 1, INT64_MAX);
        t.read<int64_t>("log_every", recipe.log_every, 1, INT64_MAX);
        t.read<int64_t>("pass_tokens", recipe.pass_tokens, 1, INT64_MAX);
        t.read_int("keep_checkpoints", recipe.keep_checkpoints, 1, 1000);
        t.read("eight_bit", recipe.eight_bit);
    });
    const toml::node* objectives = root.take("objective");
    if (!objectives || !objectives->is_array_of_tables())
        root.refuse(table, "objective", "is wanted at least once, as [[objective]]");
    for (const auto& node : *objectives->as_array())
        recipe.objectives.push_back(read_objective(*node.as_table(), file));
    root.finish();

    double sum = 0;
    for (const auto& objective : recipe.objectives)
        sum += objective.weight;
    if (sum <= 0)
        root.refuse(*objectives, "objective", "weights add up to nothing");
    if (recipe.steps > 0 && recipe.warmup >= recipe.steps)
        root.refuse(table, "optimizer.warmup", "must be shorter than the run's steps");
    return recipe;
}

nlohmann::json to_json(const Recipe& r)
{
    nlohmann::json objectives = nlohmann::json::array();
    for (const auto& o : r.objectives)
        objectives.push_back({{"kind", objective_name(o.kind)}, {"weight", o.weight}, {"batch", o.batch}, {"keep", o.keep},
                              {"cosine", o.cosine}, {"nce", o.nce}, {"composites", o.composites}, {"views", o.views}});
    return {{"seed", r.seed},
            {"initial", r.initial.filename().string()},
            {"steps", r.steps},
            {"model", model::to_json(r.model)},
            {"data", {{"views_per_picture", r.views_per_picture}, {"target_sharpness", r.target_sharpness}}},
            {"text_shares",
             {{"caption", r.text_shares.caption}, {"word", r.text_shares.word}, {"prompt", r.text_shares.prompt},
              {"lemma", r.text_shares.lemma}, {"gloss", r.text_shares.gloss}, {"class_text", r.text_shares.class_text}}},
            {"optimizer",
             {{"rate", r.rate}, {"final_rate", r.final_rate}, {"warmup", r.warmup}, {"beta1", r.beta1}, {"beta2", r.beta2},
              {"epsilon", r.epsilon}, {"decay", r.decay}, {"clip", r.clip}, {"z_loss", r.z_loss}, {"precision", r.precision}}},
            {"run",
             {{"checkpoint_every", r.checkpoint_every}, {"evaluate_every", r.evaluate_every}, {"log_every", r.log_every},
              {"pass_tokens", r.pass_tokens},
              {"keep_checkpoints", r.keep_checkpoints},
              {"eight_bit", r.eight_bit}}},
            {"objective", objectives}};
}

double learning_rate(const Recipe& recipe, int64_t step)
{
    if (step < recipe.warmup)
        return recipe.rate * static_cast<double>(step + 1) / static_cast<double>(recipe.warmup);
    const double t = static_cast<double>(step - recipe.warmup) / static_cast<double>(std::max<int64_t>(1, recipe.steps - recipe.warmup));
    return recipe.final_rate + (recipe.rate - recipe.final_rate) * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, t)));
}

std::filesystem::path default_corpus()
{
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const std::filesystem::path base = cache && *cache ? cache : std::filesystem::path(home ? home : "/") / ".cache";
    return base / "imprint" / "corpus";
}

}  // namespace imprint::training
