// SPDX-License-Identifier: Apache-2.0
// Curves as inline SVG: no script, no font, no file beside it; light and dark by the page's style.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "training/log/run_metrics.h"

namespace imprint::training {

/// The text with &, <, > and quotes written so that HTML shows them. Bytes that are no UTF-8 stay as they are.
std::string html_escaped(const std::string& text);

/// At most `points` points, each the mean of equally many neighbours; the curve itself where it is short enough.
Curve thinned(const Curve& curve, size_t points);
/// The running mean that gives each earlier value `memory` times the weight of the one after it; starts without bias.
Curve smoothed(const Curve& curve, double memory);

/// Round values inside low … high, about `wanted` of them, at distances of 1, 2 or 5 · 10^n.
std::vector<double> ticks(double low, double high, int wanted);

/// One `<figure>` with a caption, axes, a curve per entry (long ones thinned, with their smoothed course on top) and a legend
/// with each one's last value. Not finite values leave gaps.
std::string chart_svg(const std::string& title, const std::map<std::string, Curve>& curves);

}  // namespace imprint::training
