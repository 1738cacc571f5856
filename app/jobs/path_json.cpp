// SPDX-License-Identifier: Apache-2.0
// See path_json.h.
#include "app/jobs/path_json.h"

namespace imprint::jobs {
namespace {

std::string base64(const std::string& bytes)
{
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        const size_t count = std::min<size_t>(3, bytes.size() - i);
        for (size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0);
        for (size_t j = 0; j < 4; ++j)
            text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

}  // namespace

std::string valid_text(const std::string& bytes)
{
    return Json::parse(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

void put_path(Json& object, const std::string& key, const std::filesystem::path& path)
{
    const std::string text = valid_text(path.native());
    object[key] = text;
    if (text != path.native())
        object[key + "_bytes"] = base64(path.native());
}

}  // namespace imprint::jobs
