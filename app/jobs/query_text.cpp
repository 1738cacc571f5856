// SPDX-License-Identifier: Apache-2.0
// Parsing what people type: words with weights, files with spans, dates.
#include <charconv>
#include <cmath>
#include <ctime>

#include "app/jobs/jobs.h"

namespace imprint::jobs {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::optional<double> number(std::string_view text)
{
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

/// Cuts `*WEIGHT` off the end. Nothing is cut, and nothing returned, when what follows the last star is no number.
std::optional<double> cut_weight(std::string& text)
{
    const size_t star = text.rfind('*');
    if (star == std::string::npos || star == 0)
        return std::nullopt;
    const std::optional<double> weight = number(std::string_view(text).substr(star + 1));
    if (!weight)
        return std::nullopt;
    if (*weight <= 0)
        throw Error(ErrorKind::Usage, text, "a weight must be above 0", "Use --not or a minus to exclude");
    text.resize(star);
    return weight;
}

/// Seconds, m:ss or h:mm:ss.
std::optional<double> seconds(std::string_view text)
{
    double total = 0;
    int fields = 0;
    while (true) {
        const size_t colon = text.find(':');
        const std::optional<double> value = number(text.substr(0, colon));
        if (!value || *value < 0 || ++fields > 3)
            return std::nullopt;
        total = total * 60 + *value;
        if (colon == std::string_view::npos)
            return total;
        text.remove_prefix(colon + 1);
    }
}

bool exists(const std::filesystem::path& path)
{
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

/// Cuts `@FROM-TO` off the end into the part; false when there is none.
bool cut_span(std::string& name, QueryPart& part)
{
    const size_t at = name.rfind('@');
    if (at == std::string::npos || at == 0)
        return false;
    const std::string_view span = std::string_view(name).substr(at + 1);
    const size_t dash = span.find('-');
    if (dash == std::string_view::npos)
        return false;
    const std::optional<double> from = seconds(span.substr(0, dash)), to = seconds(span.substr(dash + 1));
    if (!from || !to)
        return false;
    if (*to <= *from)
        throw Error(ErrorKind::Usage, name, "the span ends before it begins");
    part.from = from;
    part.to = to;
    name.resize(at);
    return true;
}

}  // namespace

std::vector<QueryPart> parse_query(const std::string& typed)
{
    std::vector<QueryPart> parts;
    bool open = false;  // whether further bare words belong to the last part
    size_t i = 0;
    while (true) {
        while (i < typed.size() && is_space(typed[i]))
            ++i;
        if (i == typed.size())
            return parts;
        const bool sign = (typed[i] == '+' || typed[i] == '-') && i + 1 < typed.size() && !is_space(typed[i + 1]);
        const bool minus = sign && typed[i] == '-';
        i += sign ? 1 : 0;

        std::string text;
        std::optional<double> weight;
        const bool quoted = typed[i] == '"';
        if (quoted) {
            const size_t end = typed.find('"', i + 1);
            text = typed.substr(i + 1, end == std::string::npos ? end : end - i - 1);
            i = end == std::string::npos ? typed.size() : end + 1;
        }
        std::string tail;
        while (i < typed.size() && !is_space(typed[i]) && !(quoted && typed[i] == '"'))
            tail += typed[i++];
        if (quoted) {
            std::string starred = "\"" + tail;  // a weight may stand right behind the quotes
            weight = cut_weight(starred);
            text += starred.substr(1);
        } else {
            weight = cut_weight(tail);
            text = tail;
        }
        if (text.empty())
            continue;
        const bool bare = !sign && !quoted && !weight;
        if (bare && open) {
            parts.back().text += " " + text;
        } else {
            QueryPart part;
            part.text = text;
            part.weight = minus ? -weight.value_or(kNotWeight) : weight.value_or(1.0);
            part.literal = quoted;
            parts.push_back(std::move(part));
        }
        open = bare;
    }
}

std::vector<QueryPart> parse_words(const std::vector<std::string>& arguments, double default_weight)
{
    std::vector<QueryPart> parts;
    bool open = false;
    for (std::string text : arguments) {
        const std::optional<double> weight = cut_weight(text);
        const size_t first = text.find_first_not_of(" \t\r\n");
        if (first == std::string::npos)
            throw Error(ErrorKind::Usage, "", "a text to search for is empty");
        text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
        const bool bare = !weight && text.find(' ') == std::string::npos;
        if (bare && open) {
            parts.back().text += " " + text;
        } else {
            QueryPart part;
            part.text = text;
            part.weight = weight.value_or(default_weight);
            parts.push_back(std::move(part));
        }
        open = bare;
    }
    return parts;
}

QueryPart parse_file_part(const std::string& argument, double default_weight)
{
    QueryPart part;
    std::string name = argument;
    if (name.empty())
        throw Error(ErrorKind::Usage, "", "a file to compare with has no name");
    part.weight = default_weight;
    if (!exists(name))
        part.weight = cut_weight(name).value_or(default_weight);
    if (!exists(name))
        cut_span(name, part);
    part.file = name;
    return part;
}

int64_t parse_date(const std::string& text)
{
    std::tm time{};
    time.tm_mday = 1;
    time.tm_isdst = -1;
    const char* formats[] = {"%Y-%m-%d", "%Y-%m", "%Y"};
    for (const char* format : formats) {
        std::tm parsed = time;
        const char* end = ::strptime(text.c_str(), format, &parsed);
        if (!end || *end)
            continue;
        const std::tm wanted = parsed;
        const std::time_t seconds = std::mktime(&parsed);
        // mktime() turns 31 February into March: a date that moved was none.
        if (parsed.tm_mday == wanted.tm_mday && parsed.tm_mon == wanted.tm_mon)
            return seconds;
    }
    throw Error(ErrorKind::Usage, text, "is not a date", "Write it as 2024-05-31, 2024-05 or 2024");
}

}  // namespace imprint::jobs
