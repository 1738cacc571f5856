// SPDX-License-Identifier: Apache-2.0
// Still pictures: every format, orientation, depth and colour space comes out as the same upright 8-bit sRGB.
#include <QTest>

#include <vips/vips.h>

#include "media_tools.h"

using namespace imprint;
using namespace imprint::media;
using namespace imprint::media::test;
namespace fs = std::filesystem;

namespace
{

struct Rgb {
    int r, g, b;
};

constexpr Rgb kRed{255, 0, 0}, kGreen{0, 255, 0}, kBlue{0, 0, 255}, kWhite{255, 255, 255};

Rgb at(const Picture& picture, double x, double y)
{
    const auto* pixel = &picture.rgb[3 * (size_t(y * picture.height) * picture.width + size_t(x * picture.width))];
    return {pixel[0], pixel[1], pixel[2]};
}

bool near(Rgb a, Rgb b, int tolerance)
{
    return std::abs(a.r - b.r) <= tolerance && std::abs(a.g - b.g) <= tolerance && std::abs(a.b - b.b) <= tolerance;
}

std::string text(Rgb c)
{
    return std::to_string(c.r) + "," + std::to_string(c.g) + "," + std::to_string(c.b);
}

// Red, green over blue, white: the corners tell every orientation apart.
constexpr Rgb kCorners[4] = {kRed, kGreen, kBlue, kWhite};

VipsImage* corners(int width, int height)
{
    std::vector<uint8_t> pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const Rgb c = kCorners[(y >= height / 2) * 2 + (x >= width / 2)];
            for (int value : {c.r, c.g, c.b})
                pixels.push_back(static_cast<uint8_t>(value));
        }
    VipsImage* image
        = vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, 3, VIPS_FORMAT_UCHAR);
    VipsImage* tagged = nullptr;
    vips_copy(image, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
    g_object_unref(image);
    return tagged;
}

} // namespace

class Still : public QObject
{
    Q_OBJECT

    QTemporaryDir dir_;
    std::unique_ptr<Decoder> decoder_;

    QByteArray path(const char* name) const { return dir_.filePath(name).toUtf8(); }
    Picture decode(const QByteArray& file, const Fit& fit) { return decoder_->still(file.toStdString(), fit); }
    static bool save(VipsImage* image, const QByteArray& file)
    {
        const bool good = vips_image_write_to_file(image, file.constData(), nullptr) == 0;
        if (!good)
            qWarning("%s", vips_error_buffer());
        g_object_unref(image);
        return good;
    }
    static bool upright(const Picture& picture, int tolerance)
    {
        const double where[4][2] = {{.2, .2}, {.8, .2}, {.2, .8}, {.8, .8}};
        for (int i = 0; i < 4; ++i)
            if (const Rgb seen = at(picture, where[i][0], where[i][1]); !near(seen, kCorners[i], tolerance)) {
                qWarning("corner %d is %s", i, text(seen).c_str());
                return false;
            }
        return true;
    }

private Q_SLOTS:
    void initTestCase()
    {
        QCOMPARE(vips_init("tst_still"), 0);
        decoder_ = std::make_unique<Decoder>(options());
    }

