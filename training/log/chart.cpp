// SPDX-License-Identifier: Apache-2.0
// Scales, ticks and paths.
#include "training/log/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "training/log/step_progress.h"

namespace imprint::training {
namespace {

constexpr double kWidth = 560, kHeight = 230, kLeft = 56, kRight = 12, kTop = 10, kBottom = 26;
constexpr size_t kPoints = 300;     // more than the eye tells apart on 560 pixels
constexpr size_t kSmoothFrom = 60;  // shorter curves show their values as they are
constexpr int kColours = 8;         // classes c0 … c7 of the page's style

std::string number(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

std::string label(double value)
{
    if (value == 0)
        return "0";
    char text[32];
    if (std::abs(value) >= 999.5)
        return short_number(value);
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

struct Scale {
    double low, high, from, to;
    double operator()(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

std::string path(const Curve& curve, const Scale& x, const Scale& y)
{
    std::string d;
    bool drawing = false;
    for (const auto& [step, value] : curve) {
        if (!std::isfinite(value)) {
            drawing = false;
            continue;
        }
        d += drawing ? "L" : "M";
        d += number(x(static_cast<double>(step))) + " " + number(y(value));
        drawing = true;
    }
    return d;
}

void widen(double value, double& low, double& high)
{
    if (!std::isfinite(value))
        return;
    low = std::min(low, value);
    high = std::max(high, value);
}

std::string text_at(double x, double y, const char* anchor, const std::string& text)
{
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + html_escaped(text)
        + "</text>";
}

}  // namespace

std::string html_escaped(const std::string& text)
{
    std::string safe;
    for (const char c : text)
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        case '\'':
            safe += "&#39;";
            break;
        default:
            safe += c;
        }
    return safe;
}

Curve thinned(const Curve& curve, size_t points)
{
    if (curve.size() <= points)
        return curve;
    Curve thin;
    for (size_t i = 0; i < points; ++i) {
        const size_t begin = i * curve.size() / points, end = (i + 1) * curve.size() / points;
        double sum = 0;
        size_t count = 0;
        for (size_t j = begin; j < end; ++j)
            if (std::isfinite(curve[j].second)) {
                sum += curve[j].second;
                ++count;
            }
        thin.emplace_back(curve[(begin + end - 1) / 2].first,
                          count ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN());
    }
    return thin;
}

Curve smoothed(const Curve& curve, double memory)
{
    Curve smooth;
    double sum = 0, weight = 0;
    for (const auto& [step, value] : curve) {
        if (!std::isfinite(value))
            continue;
        sum = sum * memory + value;
        weight = weight * memory + 1;
        smooth.emplace_back(step, sum / weight);
    }
    return smooth;
}

std::vector<double> ticks(double low, double high, int wanted)
{
    const double raw = (high - low) / std::max(1, wanted);
    if (!(raw > 0) || !std::isfinite(raw))
        return {low};
    const double power = std::pow(10, std::floor(std::log10(raw)));
    double step = power * 10;
    for (const double factor : {1.0, 2.0, 5.0})
        if (power * factor >= raw * 0.999) {
            step = power * factor;
            break;
        }
    std::vector<double> values;
    const double slack = step * 1e-9;
    for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i)
        values.push_back(i == 0 ? 0 : i * step);
    return values;
}

std::string chart_svg(const std::string& title, const std::map<std::string, Curve>& curves)
{
    std::map<std::string, Curve> shown;
    double first = std::numeric_limits<double>::infinity(), last = -first, low = first, high = -first;
    for (const auto& [name, curve] : curves) {
        shown[name] = thinned(curve, kPoints);
        for (const auto& [step, value] : shown[name]) {
            widen(static_cast<double>(step), first, last);
            widen(value, low, high);
        }
    }
    std::string html = "<figure><figcaption>" + html_escaped(title) + "</figcaption>";
    if (low > high)
        return html + "<p>no finite value</p></figure>\n";
    if (first == last)
        last = first + 1;
    if (low > 0 && low < 0.4 * high)
        low = 0;  // a scale that almost reaches zero should
    const double room = high > low ? 0.04 * (high - low) : std::max(1e-12, 0.5 * std::abs(high));
    const Scale x{first, last, kLeft, kWidth - kRight};
    const Scale y{low == 0 ? 0 : low - room, high + room, kHeight - kBottom, kTop};

    html += "<svg viewBox=\"0 0 560 230\" role=\"img\" aria-label=\"" + html_escaped(title) + "\"><g class=\"axis\">";
    for (const double tick : ticks(y.low, y.high, 5))
        html += "<path class=\"grid\" d=\"M" + number(kLeft) + " " + number(y(tick)) + "H" + number(kWidth - kRight) + "\"/>"
            + text_at(kLeft - 6, y(tick) + 4, "end", label(tick));
    for (const double tick : ticks(first, last, 6))
        html += text_at(x(tick), kHeight - 8, "middle", label(tick));
    html += "</g>";
    std::string legend;
    int colour = 0;
    for (const auto& [name, curve] : shown) {
        const std::string shade = "c" + std::to_string(colour++ % kColours);
        const std::string shown_name = html_escaped(name.empty() ? title : name);
        const bool smooth = curve.size() >= kSmoothFrom;
        html += "<path class=\"" + shade + (smooth ? " raw" : "") + "\" d=\"" + path(curve, x, y) + "\"><title>" + shown_name
            + "</title></path>";
        const Curve course = smooth ? smoothed(curve, 0.8) : curve;
        if (smooth)
            html += "<path class=\"" + shade + "\" d=\"" + path(course, x, y) + "\"><title>" + shown_name + "</title></path>";
        else if (curve.size() == 1 && std::isfinite(curve[0].second))
            html += "<circle class=\"" + shade + "\" r=\"3\" cx=\"" + number(x(static_cast<double>(curve[0].first))) + "\" cy=\""
                + number(y(curve[0].second)) + "\"/>";
        if (!course.empty())
            legend += "<li class=\"" + shade + "\">" + shown_name + " <b>" + label(course.back().second) + "</b></li>";
    }
    return html + "</svg><ul>" + legend + "</ul></figure>\n";
}

}  // namespace imprint::training
