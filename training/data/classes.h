// SPDX-License-Identifier: Apache-2.0
// The closed set of classes of a source: given by the recipe, or gathered from the data.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace imprint::training {

class Classes {
public:
    Classes() = default;
    /// Error(Usage) naming a class that is empty or there twice.
    explicit Classes(std::vector<std::string> names);
    /// All distinct names, in byte order, so that the same data gives the same numbers anywhere.
    static Classes gathered(const std::vector<std::string>& labels);

    const std::vector<std::string>& names() const { return names_; }
    bool empty() const { return names_.empty(); }
    std::optional<int> find(const std::string& name) const;

    /// The number of a class by its name, or by the number itself where `name` is no class but a number in 0 … count − 1.
    /// Error(Malformed) for a label outside the set; `place` ("manifest.csv:17") is its subject.
    int number(const std::string& name, const std::string& place) const;
    /// Error(Malformed) naming the first class without a sample; `counts` has one entry a class.
    void refuse_empty(const std::vector<int64_t>& counts, const std::string& source) const;

private:
    std::vector<std::string> names_;
    std::map<std::string, int> numbers_;
};

}  // namespace imprint::training
