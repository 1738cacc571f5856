// SPDX-License-Identifier: Apache-2.0
// Names to numbers.
#include "training/data/classes.h"

#include <charconv>
#include <set>

#include "core/base/error.h"

namespace imprint::training {

Classes::Classes(std::vector<std::string> names) : names_(std::move(names))
{
    for (size_t i = 0; i < names_.size(); ++i) {
        if (names_[i].empty())
            throw Error(ErrorKind::Usage, "class " + std::to_string(i), "has no name", "Name every class");
        if (!numbers_.emplace(names_[i], static_cast<int>(i)).second)
            throw Error(ErrorKind::Usage, "class \"" + names_[i] + "\"", "is listed twice", "List every class once");
    }
}

Classes Classes::gathered(const std::vector<std::string>& labels)
{
    const std::set<std::string> distinct(labels.begin(), labels.end());
    return Classes({distinct.begin(), distinct.end()});
}

std::optional<int> Classes::find(const std::string& name) const
{
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

int Classes::number(const std::string& name, const std::string& place) const
{
    if (const auto found = find(name))
        return *found;
    int number = -1;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failure == std::errc() && end == name.data() + name.size() && number >= 0 && number < static_cast<int>(names_.size()))
        return number;
    throw Error(ErrorKind::Malformed, place,
                "the label \"" + name + "\" is none of the " + std::to_string(names_.size()) + " classes",
                "Correct the label, or add it to the classes");
}

void Classes::refuse_empty(const std::vector<int64_t>& counts, const std::string& source) const
{
    IMPRINT_ASSERT(counts.size() == names_.size());
    for (size_t i = 0; i < counts.size(); ++i)
        if (counts[i] == 0)
            throw Error(ErrorKind::Malformed, source, "the class \"" + names_[i] + "\" has no sample",
                        "Add samples of it, or take it out of the classes");
}

}  // namespace imprint::training
