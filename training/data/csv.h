// SPDX-License-Identifier: Apache-2.0
// Comma-separated values as RFC 4180 writes them, with the line on which each row begins.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imprint::training {

struct CsvRow {
    int64_t line = 0;  ///< from 1
    std::vector<std::string> fields;
};

/// Quoted fields may hold the delimiter, line ends and doubled quotes; lines end with LF or CRLF; a byte-order mark and empty
/// lines are left out. Error(Malformed) with `subject`:line for a quote that never ends or that stands inside a field.
std::vector<CsvRow> parse_csv(std::string_view text, char delimiter, const std::string& subject);

}  // namespace imprint::training
