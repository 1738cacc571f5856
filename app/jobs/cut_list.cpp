// SPDX-License-Identifier: Apache-2.0
// CMX 3600 edit decision lists, and Final Cut Pro's XML as its DTD 1.8 has it.
#include "app/jobs/cut_list.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>

#include "app/jobs/path_json.h"
#include "core/base/error.h"

namespace imprint::jobs {
namespace {

struct Cut {
    const ExportRow* row;
    int64_t in, out;  ///< frames of the source, the last one not included
};

std::vector<Cut> cuts_of(std::span<const ExportRow> rows, const ExportOptions& options)
{
    IMPRINT_ASSERT(options.frame_rate >= 1 && options.frame_rate <= 120);
    std::vector<Cut> cuts;
    for (const ExportRow& row : rows) {
        if (row.kind != media::Kind::Video || !row.start || !row.end)
            continue;
        const int64_t in = std::llround(*row.start * options.frame_rate);
        cuts.push_back({&row, in, std::max(in + 1, static_cast<int64_t>(std::llround(*row.end * options.frame_rate)))});
    }
    if (cuts.empty())
        throw Error(ErrorKind::Usage, options.title, "there is no moment of a video to cut", "Search with --kind video");
    return cuts;
}

/// hh:mm:ss:ff, all frames counted.
std::string time_code(int64_t frames, int rate)
{
    char text[48];
    std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld:%02lld", static_cast<long long>(frames / rate / 3600),
                  static_cast<long long>(frames / rate / 60 % 60), static_cast<long long>(frames / rate % 60),
                  static_cast<long long>(frames % rate));
    return text;
}

std::string one_line(const std::string& text)
{
    std::string line = valid_text(text);
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return line;
}

/// For an attribute. XML has no way to write most control characters.
std::string attribute(const std::string& text)
{
    std::string escaped;
    for (const char c : one_line(text))
        escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
    return escaped;
}

/// RFC 8089, of any bytes.
std::string file_url(const std::filesystem::path& path)
{
    static constexpr char kHex[] = "0123456789ABCDEF", kPlain[] = "/-._~";
    std::string url = "file://";
    for (const char c : path.native()) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x80 && std::isalnum(byte)) || std::string_view(kPlain).find(c) != std::string_view::npos)
            url += c;
        else
            (url += '%').append({kHex[byte >> 4], kHex[byte & 15]});
    }
    return url;
}

/// Rational seconds on a frame's edge, as the DTD asks.
std::string rational(int64_t frames, int rate)
{
    return frames == 0 ? "0s" : std::to_string(frames) + '/' + std::to_string(rate) + 's';
}

}  // namespace

void write_edl(std::ostream& out, std::span<const ExportRow> rows, const ExportOptions& options)
{
    constexpr size_t kMostEvents = 999;
    const std::vector<Cut> cuts = cuts_of(rows, options);
    if (cuts.size() > kMostEvents)
        throw Error(ErrorKind::LimitExceeded, options.title,
                    std::to_string(cuts.size()) + " moments are more than the 999 of an edit decision list",
                    "Ask for fewer with -k, or export FCPXML");
    out << "TITLE: " << one_line(options.title) << "\r\nFCM: NON-DROP FRAME\r\n";
    int64_t at = 0;
    for (size_t i = 0; i < cuts.size(); ++i) {
        const int64_t length = cuts[i].out - cuts[i].in;
        char event[16];
        std::snprintf(event, sizeof event, "%03zu", i + 1);
        out << "\r\n" << event << "  AX       " << (cuts[i].row->modality == "sound" ? "A " : "V ") << "    C        ";
        const char* space = "";
        for (const int64_t frames : {cuts[i].in, cuts[i].out, at, at + length}) {
            out << space << time_code(frames, options.frame_rate);
            space = " ";
        }
        out << "\r\n* FROM CLIP NAME: " << one_line(cuts[i].row->path.filename().native())
            << "\r\n* SOURCE FILE: " << one_line(cuts[i].row->path.native()) << "\r\n";
        at += length;
    }
}

void write_fcpxml(std::ostream& out, std::span<const ExportRow> rows, const ExportOptions& options)
{
    const std::vector<Cut> cuts = cuts_of(rows, options);
    const int rate = options.frame_rate;
    std::map<std::string, std::pair<std::string, const ExportRow*>> assets;  // by path: its id
    int64_t total = 0;
    for (const Cut& cut : cuts) {
        assets.try_emplace(cut.row->path.native(), "a" + std::to_string(assets.size() + 1), cut.row);
        total += cut.out - cut.in;
    }
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE fcpxml>\n<fcpxml version=\"1.8\">\n  <resources>\n"
        << "    <format id=\"f1\" frameDuration=\"1/" << rate << "s\" width=\"" << std::max(2, cuts.front().row->width)
        << "\" height=\"" << std::max(2, cuts.front().row->height) << "\"/>\n";
    for (const auto& [path, asset] : assets)
        out << "    <asset id=\"" << asset.first << "\" name=\"" << attribute(asset.second->path.filename().native())
            << "\" src=\"" << file_url(path) << "\" start=\"0s\" duration=\""
            << rational(std::max<int64_t>(1, std::llround(asset.second->duration * rate)), rate)
            << "\" hasVideo=\"1\" format=\"f1\"/>\n";
    out << "  </resources>\n  <library>\n    <event name=\"Imprint\">\n      <project name=\"" << attribute(options.title)
        << "\">\n        <sequence format=\"f1\" duration=\"" << rational(total, rate)
        << "\" tcStart=\"0s\" tcFormat=\"NDF\">\n          <spine>\n";
    int64_t at = 0;
    for (const Cut& cut : cuts) {
        const ExportRow& row = *cut.row;
        out << "            <asset-clip ref=\"" << assets.at(row.path.native()).first << "\" name=\""
            << attribute(row.path.filename().native()) << "\" offset=\"" << rational(at, rate) << "\" start=\""
            << rational(cut.in, rate) << "\" duration=\"" << rational(cut.out - cut.in, rate) << "\" format=\"f1\"";
        if (row.labels.empty()) {
            out << "/>\n";
        } else {
            out << ">\n";
            for (const std::string& label : row.labels)
                out << "              <keyword start=\"" << rational(cut.in, rate) << "\" duration=\""
                    << rational(cut.out - cut.in, rate) << "\" value=\"" << attribute(label) << "\"/>\n";
            out << "            </asset-clip>\n";
        }
        at += cut.out - cut.in;
    }
    out << "          </spine>\n        </sequence>\n      </project>\n    </event>\n  </library>\n</fcpxml>\n";
}

}  // namespace imprint::jobs
