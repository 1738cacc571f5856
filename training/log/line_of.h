// SPDX-License-Identifier: Apache-2.0
// A line for people, as printf writes it. (fmt stays out of files that see torch.)
#pragma once

#include <cstdio>
#include <string>

namespace imprint::training {

/// At most 511 bytes; longer ones are cut.
inline std::string line_of(const char* format, auto... values)
{
    char text[512];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

}  // namespace imprint::training
