// SPDX-License-Identifier: Apache-2.0
// Which examples are held back: by file, so that two moments of one video never stand on both sides, and from every class alike.
#pragma once

#include <cstdint>
#include <vector>

namespace imprint::training {

/// One example of a class: a moment of a file.
struct LabelledGroup {
    int label = 0;  ///< from 0
    int group = 0;  ///< its file
};

/// A part, 0 … parts − 1, for every example. A group lies in one part as a whole. The groups of each class (the class of a
/// group's first example) are dealt out in turn, part 0 first, in an order that the seed alone fixes; so of n groups of a class
/// part 0 gets ⌈n / parts⌉, and the parts of a class differ by one group at most.
std::vector<int> stratified_parts(const std::vector<LabelledGroup>& examples, int parts, uint64_t seed);

}  // namespace imprint::training
