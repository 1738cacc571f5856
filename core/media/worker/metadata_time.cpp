// SPDX-License-Identifier: Apache-2.0
// Date parsing that refuses what no calendar holds: cameras with an empty clock write zeros.
#include "core/media/worker/metadata_time.h"

#include <chrono>
#include <cstdio>
#include <cstring>

namespace imprint::media
{
namespace
{

std::optional<int64_t> seconds_since_1970(int year, int month, int day, int hour, int minute, int second)
{
    const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::day(static_cast<unsigned>(day)));
    if (month < 1 || day < 1 || !date.ok() || year < 1800 || year > 9999 || hour < 0 || hour > 23 || minute < 0
        || minute > 59 || second < 0 || second > 60)
        return std::nullopt;
    const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t offset_seconds(const char* text)
{
    char sign = 0;
    int hours = 0, minutes = 0;
    if ((std::sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) < 3
            && std::sscanf(text, "%c%2d%2d", &sign, &hours, &minutes) < 2)
        || (sign != '+' && sign != '-') || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return 0;
    return (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

} // namespace

std::optional<int64_t> parse_exif_time(const std::string& text, const std::string& offset)
{
    int y, mo, d, h, mi, s;
    if (std::sscanf(text.c_str(), "%4d:%2d:%2d %2d:%2d:%2d", &y, &mo, &d, &h, &mi, &s) != 6)
        return std::nullopt;
    const auto local = seconds_since_1970(y, mo, d, h, mi, s);
    return local ? std::optional(*local - offset_seconds(offset.c_str())) : std::nullopt;
}

std::optional<int64_t> parse_container_time(const std::string& text)
{
    int y, mo, d, h, mi, s, used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
        return std::nullopt;
    const auto local = seconds_since_1970(y, mo, d, h, mi, s);
    // Muxers without a clock write the epoch of their format.
    if (!local || *local <= 0)
        return std::nullopt;
    const char* rest = text.c_str() + used;
    return *local - offset_seconds(rest + std::strcspn(rest, "+-"));
}

} // namespace imprint::media
