// SPDX-License-Identifier: Apache-2.0
// Prints what our reader finds in shards, a JSON object a line: read_shards EXTENSION SHARD…
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "training/data/shard_source.h"

using namespace imprint::training;

int main(int argc, char** argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: read_shards EXTENSION SHARD...\n");
        return 2;
    }
    try {
        ShardOptions options;
        options.media_parts = {argv[1]};
        options.text_parts = {};
        const ShardSource source({argv + 2, argv + argc}, options);
        for (int64_t i = 0; i < source.size(); ++i) {
            nlohmann::json line = {{"index", i}};
            try {
                const Sample sample = source.sample(i);
                std::string hex;
                for (const char byte : std::get<MediaBytes>(sample.media).data) {
                    char digits[3];
                    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(byte));
                    hex += digits;
                }
                line["key"] = sample.name.substr(sample.name.find(": ") + 2);
                line["hex"] = hex;
            } catch (const imprint::Error& error) {
                line["error"] = error.reason();
            }
            std::puts(line.dump().c_str());
        }
        return 0;
    } catch (const imprint::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
