// SPDX-License-Identifier: Apache-2.0
// A moment as a file of its own, for other programs.
#pragma once

#include <filesystem>
#include <string>

#include "core/media/decoder.h"

namespace imprint::jobs {

/// What a clip is called, without an ending: the file's name, and the span as "0m08.0s-1m12.5s".
std::string clip_name(const std::filesystem::path& file, double start, double end);

/// Cuts `start` to `end` seconds out of the file (Decoder::excerpt says how exactly) and writes it to `target`, the ending that
/// fits its content behind it. Folders are made. What stands there already is kept: the clip is then called "name (2)". Written
/// to a temporary name first. Returns where it is. Throws Error. Any thread.
std::filesystem::path save_clip(media::Decoder& decoder, const std::filesystem::path& file, double start, double end,
                                const std::filesystem::path& target, const CancelToken& cancel = {});

}  // namespace imprint::jobs
