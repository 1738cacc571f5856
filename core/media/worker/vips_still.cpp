// SPDX-License-Identifier: Apache-2.0
// libvips reads from the descriptor, shrinks while loading and knows orientation, ICC, CMYK and 16 bits.
#include "core/media/worker/vips_still.h"

#include <unistd.h>
#include <vips/vips.h>

#include <cstring>
#include <memory>

#include "core/base/error.h"
#include "core/media/worker/fitting.h"
#include "core/media/worker/metadata_time.h"
#include "core/media/worker/output.h"

namespace imprint::media
{
namespace
{

struct Unref {
    void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Ref = std::unique_ptr<T, Unref>;

// libvips collects its complaints in one buffer, a line each; the first line is nearest to the cause.
[[noreturn]] void throw_vips(const char* doing)
{
    std::string text = vips_error_buffer();
    vips_error_clear();
    const std::string whole = text;
    text.resize(std::min(text.find('\n'), text.size()));
    if (const size_t colon = text.find(": "); colon != std::string::npos)
        text.erase(0, colon + 2);
    if (whole.find("out of memory") != std::string::npos || whole.find("allocate") != std::string::npos)
        throw Error(ErrorKind::LimitExceeded, "", "needs more memory to decode than a decoder may use");
    if (whole.find("nsupported") != std::string::npos || whole.find("not supported") != std::string::npos)
        throw Error(ErrorKind::Unsupported, "", "is of a variety that is not read (" + text + ")");
    throw Error(ErrorKind::Malformed, "", std::string(doing) + (text.empty() ? "" : " (" + text + ")"));
}

Ref<VipsSource> open_source(const Input& input)
{
    // The descriptor's offset is wherever the last reader left it.
    lseek(input.descriptor(), 0, SEEK_SET);
    Ref<VipsSource> source(vips_source_new_from_descriptor(input.descriptor()));
    if (!source)
        throw_vips("cannot be read");
    return source;
}

std::optional<std::string> string_field(VipsImage* image, const char* name)
{
    char* text = nullptr;
    if (!vips_image_get_typeof(image, name) || vips_image_get_as_string(image, name, &text) != 0) {
        vips_error_clear();
        return std::nullopt;
    }
    std::string result = text;
    g_free(text);
    return result;
}

std::optional<int64_t> exif_time(VipsImage* image)
{
    for (const auto& [time, offset] : {std::pair{"exif-ifd2-DateTimeOriginal", "exif-ifd2-OffsetTimeOriginal"},
             std::pair{"exif-ifd2-DateTimeDigitized", "exif-ifd2-OffsetTimeDigitized"},
             std::pair{"exif-ifd0-DateTime", "exif-ifd2-OffsetTime"}})
        if (const auto text = string_field(image, time))
            if (const auto seconds = parse_exif_time(*text, string_field(image, offset).value_or("")))
                return seconds;
    return std::nullopt;
}

// Any image of any depth to three 8-bit sRGB bands.
Ref<VipsImage> to_rgb(Ref<VipsImage> image)
{
    VipsImage* out = nullptr;
    if (vips_image_get_interpretation(image.get()) != VIPS_INTERPRETATION_sRGB) {
        if (vips_colourspace(image.get(), &out, VIPS_INTERPRETATION_sRGB, nullptr) != 0)
            throw_vips("has colours that cannot be converted");
        image.reset(out);
    }
    if (vips_image_hasalpha(image.get())) {
        const double white[] = {255, 255, 255};
        VipsArrayDouble* background = vips_array_double_new(white, 3);
        const int failed = vips_flatten(image.get(), &out, "background", background, nullptr);
        vips_area_unref(VIPS_AREA(background));
        if (failed)
            throw_vips("has an alpha channel that cannot be flattened");
        image.reset(out);
    }
    if (image->Bands > 3) {
        if (vips_extract_band(image.get(), &out, 0, "n", 3, nullptr) != 0)
            throw_vips("has bands that cannot be read");
        image.reset(out);
    }
    if (image->BandFmt != VIPS_FORMAT_UCHAR) {
        if (vips_cast_uchar(image.get(), &out, nullptr) != 0)
            throw_vips("has samples that cannot be converted");
        image.reset(out);
    }
    if (image->Bands != 3)
        throw Error(ErrorKind::Unsupported, "", "has " + std::to_string(image->Bands) + " colour bands");
    return image;
}

using Pixels = std::unique_ptr<void, decltype(&g_free)>;

// Null, with the reason in libvips' error buffer, when the picture cannot be decoded.
Pixels thumbnail(const Input& input, Size size, bool through_profile, size_t& bytes)
{
    const Ref<VipsSource> source = open_source(input);
    VipsImage* out = nullptr;
    // vips_thumbnail_source() of 8.14 forgets its own "fail_on"; the loader's option string still reaches the loader.
    constexpr const char* kLoader = "[fail_on=truncated]";
    const int failed = through_profile ? vips_thumbnail_source(source.get(), &out, size.width, "height", size.height,
                           "size", VIPS_SIZE_FORCE, "option_string", kLoader, "export_profile", "srgb", nullptr)
                                       : vips_thumbnail_source(source.get(), &out, size.width, "height", size.height,
                                           "size", VIPS_SIZE_FORCE, "option_string", kLoader, nullptr);
    if (failed)
        return Pixels(nullptr, g_free);
    const Ref<VipsImage> image = to_rgb(Ref<VipsImage>(out));
    Pixels pixels(vips_image_write_to_memory(image.get(), &bytes), g_free);
    if (pixels
        && (image->Xsize != size.width || image->Ysize != size.height || bytes != size_t(size.width) * size.height * 3))
        throw Error(ErrorKind::Malformed, "", "was scaled to an unexpected size");
    return pixels;
}

} // namespace

std::optional<std::string> sniff_vips_still(const Input& input)
{
    static constexpr const char* kLoaders[][2]
        = {{"VipsForeignLoadJpegSource", "jpeg"}, {"VipsForeignLoadPngSource", "png"},
            {"VipsForeignLoadWebpSource", "webp"}, {"VipsForeignLoadNsgifSource", "gif"},
            {"VipsForeignLoadTiffSource", "tiff"}, {"VipsForeignLoadHeifSource", "heif"}};
    const Ref<VipsSource> source = open_source(input);
    const char* loader = vips_foreign_find_load_source(source.get());
    vips_error_clear();
    for (const auto& [name, format] : kLoaders)
        if (loader && std::strcmp(loader, name) == 0)
            return format;
    return std::nullopt;
}

StillHeader read_vips_header(const Input& input, const std::string& format, int64_t max_pixels)
{
    const Ref<VipsSource> source = open_source(input);
    const Ref<VipsImage> image(vips_image_new_from_source(
        source.get(), "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, nullptr));
    if (!image)
        throw_vips("is damaged: its header cannot be read");
    StillHeader header;
    header.format = format;
    header.width = image->Xsize;
    header.height = image->Ysize;
    if (vips_image_get_orientation(image.get()) >= 5)
        std::swap(header.width, header.height);
    header.needs_profile = vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0
        || vips_image_get_interpretation(image.get()) == VIPS_INTERPRETATION_CMYK;
    header.taken_at = exif_time(image.get());
    if (int64_t(header.width) * header.height > max_pixels)
        throw Error(ErrorKind::LimitExceeded, "",
            "has " + std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels, more than the "
                + std::to_string(max_pixels / 1'000'000) + " million allowed");
    return header;
}

int decode_vips_still(
    const Input& input, const StillHeader& header, const protocol::Request& request, protocol::Reply& reply)
{
    const Size size = fitted_size(header.width, header.height, request);
    // A profile that does not fit the picture is no reason to lose the picture.
    size_t bytes = 0;
    Pixels pixels = header.needs_profile ? thumbnail(input, size, true, bytes) : Pixels(nullptr, g_free);
    if (!pixels && header.needs_profile && !std::strstr(vips_error_buffer(), "rofile"))
        throw_vips("is damaged");
    vips_error_clear();
    if (!pixels)
        pixels = thumbnail(input, size, false, bytes);
    if (!pixels)
        throw_vips("is damaged");
    Output output(bytes);
    std::memcpy(output.data(), pixels.get(), bytes);
    reply.width = size.width;
    reply.height = size.height;
    reply.picture_count = 1;
    return output.seal();
}

} // namespace imprint::media
