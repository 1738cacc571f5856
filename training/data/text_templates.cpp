// SPDX-License-Identifier: Apache-2.0
// Reading and filling templates.
#include "training/data/text_templates.h"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "core/base/error.h"

namespace imprint::training {
namespace {

constexpr uint64_t kTemplatePurpose = 0x7e37;

std::string filled(const std::string& line, const std::string& class_name)
{
    const size_t gap = line.find("{}");
    return line.substr(0, gap) + class_words(class_name) + line.substr(gap + 2);
}

}  // namespace

TextTemplates::TextTemplates(const std::filesystem::path& file)
{
    errno = 0;
    std::ifstream in(file);
    if (!in)
        throw_errno(errno ? errno : EIO, file.string(), "read the templates");
    int64_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() || line[0] == '#')
            continue;
        const size_t gap = line.find("{}");
        if (gap == std::string::npos || line.find("{}", gap + 2) != std::string::npos)
            throw Error(ErrorKind::Malformed, file.string() + ":" + std::to_string(number), "does not hold {} exactly once",
                        "{} is where the class name goes");
        lines_.push_back(line);
    }
    if (lines_.empty())
        throw Error(ErrorKind::Malformed, file.string(), "holds no template",
                    "Write one a line, with {} where the class name goes");
}

std::vector<std::string> TextTemplates::all(const std::string& class_name) const
{
    std::vector<std::string> texts;
    for (const std::string& line : lines_)
        texts.push_back(filled(line, class_name));
    return texts;
}

std::string TextTemplates::drawn(const std::string& class_name, const ItemPlace& place) const
{
    Draws draws = item_draws(place, kTemplatePurpose);
    return filled(lines_[static_cast<size_t>(draws.below(static_cast<int64_t>(lines_.size())))], class_name);
}

std::string class_words(const std::string& class_name)
{
    std::string words = class_name;
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

}  // namespace imprint::training
