// SPDX-License-Identifier: Apache-2.0
// One slip is what stands between the longest common beginning and end.
#include "core/spelling.h"

#include <algorithm>

namespace imprint {
namespace {

/// OneMore, Changed, FirstLetter or Further.
Slip one_slip(std::string_view typed, std::string_view known)
{
    const auto beginning = std::mismatch(typed.begin(), typed.end(), known.begin(), known.end());
    const bool first = beginning.first == typed.begin();
    typed.remove_prefix(static_cast<size_t>(beginning.first - typed.begin()));
    known.remove_prefix(static_cast<size_t>(beginning.second - known.begin()));
    const auto end = std::mismatch(typed.rbegin(), typed.rend(), known.rbegin(), known.rend());
    typed.remove_suffix(static_cast<size_t>(end.first - typed.rbegin()));
    known.remove_suffix(static_cast<size_t>(end.second - known.rbegin()));
    const bool swapped = typed.size() == 2 && known.size() == 2 && typed[0] == known[1] && typed[1] == known[0];
    const bool changed = typed.size() == 1 && known.size() == 1;
    if (typed.size() + known.size() > 1 && !swapped && !changed)
        return Slip::Further;
    return first ? Slip::FirstLetter : changed ? Slip::Changed : Slip::OneMore;
}

}  // namespace

std::string sounded(std::string_view word)
{
    std::string sound;
    for (size_t i = 0; i < word.size(); ++i) {
        const bool ph = word.substr(i, 2) == "ph";
        const char letter = ph ? 'f' : word[i];
        i += ph ? 1 : 0;
        if (sound.empty() || sound.back() != letter)
            sound += letter;
    }
    return sound;
}

Slip slip(std::string_view typed, std::string_view typed_sound, std::string_view known)
{
    constexpr size_t kFurthest = 2;
    if (std::max(typed.size(), known.size()) - std::min(typed.size(), known.size()) > kFurthest)
        return Slip::Further;
    const std::string sound = sounded(known);
    if (typed_sound == sound)
        return Slip::SameSound;
    if (const Slip found = one_slip(typed, known); found != Slip::Further)
        return found;
    return typed.size() >= kLongWord && one_slip(typed_sound, sound) != Slip::Further ? Slip::NearSound : Slip::Further;
}

}  // namespace imprint
