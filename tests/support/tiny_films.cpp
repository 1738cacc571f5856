// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_films.h"

#include <vips/vips.h>

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

namespace imprint::tests {

namespace fs = std::filesystem;

namespace {

constexpr int kEdge = 224;

}  // namespace

void make_tiny_films(const fs::path& root, std::vector<std::string>& texts, std::vector<std::string>& roles)
{
    vips_init("tests");
    std::ofstream videos(root / "videos.jsonl");
    int id = 0;
    for (const std::string way : {"left", "right", "still"}) {
        const auto first = static_cast<int>(texts.size());
        const std::string phrase = way == "still" ? "standing still" : "moving " + way;
        texts.insert(texts.end(), {"a square " + phrase, phrase});
        roles.insert(roles.end(), {"caption", "caption"});
        for (int place = 0; place < 4; ++place, ++id) {
            const fs::path folder = root / "films" / std::to_string(id);
            fs::create_directories(folder);
            for (int frame = 0; frame < 4; ++frame) {
                const int left = way == "still" ? 48 * place : 48 * (way == "right" ? frame : 3 - frame), top = 40 * place;
                std::vector<unsigned char> grey(kEdge * kEdge, 50);
                for (int y = top; y < std::min(top + 60, kEdge); ++y)
                    for (int x = left; x < std::min(left + 60, kEdge); ++x)
                        grey[static_cast<size_t>(y * kEdge + x)] = 250;
                VipsImage* picture = vips_image_new_from_memory(grey.data(), grey.size(), kEdge, kEdge, 1, VIPS_FORMAT_UCHAR);
                vips_jpegsave(picture, (folder / (std::to_string(frame) + ".jpg")).c_str(), nullptr);
                g_object_unref(picture);
            }
            videos << nlohmann::json{{"id", id},          {"path", fs::relative(folder, root).string()},
                                     {"kind", "video"},   {"source", "drawn"},
                                     {"role", "pair"},    {"split", "train"},
                                     {"label", "square"}, {"texts", {first, first + 1}},
                                     {"motion", way},     {"frames", 4}}
                          .dump()
                   << "\n";
        }
    }
}

}  // namespace imprint::tests
