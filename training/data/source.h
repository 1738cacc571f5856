// SPDX-License-Identifier: Apache-2.0
// Where training data comes from: one interface over folders, manifests, shards and cached features.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace imprint::training {

/// A whole media file in memory, as a shard holds it.
struct MediaBytes {
    std::string data;
    std::string extension;  ///< "jpg", "mp4": a hint for people; what it is, its content decides
};

/// Values computed beforehand: one item of a safetensors file.
struct Features {
    std::vector<int64_t> shape;
    std::vector<float> values;  ///< row-major
};

struct Sample {
    std::string name;  ///< for logs: a path, "manifest.csv:17", "shard-0003.tar: 000123"
    std::variant<std::filesystem::path, MediaBytes, Features> media;
    std::vector<std::string> texts;  ///< captions, UTF-8; may be empty
    int label = -1;                  ///< index into classes(); −1: none
};

/// A fixed list of samples. Opening one checks all that can be checked without reading media, and throws Error with the file,
/// the row and the way out. const methods may be called from any thread.
class Source {
public:
    virtual ~Source() = default;
    virtual const std::string& name() const = 0;  ///< for logs and errors: the folder or file
    virtual int64_t size() const = 0;
    /// The sample at 0 … size() − 1. Throws Error(Malformed, Io, …) naming the sample where it cannot be read; the others are
    /// not concerned.
    virtual Sample sample(int64_t index) const = 0;
    /// Names of the classes that labels point into; empty where there are no labels.
    virtual const std::vector<std::string>& classes() const = 0;
};

}  // namespace imprint::training
