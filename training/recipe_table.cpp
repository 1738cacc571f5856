// SPDX-License-Identifier: Apache-2.0
#include "training/recipe_table.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace imprint::training {
namespace {

using nlohmann::json;

void put(toml::table& table, const std::string& key, const json& value);

toml::array array_of(const json& list)
{
    toml::array array;
    for (const json& value : list) {
        toml::table holder;  // toml++ inserts values by their static type, which here is only known while it runs
        put(holder, "value", value);
        holder["value"].visit([&](auto& node) { array.push_back(std::move(node)); });
    }
    return array;
}

void put(toml::table& table, const std::string& key, const json& value)
{
    if (value.is_object())
        table.insert(key, toml_of(value));
    else if (value.is_array())
        table.insert(key, array_of(value));
    else if (value.is_string())
        table.insert(key, value.get<std::string>());
    else if (value.is_boolean())
        table.insert(key, value.get<bool>());
    else if (value.is_number_integer())
        table.insert(key, value.get<int64_t>());
    else if (value.is_number())
        table.insert(key, value.get<double>());
}

}  // namespace

RecipeTable::RecipeTable(const toml::table& table, std::string file, std::string place)
    : table_(table), file_(std::move(file)), place_(std::move(place))
{
}

std::string RecipeTable::text(double value) { return json(value).dump(); }

const toml::node* RecipeTable::take(const char* key)
{
    known_.insert(key);
    return table_.get(key);
}

void RecipeTable::read_int(const char* key, int& value, int low, int high)
{
    int64_t wide = value;
    read<int64_t>(key, wide, low, high);
    value = static_cast<int>(wide);
}

void RecipeTable::read_list(const char* key, std::vector<std::string>& values)
{
    const toml::node* node = take(key);
    if (!node)
        return;
    values.clear();
    if (const auto one = node->value_exact<std::string>()) {
        values.push_back(*one);
        return;
    }
    const toml::array* list = node->as_array();
    if (!list || (!list->empty() && !list->is_homogeneous(toml::node_type::string)))
        refuse(key, "must be a text or a list of texts");
    for (const auto& entry : *list)
        values.push_back(*entry.value_exact<std::string>());
}

void RecipeTable::read_list(const char* key, std::vector<double>& values)
{
    const toml::node* node = take(key);
    if (!node)
        return;
    values.clear();
    const toml::array* list = node->as_array();
    if (!list || !std::all_of(list->begin(), list->end(), [](const toml::node& entry) { return entry.is_number(); }))
        refuse(key, "must be a list of numbers");
    for (const auto& entry : *list)
        values.push_back(*entry.value<double>());
}

size_t RecipeTable::read_word(const char* key, const std::vector<std::string>& words, size_t standard)
{
    std::string word = words[standard], all;
    read(key, word);
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] == word)
            return i;
        all += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
    }
    refuse(key, "\"" + word + "\" is not " + all);
}

void RecipeTable::finish(const std::string& what) const
{
    for (const auto& [key, node] : table_)
        if (!known_.contains(std::string(key.str())))
            refuse(std::string(key.str()), "is not a key of " + what);
}

void RecipeTable::refuse(const std::string& key, const std::string& reason) const
{
    const toml::node* node = table_.get(key);
    const auto line = (node ? *node : static_cast<const toml::node&>(table_)).source().begin.line;
    throw Error(ErrorKind::Malformed, file_ + ":" + std::to_string(std::max<uint32_t>(1, line)),
                (place_.empty() ? "" : place_ + ".") + key + " " + reason);
}

nlohmann::json json_of(const toml::node& node)
{
    if (const auto* table = node.as_table()) {
        json object = json::object();
        for (const auto& [key, value] : *table)
            object[std::string(key.str())] = json_of(value);
        return object;
    }
    if (const auto* array = node.as_array()) {
        json list = json::array();
        for (const auto& value : *array)
            list.push_back(json_of(value));
        return list;
    }
    if (const auto* value = node.as_string())
        return value->get();
    if (const auto* value = node.as_boolean())
        return value->get();
    if (const auto* value = node.as_integer())
        return value->get();
    if (const auto* value = node.as_floating_point())
        return value->get();
    throw Error(ErrorKind::Malformed, "line " + std::to_string(node.source().begin.line),
                "holds a date or time, which nothing here has");
}

toml::table toml_of(const nlohmann::json& object)
{
    toml::table table;
    for (const auto& [key, value] : object.items())
        put(table, key, value);
    return table;
}

}  // namespace imprint::training
