// SPDX-License-Identifier: Apache-2.0
// The page.
#include "training/log/report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "training/log/chart.h"
#include "training/log/step_progress.h"

namespace imprint::training {
namespace {

constexpr const char* kStyle = R"(:root{color-scheme:light dark;--ink:#1b1f24;--dim:#667;--line:#d9dde3;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--dim:#99a;--line:#353b45;--paper:#15181d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.3rem 0}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:1.2rem}
figure{margin:0;border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem}figcaption{font-weight:600}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--dim)}svg path{fill:none;stroke-width:1.8}
svg .grid{stroke:var(--line);stroke-width:1}svg .raw{opacity:.3;stroke-width:1}
figure ul{list-style:none;margin:.2rem 0 0;padding:0;font-size:.85rem;display:flex;flex-wrap:wrap;gap:.1rem 1rem}
li::before{content:"";display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em;background:var(--c)}
.c0{--c:#2a78c2}.c1{--c:#d1662b}.c2{--c:#2c9a72}.c3{--c:#b0549b}.c4{--c:#c99a1d}.c5{--c:#55a9d8}.c6{--c:#8a6bd1}.c7{--c:#7d8590}
svg path[class^=c]{stroke:var(--c)}svg circle{fill:var(--c)}
table{border-collapse:collapse;font-size:.85rem}th{font-weight:500;color:var(--dim);text-align:left;padding:.15rem .6rem .15rem 0}
td{width:3.4em;text-align:center;padding:.15rem .3rem;border:1px solid var(--paper)}
pre{font-size:.8rem;overflow:auto;border:1px solid var(--line);border-radius:8px;padding:.8rem}
)";

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

    std::string html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
                       "content=\"width=device-width\"><title>"
        + html_escaped(metrics.name) + "</title><style>" + kStyle + "</style>\n" + heading(metrics) + "<h2>Curves over steps</h2>"
        + "<div class=\"curves\">\n" + charts + "</div>\n" + experts_html(metrics.expert_use);
    if (!metrics.recipe.is_null())
        html += "<h2>Recipe, as resolved</h2><pre>"
            + html_escaped(metrics.recipe.dump(1, ' ', false, nlohmann::json::error_handler_t::replace)) + "</pre>\n";
    return html + "</html>\n";
}

void write_report(const std::filesystem::path& run, const std::filesystem::path& out)
{
    const std::string html = report_html(read_run_metrics(run));
    const std::filesystem::path temporary = out.native() + ".part";
    errno = 0;
    std::ofstream file(temporary, std::ios::binary);
    file << html;
    file.close();
    if (!file) {
        const int reason = errno ? errno : EIO;
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw_errno(reason, out.string(), "write the report");
    }
    std::error_code failure;
    std::filesystem::rename(temporary, out, failure);
    if (failure)
        throw_errno(failure.value(), out.string(), "write the report");
}

}  // namespace imprint::training
