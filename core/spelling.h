// SPDX-License-Identifier: Apache-2.0
// Slips of the fingers and the ear between a word as typed and a word that is known.
#pragma once

#include <string>
#include <string_view>

namespace imprint {

/// Which slip leads from a known word to the typed one, the likeliest first.
enum class Slip {
    SameSound,    ///< as sounded() they are one word: a letter doubled or not, f for ph
    OneMore,      ///< a letter left out or put in, or two neighbours swapped
    Changed,      ///< a letter changed
    FirstLetter,  ///< any of these two in the first letter, which people seldom miss
    NearSound,    ///< one of the slips above between what they sound like, in words of kLongWord letters or more
    Further       ///< none of these
};

/// Letters of words in which a second slip is forgiven where it is one of sound.
inline constexpr size_t kLongWord = 7;

/// Doubled letters once, and f for ph. Words are in lower case, here and below.
std::string sounded(std::string_view word);

/// `typed_sound`: sounded(typed). Words that differ in length by three or more are Further. Works on bytes: a sign outside
/// ASCII counts as several letters.
Slip slip(std::string_view typed, std::string_view typed_sound, std::string_view known);

}  // namespace imprint
