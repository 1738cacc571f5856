// SPDX-License-Identifier: Apache-2.0
// Made-up files with random unit vectors, and children of the test that meet a library in a process of their own.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "index/library.h"

namespace imprint::test {

inline constexpr int kDim = 32;
inline const std::string kSpace = "test-model/0123456789ab/32";

Vectors random_vectors(std::mt19937& random, int count, int dim = kDim);
/// 64 texts, the same every time.
const Vectors& bank();

index::FileFacts facts(const std::filesystem::path& path, int64_t size = 1000);
/// An image has one picture moment, a sound `moments` sound moments, a video `moments` of each.
index::FileEntry entry(std::mt19937& random, const std::filesystem::path& path, media::Kind kind = media::Kind::Image,
                       int moments = 1);

/// Runs this test program anew with the given arguments; returns its pid. Its standard output can be read from `output`.
int start_self(const std::vector<std::string>& arguments, int* output = nullptr);
/// Waits for it; the exit status, or minus the signal that ended it.
int wait_for(int pid);

}  // namespace imprint::test
