// SPDX-License-Identifier: Apache-2.0
// One table of a TOML file, read key by key: wrong types and values are refused with the line, and so is every key that nobody
// has asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <toml++/toml.h>

namespace imprint::training {

/// The table and its nodes must outlive this object. Every refusal is Error(Malformed) with "file:line" as its subject.
class RecipeTable {
public:
    /// `place`: what the file calls the table ("objective"), empty for the whole file.
    RecipeTable(const toml::table& table, std::string file, std::string place);

    /// Takes a key's value where it is there; a missing key leaves `value` as it is.
    template <typename T>
    void read(const char* key, T& value)
    {
        const toml::node* node = take(key);
        if (!node)
            return;
        std::optional<T> found;  // whole numbers pass as fractions, not the other way round
        if constexpr (std::is_same_v<T, double>)
            found = node->is_number() ? node->value<double>() : std::nullopt;
        else
            found = node->value_exact<T>();
        if (!found)
            refuse(key, "has the wrong type");
        value = *found;
    }
    /// The same, and it must lie between the two, both included.
    template <typename T>
    void read(const char* key, T& value, T low, T high)
    {
        read(key, value);
        if (!(value >= low && value <= high))
            refuse(key, "must lie in " + text(low) + " … " + text(high));
    }
    void read_int(const char* key, int& value, int low, int high);
    /// A list, or one value that stands for a list of one.
    void read_list(const char* key, std::vector<std::string>& values);
    void read_list(const char* key, std::vector<double>& values);
    /// One of `words`; its index.
    size_t read_word(const char* key, const std::vector<std::string>& words, size_t standard);

    const toml::node* take(const char* key);
    bool has(const char* key) const { return table_.contains(key); }
    const toml::table& table() const { return table_; }
    /// Refuses the first key that was neither read nor taken. `what`: "a recipe", "a classify objective".
    void finish(const std::string& what) const;
    /// At the key's line, or at the table's where the key is not there.
    [[noreturn]] void refuse(const std::string& key, const std::string& reason) const;

private:
    static std::string text(double value);
    static std::string text(int64_t value) { return std::to_string(value); }

    const toml::table& table_;
    std::string file_, place_;
    std::set<std::string> known_;
};

/// TOML values as JSON and back; null members are left out, dates refused.
nlohmann::json json_of(const toml::node& node);
toml::table toml_of(const nlohmann::json& object);

}  // namespace imprint::training
