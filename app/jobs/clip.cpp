// SPDX-License-Identifier: Apache-2.0
// The decoder cuts; here it is named and put to disk.
#include "app/jobs/clip.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "core/base/error.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

std::string time_name(double seconds)
{
    const auto tenths = static_cast<long long>(std::llround(seconds * 10));
    char text[48];
    std::snprintf(text, sizeof text, "%lldm%02lld.%llds", tenths / 600, tenths / 10 % 60, tenths % 10);
    return text;
}

fs::path free_name(const fs::path& target, const std::string& ending)
{
    const std::string base = target.extension() == '.' + ending ? fs::path(target).replace_extension().native() : target.native();
    fs::path name = base + '.' + ending;
    std::error_code ignored;
    for (int number = 2; fs::exists(fs::symlink_status(name, ignored)); ++number)
        name = base + " (" + std::to_string(number) + ")." + ending;
    return name;
}

}  // namespace

std::string clip_name(const fs::path& file, double start, double end)
{
    return file.stem().native() + ' ' + time_name(start) + '-' + time_name(end);
}

fs::path save_clip(media::Decoder& decoder, const fs::path& file, double start, double end, const fs::path& target,
                   const CancelToken& cancel)
{
    const media::Excerpt excerpt = decoder.excerpt(file, start, end, cancel);
    std::error_code failure;
    if (target.has_parent_path())
        fs::create_directories(target.parent_path(), failure);
    if (failure)
        throw_errno(failure.value(), target.parent_path().native(), "make the folder");
    const fs::path place = free_name(target, excerpt.ending), temporary = place.native() + ".part";
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(excerpt.bytes.data()), static_cast<std::streamsize>(excerpt.bytes.size()));
    out.close();
    if (!out)
        failure.assign(errno ? errno : EIO, std::generic_category());
    else
        fs::rename(temporary, place, failure);
    if (failure) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        throw_errno(failure.value(), place.native(), "write the clip");
    }
    return place;
}

}  // namespace imprint::jobs
