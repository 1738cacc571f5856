// SPDX-License-Identifier: Apache-2.0
// One pass over the text.
#include "training/data/csv.h"

#include <utility>

#include "core/base/error.h"

namespace imprint::training {

std::vector<CsvRow> parse_csv(std::string_view text, char delimiter, const std::string& subject)
{
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    std::vector<CsvRow> rows;
    CsvRow row{1, {}};
    std::string field;
    int64_t line = 1;
    const auto refuse = [&](int64_t at, const char* reason) {
        throw Error(ErrorKind::Malformed, subject + ":" + std::to_string(at), reason,
                    "Quote the whole field and double the quotes inside it");
    };
    const auto end_row = [&] {
        if (!row.fields.empty() || !field.empty()) {
            row.fields.push_back(std::move(field));
            rows.push_back(std::move(row));
        }
        field.clear();
        row = {line, {}};
    };
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            const int64_t opened = line;
            if (!field.empty())
                refuse(line, "a quote stands inside a field that does not begin with one");
            for (++i; i < text.size() && !(text[i] == '"' && !text.substr(i + 1).starts_with('"')); ++i) {
                i += text[i] == '"';  // a doubled quote stands for one
                line += text[i] == '\n';
                field += text[i];
            }
            if (i >= text.size())
                refuse(opened, "a quoted field never ends");
            const std::string_view after = text.substr(i + 1);
            if (!after.empty() && after[0] != delimiter && after[0] != '\n' && !after.starts_with("\r\n"))
                refuse(line, "a quoted field goes on behind its closing quote");
        } else if (text[i] == delimiter) {
            row.fields.push_back(std::move(field));
            field.clear();
        } else if (text[i] == '\n') {
            if (!field.empty() && field.back() == '\r')
                field.pop_back();
            ++line;
            end_row();
        } else {
            field += text[i];
        }
    }
    end_row();
    return rows;
}

}  // namespace imprint::training
