// SPDX-License-Identifier: Apache-2.0
// The evaluation's figures as a table for people.
#include <fmt/format.h>

#include "training/evaluation/evaluate.h"

namespace imprint::evaluation {

namespace {

using nlohmann::json;

std::string share_cell(const json& figures, const char* name)
{
    const json& interval = figures.at(std::string(name) + "_interval");
    return fmt::format("{:5.1f} [{:5.1f} {:5.1f}]", 100 * figures.at(name).get<double>(), 100 * interval[0].get<double>(),
                       100 * interval[1].get<double>());
}

void add_row(std::string& table, const std::string& name, const json& figures)
{
    table += fmt::format("  {:<16} {:>20} {:>20} {:>20} {:>8.1f}\n", name, share_cell(figures, "r1"), share_cell(figures, "r5"),
                         share_cell(figures, "r10"), figures.at("median_rank").get<double>());
}

}  // namespace

std::string readable_table(const nlohmann::json& result)
{
    std::string table = fmt::format("{} ({})\n", result.at("checkpoint").at("file").get<std::string>(),
                                    result.at("checkpoint").at("space").get<std::string>());
    for (const json& pool : result.at("pools")) {
        for (const json& group : pool.at("groups")) {
            table += fmt::format("\n{}: {} labels, {}; {}, {} queries over {} items\n", pool.at("pool").get<std::string>(),
                                 group.at("labels").get<std::string>(), group.at("group").get<std::string>(),
                                 pool.at("direction").get<std::string>(), group.at("queries").get<int>(),
                                 pool.at("items").get<int>());
            table += fmt::format("  {:<16} {:>20} {:>20} {:>20} {:>8}\n", "% [95 % interval]", "R@1", "R@5", "R@10", "median");
            for (const char* name : {"model", "conse", "conse, own text", "file names", "chance"})
                if (group.at("systems").contains(name))
                    add_row(table, name, group.at("systems").at(name));
            if (group.contains("model_minus_conse"))
                add_row(table, "model - conse", group.at("model_minus_conse"));
        }
        if (const auto& failed = pool.at("failed"); !failed.empty())
            table += fmt::format("  {} items could not be decoded and are left out\n", failed.size());
    }
    return table;
}

}  // namespace imprint::evaluation
