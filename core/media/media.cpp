// SPDX-License-Identifier: Apache-2.0
// Names of the kinds of media.
#include "core/media/media.h"

namespace imprint::media
{

const char* kind_name(Kind kind)
{
    switch (kind) {
    case Kind::Image:
        return "image";
    case Kind::Video:
        return "video";
    case Kind::Audio:
        return "audio";
    }
    return "image";
}

std::optional<Kind> kind_from_name(const std::string& name)
{
    for (Kind kind : {Kind::Image, Kind::Video, Kind::Audio})
        if (name == kind_name(kind))
            return kind;
    return std::nullopt;
}

} // namespace imprint::media
