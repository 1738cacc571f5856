// SPDX-License-Identifier: Apache-2.0
// The page.
#include "training/log/report.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "training/log/chart.h"
#include "training/log/page.h"
#include "training/log/step_progress.h"

namespace imprint::training {
namespace {

/// Names that lead, with what a reader calls them.
constexpr std::pair<const char*, const char*> kLeading[] = {{"loss", "Loss"}, {"accuracy", "Accuracy in the batch"}};
constexpr std::pair<const char*, const char*> kAfterEvaluations[] = {{"rate", "Learning rate"},
                                                                     {"samples/s", "Samples per second"},
                                                                     {"tokens/s", "Tokens per second"},
                                                                     {"seconds", "Seconds per step"},
                                                                     {"gradient_norm", "Gradient norm before clipping"}};

/// A schedule does not depend on what was drawn: its pieces are one curve.
Curve joined(const std::map<std::string, Curve>& curves)
{
    Curve all;
    for (const auto& [name, curve] : curves)
        all.insert(all.end(), curve.begin(), curve.end());
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return all;
}

std::string heading(const RunMetrics& metrics)
{
    std::string text = "<h1>" + html_escaped(metrics.name) + "</h1><p>";
    if (metrics.last_step >= 0) {
        text += std::to_string(metrics.last_step + 1);
        const auto& recipe = metrics.recipe;
        if (recipe.is_object() && recipe.contains("steps") && recipe["steps"].is_number_integer())
            text += " of " + std::to_string(recipe["steps"].get<int64_t>());
        text += " steps, " + short_time(metrics.seconds) + " in steps";
    } else {
        text += "no step yet";
    }
    if (metrics.damaged_lines)
        text += ", " + std::to_string(metrics.damaged_lines) + " damaged lines of metrics.jsonl left out";
    return text + "</p>\n";
}

std::string experts_html(const std::map<std::string, ExpertUse>& all)
{
    std::string html;
    for (const auto& [objective, use] : all) {
        html += "<h2>Expert use: " + html_escaped(objective.empty() ? "all" : objective)
            + "</h2><p>Share of the tokens that each expert took, mean over the last quarter of the steps.</p><table>";
        double most = 1e-12;
        for (const auto& layer : use)
            most = std::max(most, *std::max_element(layer.begin(), layer.end()));
        for (size_t layer = 0; layer < use.size(); ++layer) {
            html += "<tr><th>sparse layer " + std::to_string(layer + 1) + "</th>";
            for (const double share : use[layer]) {
                char cell[128];
                std::snprintf(cell, sizeof cell, "<td style=\"background:rgb(42 120 194/%.2f)\">%.3f</td>", 0.75 * share / most,
                              share);
                html += cell;
            }
            html += "</tr>";
        }
        html += "</table>\n";
    }
    return html;
}

}  // namespace

std::string report_html(const RunMetrics& metrics)
{
    std::string charts;
    std::set<std::string> done;
    const auto draw = [&](const std::string& name, const std::string& title) {
        const auto found = metrics.steps.find(name);
        if (found == metrics.steps.end() || !done.insert(name).second)
            return;
        charts += chart_svg(title, name == "rate" ? std::map<std::string, Curve>{{"", joined(found->second)}} : found->second);
    };
    for (const auto& [name, title] : kLeading)
        draw(name, title);
    for (const auto& [name, groups] : metrics.evaluations)
        charts += chart_svg("Evaluation: " + name, groups);
    for (const auto& [name, title] : kAfterEvaluations)
        draw(name, title);
    for (const auto& [name, curves] : metrics.steps)
        draw(name, name);

    std::string body = heading(metrics) + "<h2>Curves over steps</h2>" + "<div class=\"curves\">\n" + charts + "</div>\n"
        + experts_html(metrics.expert_use);
    if (!metrics.recipe.is_null())
        body += "<h2>Recipe, as resolved</h2><pre>"
            + html_escaped(metrics.recipe.dump(1, ' ', false, nlohmann::json::error_handler_t::replace)) + "</pre>\n";
    return html_page(metrics.name, body);
}

void write_report(const std::filesystem::path& run, const std::filesystem::path& out)
{
    write_page(out, report_html(read_run_metrics(run)));
}

}  // namespace imprint::training
