// SPDX-License-Identifier: Apache-2.0
// Tables and tiles.
#include "training/evaluation/failure_page.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "training/log/chart.h"
#include "training/log/page.h"

namespace imprint::evaluation {
namespace {

using nlohmann::json;
using training::html_escaped;

constexpr uintmax_t kMostBytes = 256 << 10;

const char* media_type(const std::filesystem::path& file)
{
    static const std::map<std::string, const char*> types = {
        {".png", "image/png"},  {".jpg", "image/jpeg"},    {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
        {".gif", "image/gif"},  {".svg", "image/svg+xml"}, {".wav", "audio/wav"},   {".ogg", "audio/ogg"},
        {".mp3", "audio/mpeg"}, {".flac", "audio/flac"}};
    const auto found = types.find(file.extension().string());
    return found == types.end() ? nullptr : found->second;
}

std::string base64(const std::string& bytes)
{
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (size_t k = 0; k < 4; ++k)
            text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

/// A picture or a sound to play, within the page where it is small enough; else a link.
std::string medium(const std::filesystem::path& file)
{
    const char* const type = media_type(file);
    std::error_code failure;
    const uintmax_t size = std::filesystem::file_size(file, failure);
    std::ostringstream bytes;
    if (type && !failure && size <= kMostBytes)
        bytes << std::ifstream(file, std::ios::binary).rdbuf();
    if (bytes.str().empty())
        return "<a href=\"file://" + html_escaped(file.string()) + "\">" + html_escaped(file.filename().string()) + "</a>";
    const std::string source = "src=\"data:" + std::string(type) + ";base64," + base64(bytes.str()) + "\"";
    return std::string(type).starts_with("audio") ? "<audio controls " + source + "></audio>"
                                                  : "<img alt=\"\" loading=\"lazy\" " + source + ">";
}

std::string tile(const std::filesystem::path& file, const std::string& caption, bool right)
{
    return std::string("<figure") + (right ? " class=\"right\"" : "") + ">" + medium(file) + "<figcaption>"
        + html_escaped(caption) + "</figcaption></figure>";
}

std::string group_rows(const json& group)
{
    std::string html;
    for (const auto& [name, figures] : group.at("systems").items()) {
        const auto percent = [&](const char* key) { return 100 * figures.at(key).get<double>(); };
        const json& interval = figures.at("r10_interval");
        std::array<char, 160> cells{};
        std::snprintf(cells.data(), cells.size(), "<td>%.1f</td><td>%.1f</td><td>%.1f</td><td>%.1f to %.1f</td>", percent("r1"),
                      percent("r5"), percent("r10"), 100 * interval[0].get<double>(), 100 * interval[1].get<double>());
        html += "<tr><th>" + html_escaped(name) + "</th>" + cells.data() + "</tr>";
    }
    return html;
}

std::string pool_html(const json& pool)
{
    const std::string name = pool.at("pool");
    std::string html = "<h2>" + html_escaped(name) + "</h2><p>" + html_escaped(pool.at("direction").get<std::string>()) + ", "
        + std::to_string(pool.at("items").get<int64_t>()) + " items</p>";
    for (const json& group : pool.at("groups"))
        html += "<p>" + html_escaped(group.at("group").get<std::string>()) + ", "
            + html_escaped(group.at("labels").get<std::string>()) + " labels, "
            + std::to_string(group.at("queries").get<int64_t>())
            + " queries</p><table class=\"figures\"><tr><th></th><th>R@1</th><th>R@5</th><th>R@10</th><th>95 % interval</th></tr>"
            + group_rows(group) + "</table>\n";
    for (const json& miss : pool.value("misses", json::array())) {
        std::array<char, 64> rank{};
        std::snprintf(rank.data(), rank.size(), "%.0f", miss.at("rank").get<double>());
        html += "<p><b>" + html_escaped(miss.at("asked").get<std::string>()) + "</b>: the right one stands at " + rank.data()
            + "</p><div class=\"misses\">";
        for (const json& file : miss.at("right"))
            html += tile(file.get<std::string>(), "right", true);
        for (const json& shown : miss.at("first"))
            html += tile(shown.at("file").get<std::string>(), shown.at("label").get<std::string>(), false);
        html += "</div>\n";
    }
    return html;
}

}  // namespace

std::string failure_page(const json& result)
{
    const json& checkpoint = result.at("checkpoint");
    const std::string title = checkpoint.at("file").get<std::string>() + " (" + checkpoint.at("space").get<std::string>() + ")";
    std::string body = "<h1>" + html_escaped(title)
        + "</h1><p>Recall in per cent. Below the figures of a pool stand its worst failures: what was asked, the right items in "
          "green, and what came first instead.</p>\n";
    for (const json& pool : result.at("pools"))
        body += pool_html(pool);
    return training::html_page(title, body);
}

void write_failure_page(const json& result, const std::filesystem::path& out) { training::write_page(out, failure_page(result)); }

}  // namespace imprint::evaluation
