// SPDX-License-Identifier: Apache-2.0
// proc(5), mountinfo, joined with udev's links by device name.
#include "app/jobs/volumes.h"

#include <fstream>
#include <map>
#include <sstream>

#include "app/jobs/scan.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

/// mountinfo writes blanks and backslashes as three octal digits.
std::string unescaped(const std::string& text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool octal = text[i] == '\\' && i + 3 < text.size() && text.find_first_not_of("01234567", i + 1) > i + 3;
        out += octal ? static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')) : text[i];
        i += octal ? 3 : 0;
    }
    return out;
}

std::map<fs::path, std::string> uuids_by_device(const fs::path& by_uuid)
{
    std::map<fs::path, std::string> uuids;
    std::error_code none;  // no such folder: no disk has a name
    for (const auto& link : fs::directory_iterator(by_uuid, none))
        if (const fs::path device = fs::canonical(link.path(), none); !none)
            uuids[device] = link.path().filename().native();
    return uuids;
}

fs::path joined(const fs::path& folder, const fs::path& relative) { return relative == "." ? folder : folder / relative; }

}  // namespace

Volumes::Volumes(const fs::path& mountinfo, const fs::path& by_uuid)
{
    const std::map<fs::path, std::string> uuids = uuids_by_device(by_uuid);
    std::ifstream in(mountinfo);
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        std::string id, parent, numbers, root, point, word, type, source;
        fields >> id >> parent >> numbers >> root >> point;
        while (fields >> word && word != "-")
            ;
        fields >> type >> source;
        std::error_code none;
        const fs::path device = fs::canonical(unescaped(source), none);
        const auto uuid = none ? uuids.end() : uuids.find(device);
        mounts_.push_back({unescaped(point), unescaped(root), uuid == uuids.end() ? std::string() : uuid->second});
    }
}

std::optional<index::VolumePlace> Volumes::place_of(const fs::path& path) const
{
    // The deepest mount shows the path; of several at one point the last one covers the others.
    const Mount* found = nullptr;
    for (const Mount& mount : mounts_)
        if (is_below(path, mount.point) && (!found || mount.point.native().size() >= found->point.native().size()))
            found = &mount;
    if (!found || found->uuid.empty())
        return std::nullopt;
    return index::VolumePlace{found->uuid, joined(found->root, path.lexically_relative(found->point))};
}

std::optional<fs::path> Volumes::find(const index::VolumePlace& place) const
{
    for (const Mount& mount : mounts_) {
        if (mount.uuid != place.volume || !is_below(place.place, mount.root))
            continue;
        const fs::path path = joined(mount.point, place.place.lexically_relative(mount.root));
        std::error_code away;
        if (fs::exists(path, away))
            return path;
    }
    return std::nullopt;
}

}  // namespace imprint::jobs