    void every_format_gives_the_same_picture_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("format");
        QTest::addColumn<bool>("by_ffmpeg");
        QTest::newRow("JPEG") << QByteArray("a.jpg[Q=95]") << QByteArray("jpeg") << false;
        QTest::newRow("progressive JPEG") << QByteArray("p.jpg[Q=95,interlace]") << QByteArray("jpeg") << false;
        QTest::newRow("PNG") << QByteArray("a.png") << QByteArray("png") << false;
        QTest::newRow("interlaced PNG") << QByteArray("i.png[interlace]") << QByteArray("png") << false;
        QTest::newRow("palette PNG") << QByteArray("p.png[palette]") << QByteArray("png") << false;
        QTest::newRow("WebP") << QByteArray("a.webp[Q=95]") << QByteArray("webp") << false;
        QTest::newRow("GIF") << QByteArray("a.gif") << QByteArray("gif") << true;
        QTest::newRow("TIFF") << QByteArray("a.tif") << QByteArray("tiff") << false;
        QTest::newRow("tiled TIFF") << QByteArray("t.tif[tile,compression=deflate]") << QByteArray("tiff") << false;
        QTest::newRow("AVIF") << QByteArray("a.avif") << QByteArray("heif") << false;
        QTest::newRow("BMP") << QByteArray("a.bmp") << QByteArray("bmp") << true;
        QTest::newRow("PPM") << QByteArray("a.ppm") << QByteArray("ppm") << true;
        QTest::newRow("JPEG XL") << QByteArray("a.jxl") << QByteArray("jpegxl") << false;
        QTest::newRow("JPEG 2000") << QByteArray("a.jp2") << QByteArray("j2k") << false;
    }
    void every_format_gives_the_same_picture()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, format);
        QFETCH(bool, by_ffmpeg);
        const QByteArray plain = name.left(name.indexOf('[') < 0 ? name.size() : name.indexOf('['));
        if (by_ffmpeg) {
            QVERIFY(save(corners(96, 64), path("source.png")));
            QVERIFY(ffmpeg({"-i", path("source.png"), path(plain)}));
        } else {
            QVERIFY(save(corners(96, 64), path(name)));
        }
        const Probe probe = decoder_->probe(path(plain).toStdString());
        QCOMPARE(probe.kind, Kind::Image);
        QCOMPARE(QByteArray::fromStdString(probe.format), format);
        QCOMPARE(probe.width, 96);
        QCOMPARE(probe.height, 64);
        QCOMPARE(probe.duration, 0.0);
        QVERIFY(!probe.has_sound);
        const Picture picture = decode(path(plain), {});
        QCOMPARE(picture.width, 96);
        QCOMPARE(picture.height, 64);
        QVERIFY(upright(picture, 12));
    }

    void every_orientation_comes_out_upright_data()
    {
        QTest::addColumn<int>("orientation");
        for (int orientation = 1; orientation <= 8; ++orientation)
            QTest::addRow("%d", orientation) << orientation;
    }
    void every_orientation_comes_out_upright()
    {
        QFETCH(int, orientation);
        // How a camera held so would store the upright picture: EXIF's own definition, row and column first.
        VipsImage* image = corners(96, 64);
        const auto apply = [&](auto operation) {
            VipsImage* out = nullptr;
            operation(image, &out);
            g_object_unref(image);
            image = out;
        };
        const auto turn = [&](VipsAngle angle) {
            apply([&](VipsImage* in, VipsImage** out) { vips_rot(in, out, angle, nullptr); });
        };
        const auto mirror = [&] {
            apply([](VipsImage* in, VipsImage** out) { vips_flip(in, out, VIPS_DIRECTION_HORIZONTAL, nullptr); });
        };
        switch (orientation) {
        case 2:
            mirror();
            break;
        case 3:
            turn(VIPS_ANGLE_D180);
            break;
        case 4:
            mirror();
            turn(VIPS_ANGLE_D180);
            break;
        case 5:
            mirror();
            turn(VIPS_ANGLE_D270);
            break;
        case 6:
            turn(VIPS_ANGLE_D270);
            break;
        case 7:
            mirror();
            turn(VIPS_ANGLE_D90);
            break;
        case 8:
            turn(VIPS_ANGLE_D90);
            break;
        }
        vips_image_set_int(image, VIPS_META_ORIENTATION, orientation);
        QVERIFY(save(image, path("turned.jpg[Q=95]")));
        const Probe probe = decoder_->probe(path("turned.jpg").toStdString());
        QCOMPARE(probe.width, 96);
        QCOMPARE(probe.height, 64);
        QVERIFY(upright(decode(path("turned.jpg"), {}), 12));
        const Picture exact = decode(path("turned.jpg"), {{{20, 30}, {30, 20}}, 0});
        QCOMPARE(exact.width, 30);
        QVERIFY(upright(exact, 40));
    }

    void alpha_lies_over_white()
    {
        const uint8_t pixels[] = {255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 128, 0, 0, 0, 255};
        VipsImage* image = vips_image_new_from_memory_copy(pixels, sizeof pixels, 2, 2, 4, VIPS_FORMAT_UCHAR);
        image->Type = VIPS_INTERPRETATION_sRGB;
        QVERIFY(save(image, path("alpha.png")));
        const Picture picture = decode(path("alpha.png"), {});
        QVERIFY(near(at(picture, 0, 0), kRed, 1));
        QVERIFY2(near(at(picture, .5, 0), kWhite, 1), text(at(picture, .5, 0)).c_str());
        QVERIFY2(near(at(picture, 0, .5), {127, 127, 255}, 2), text(at(picture, 0, .5)).c_str());
        QVERIFY(near(at(picture, .5, .5), {0, 0, 0}, 1));
        QVERIFY(ffmpeg({"-i", path("alpha.png"), "-pix_fmt", "bgra", path("alpha.bmp")}));
        QVERIFY2(near(at(decode(path("alpha.bmp"), {}), .5, 0), kWhite, 1), "a BMP's alpha");
    }

    void a_cmyk_jpeg_has_its_colours()
    {
        VipsImage *rgb = corners(96, 64), *cmyk = nullptr;
        QCOMPARE(vips_icc_transform(rgb, &cmyk, "cmyk", "input_profile", "srgb", nullptr), 0);
        g_object_unref(rgb);
        QVERIFY(save(cmyk, path("cmyk.jpg[Q=95]")));
        const Picture picture = decode(path("cmyk.jpg"), {});
        const Rgb red = at(picture, .2, .2), white = at(picture, .8, .8), blue = at(picture, .2, .8);
        QVERIFY2(red.r > 200 && red.g < 90 && red.b < 90, text(red).c_str()); // printing inks are duller
        QVERIFY2(near(white, kWhite, 8), text(white).c_str());
        QVERIFY2(blue.b > 100 && blue.r < 90, text(blue).c_str());
    }

    void an_embedded_profile_is_converted_to_srgb()
    {
        VipsImage *srgb = corners(96, 64), *wide = nullptr;
        QCOMPARE(vips_icc_transform(srgb, &wide, "p3", "input_profile", "srgb", nullptr), 0);
        g_object_unref(srgb);
        double* pixel = nullptr;
        int bands = 0;
        QCOMPARE(vips_getpoint(wide, &pixel, &bands, 10, 10, nullptr), 0);
        QVERIFY(pixel[0] < 245 && pixel[1] > 30); // the numbers differ, so the profile has to be applied
        g_free(pixel);
        QVERIFY(save(wide, path("p3.png")));
        QVERIFY(upright(decode(path("p3.png"), {}), 6));
    }

    void sixteen_bits_and_grey_become_eight_bit_rgb_data()
    {
        QTest::addColumn<int>("bands");
        QTest::addColumn<bool>("deep");
        QTest::addColumn<QByteArray>("name");
        for (const char* name : {"depth.png", "depth.tif"})
            for (int bands : {1, 2, 3, 4})
                for (bool deep : {false, true})
                    QTest::addRow("%s, %d bands, %d bits", name, bands, deep ? 16 : 8)
                        << bands << deep << QByteArray(name);
    }
    void sixteen_bits_and_grey_become_eight_bit_rgb()
    {
        QFETCH(int, bands);
        QFETCH(bool, deep);
        QFETCH(QByteArray, name);
        std::vector<uint16_t> values;
        for (int i = 0; i < 64 * bands; ++i)
            values.push_back((bands % 2 == 0 && i % bands == bands - 1) ? 65535 : 200 * 257);
        std::vector<uint8_t> bytes;
        for (uint16_t value : values)
            bytes.push_back(static_cast<uint8_t>(value >> 8));
        VipsImage* image = deep
            ? vips_image_new_from_memory_copy(values.data(), values.size() * 2, 8, 8, bands, VIPS_FORMAT_USHORT)
            : vips_image_new_from_memory_copy(bytes.data(), bytes.size(), 8, 8, bands, VIPS_FORMAT_UCHAR);
        image->Type = bands < 3 ? (deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                                : (deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
        QVERIFY(save(image, path(name)));
        const Rgb seen = at(decode(path(name), {}), .5, .5);
        QVERIFY2(near(seen, {200, 200, 200}, 2), text(seen).c_str());
    }

    void an_exact_fit_takes_the_nearest_aspect_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("fitted_width");
        QTest::addColumn<int>("fitted_height");
        QTest::newRow("square") << 300 << 300 << 224 << 224;
        QTest::newRow("4:3") << 400 << 300 << 256 << 192;
        QTest::newRow("3:4") << 300 << 400 << 192 << 256;
        QTest::newRow("panorama") << 900 << 100 << 320 << 160;
        QTest::newRow("pillar") << 100 << 900 << 160 << 320;
        QTest::newRow("smaller than the fit") << 40 << 30 << 256 << 192;
    }
    void an_exact_fit_takes_the_nearest_aspect()
    {
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(int, fitted_width);
        QFETCH(int, fitted_height);
        QVERIFY(save(corners(width, height), path("aspect.png")));
        const Picture picture
            = decode(path("aspect.png"), {{{224, 224}, {256, 192}, {192, 256}, {320, 160}, {160, 320}}, 0});
        QCOMPARE(picture.width, fitted_width);
        QCOMPARE(picture.height, fitted_height);
        QCOMPARE(picture.rgb.size(), size_t(fitted_width * fitted_height * 3));
        QVERIFY(upright(picture, 12)); // the whole picture is seen: no corner is cut off
    }

    void max_side_shrinks_in_proportion_and_never_enlarges_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("shrunk_width");
        QTest::addColumn<int>("shrunk_height");
        QTest::newRow("wide") << 3000 << 2000 << 512 << 341;
        QTest::newRow("high") << 999 << 3000 << 170 << 512;
        QTest::newRow("small") << 300 << 20 << 300 << 20;
        QTest::newRow("a line") << 5000 << 2 << 512 << 1;
    }
    void max_side_shrinks_in_proportion_and_never_enlarges()
    {
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(int, shrunk_width);
        QFETCH(int, shrunk_height);
        for (const char* name : {"big.jpg", "big.png"}) {
            QVERIFY(save(corners(width, height), path(name)));
            const Picture picture = decode(path(name), {{}, 512});
            QCOMPARE(picture.width, shrunk_width);
            QCOMPARE(picture.height, shrunk_height);
            if (shrunk_height > 10)
                QVERIFY(upright(picture, 12));
        }
    }

    void the_time_it_was_taken_is_read()
    {
        VipsImage* image = corners(32, 32);
        vips_image_set_string(image, "exif-ifd2-DateTimeOriginal", "2012:03:04 05:06:07");
        QVERIFY(save(image, path("dated.jpg")));
        QCOMPARE(decoder_->probe(path("dated.jpg").toStdString()).taken_at.value_or(0), int64_t(1330837567));
        QVERIFY(save(corners(32, 32), path("undated.jpg")));
        QVERIFY(!decoder_->probe(path("undated.jpg").toStdString()).taken_at);
    }

    void an_animation_gives_its_first_picture()
    {
        QVERIFY(ffmpeg({"-f", "lavfi", "-i", "color=red:s=32x32:d=0.4:r=5", "-f", "lavfi", "-i",
            "color=blue:s=32x32:d=1:r=5", "-filter_complex", "[0][1]concat=n=2", path("moving.gif")}));
        QCOMPARE(decoder_->probe(path("moving.gif").toStdString()).kind, Kind::Image);
        QVERIFY(near(at(decode(path("moving.gif"), {}), .5, .5), kRed, 12));
    }
};

QTEST_GUILESS_MAIN(Still)
#include "tst_still.moc"
