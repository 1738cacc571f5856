// SPDX-License-Identifier: Apache-2.0
// The evaluation's figures as a table for people.
#include <array>
#include <cstdio>

#include "training/evaluation/evaluate.h"

namespace imprint::evaluation
{

namespace
{

using nlohmann::json;

// Not fmt: the wheel's own copy of its headers stands first on the include path of everything that links tensors.
template <typename... Values>
std::string formatted(const char* pattern, Values... values)
{
    std::array<char, 512> line{};
    std::snprintf(line.data(), line.size(), pattern, values...);
    return line.data();
}

std::string text(const json& value)
{
    return value.get<std::string>();
}

std::string share_cell(const json& figures, const char* name)
{
    const json& interval = figures.at(std::string(name) + "_interval");
    return formatted("%5.1f [%5.1f %5.1f]", 100 * figures.at(name).get<double>(), 100 * interval[0].get<double>(),
        100 * interval[1].get<double>());
}

void add_row(std::string& table, const char* name, const json& figures)
{
    table += formatted("  %-18s %20s %20s %20s %8.1f\n", name, share_cell(figures, "r1").c_str(),
        share_cell(figures, "r5").c_str(), share_cell(figures, "r10").c_str(), figures.at("median_rank").get<double>());
}

void add_group(std::string& table, const json& pool, const json& group)
{
    table += "\n" + text(pool.at("pool")) + ": " + text(group.at("labels")) + " labels, " + text(group.at("group"))
        + "; " + text(pool.at("direction")) + ", " + std::to_string(group.at("queries").get<int>()) + " queries over "
        + std::to_string(pool.at("items").get<int>()) + " items\n";
    table += formatted("  %-18s %20s %20s %20s %8s\n", "% [95 % interval]", "R@1", "R@5", "R@10", "median");
    for (const char* name : {"model", "words alone", "teacher's text", "conse", "conse, own text", "file names", "chance"})
        if (group.at("systems").contains(name))
            add_row(table, name, group.at("systems").at(name));
    if (group.contains("model_minus_conse"))
        add_row(table, "model - conse", group.at("model_minus_conse"));
}

} // namespace

std::string readable_table(const nlohmann::json& result)
{
    const json& checkpoint = result.at("checkpoint");
    std::string table = text(checkpoint.at("file")) + " (" + text(checkpoint.at("space")) + ")\n";
    for (const json& pool : result.at("pools")) {
        for (const json& group : pool.at("groups"))
            add_group(table, pool, group);
        if (const auto& failed = pool.at("failed"); !failed.empty())
            table += "  " + std::to_string(failed.size()) + " items could not be decoded and are left out\n";
    }
    return table;
}

} // namespace imprint::evaluation
