// SPDX-License-Identifier: Apache-2.0
// Vectors made of texts that are asked for again and again, kept beside the library: a hundred labels are two thousand sentences,
// seconds of work.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/jobs/jobs.h"

namespace imprint::jobs {

/// What `make` returns, or returned when it was last called for the same texts and the engine's model and precision. Kept in
/// <library>/prompts, a file for each of the kKeptPrompts used last; one that is not as it was written is made again. Where there
/// is no library, or it cannot be written, nothing is kept. Throws what `make` throws. Any thread.
Vectors kept_keys(Engine& engine, const std::vector<std::string>& texts, const std::function<Vectors()>& make);
inline constexpr size_t kKeptPrompts = 32;

}  // namespace imprint::jobs
