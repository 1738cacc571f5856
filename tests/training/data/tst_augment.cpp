// SPDX-License-Identifier: Apache-2.0
// Augmentation: the same place gives the same in any order, every number stays in its range, and doing it does what it says.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "tests/training/data/files.h"
#include "training/data/augment.h"
#include "training/data/text_templates.h"

using namespace imprint;
using namespace imprint::training;
using test::thrown;
using test::write;

namespace {

ItemPlace place(int64_t draw, int64_t index = 0) { return {3, objective_key("picture-text"), draw, index}; }

media::Picture picture(int width, int height, const std::function<int(int, int, int)>& value)
{
    auto bytes = std::make_shared<std::vector<uint8_t>>();
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                bytes->push_back(static_cast<uint8_t>(value(x, y, c)));
    return {width, height, 0.25, {bytes->data(), bytes->size()}, bytes};
}

std::vector<uint8_t> bytes_of(const media::Picture& picture) { return {picture.rgb.begin(), picture.rgb.end()}; }

}  // namespace

class TestAugment : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_place_gives_the_same_in_any_order()
    {
        const AugmentOptions options;
        std::vector<Augmentation> forwards;
        for (int64_t i = 0; i < 500; ++i)
            forwards.push_back(draw_augmentation(options, {640, 480}, place(i / 10, i % 10)));
        for (int64_t i = 500; i-- > 0;)
            QVERIFY(draw_augmentation(options, {640, 480}, place(i / 10, i % 10)) == forwards[static_cast<size_t>(i)]);
        for (size_t i = 1; i < forwards.size(); ++i)
            QVERIFY(!(forwards[i] == forwards[i - 1]));
        ItemPlace other = place(0);
        other.seed = 4;
        QVERIFY(!(draw_augmentation(options, {640, 480}, other) == forwards[0]));
        other = place(0);
        other.objective = objective_key("clip-text");
        QVERIFY(!(draw_augmentation(options, {640, 480}, other) == forwards[0]));
    }

    void every_number_stays_in_its_range_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<bool>("area");  // a crop of half the area with an aspect of at most 2 exists
        QTest::newRow("4:3") << 640 << 480 << true;
        QTest::newRow("square") << 224 << 224 << true;
        QTest::newRow("upright") << 300 << 700 << true;
        QTest::newRow("panorama") << 2000 << 200 << false;
        QTest::newRow("one pixel") << 1 << 1 << true;
    }
    void every_number_stays_in_its_range()
    {
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(bool, area);
        const AugmentOptions options;
        int flipped = 0, coloured = 0;
        constexpr int draws = 4000;
        // A side is rounded to whole pixels, so its shares may be off by half of one.
        const double slack = 0.5 / std::min(width, height) * 2.5;
        for (int64_t i = 0; i < draws; ++i) {
            const Augmentation drawn = draw_augmentation(options, {width, height}, place(i));
            const Crop& crop = drawn.crop;
            QVERIFY(crop.left >= 0 && crop.top >= 0 && crop.width >= 1 && crop.height >= 1);
            QVERIFY(crop.left + crop.width <= width && crop.top + crop.height <= height);
            const double aspect = static_cast<double>(crop.width) / crop.height;
            QVERIFY(aspect >= 0.5 * (1 - slack) && aspect <= 2 * (1 + slack));
            if (area)
                QVERIFY(static_cast<double>(crop.width) * crop.height / (static_cast<double>(width) * height)
                        >= 0.5 * (1 - slack));
            flipped += drawn.flip;
            coloured += drawn.colour != Colour();
            QVERIFY(std::abs(drawn.colour.brightness) <= 32.0 / 255 && std::abs(drawn.colour.hue) <= 0.2);
            QVERIFY(std::abs(drawn.colour.contrast - 1) <= 0.4 && std::abs(drawn.colour.saturation - 1) <= 0.4);
        }
        QVERIFY(std::abs(flipped / double(draws) - 0.5) < 0.035);
        QVERIFY(std::abs(coloured / double(draws) - 0.8) < 0.03);
    }

    void crops_reach_everywhere()
    {
        int left = 640, right = 0, top = 480, bottom = 0;
        double least = 1, most = 0;
        for (int64_t i = 0; i < 2000; ++i) {
            const Crop crop = draw_augmentation({}, {640, 480}, place(i)).crop;
            left = std::min(left, crop.left);
            top = std::min(top, crop.top);
            right = std::max(right, crop.left + crop.width);
            bottom = std::max(bottom, crop.top + crop.height);
            const double share = crop.width * crop.height / (640.0 * 480);
            least = std::min(least, share);
            most = std::max(most, share);
        }
        QVERIFY(left == 0 && top == 0 && right == 640 && bottom == 480);
        QVERIFY(least < 0.52 && most > 0.93);
    }

    void captioned_video_is_only_cropped()
    {
        bool cropped = false;
        for (int64_t i = 0; i < 300; ++i) {
            const Augmentation drawn = draw_augmentation(AugmentOptions::captioned_video(), {640, 480}, place(i));
            QVERIFY(!drawn.flip && drawn.colour == Colour());
            cropped |= drawn.crop != Crop{0, 0, 640, 480};
        }
        QVERIFY(cropped);
    }

    void the_identity_keeps_every_byte()
    {
        std::mt19937 generator(1);
        const media::Picture noise = picture(19, 11, [&](int, int, int) { return static_cast<int>(generator() & 255); });
        Augmentation none;
        none.crop = {0, 0, 19, 11};
        const media::Picture same = augmented(noise, none, {19, 11});
        QCOMPARE(bytes_of(same), bytes_of(noise));
        QCOMPARE(same.time, 0.25);
        none.flip = true;
        const media::Picture once = augmented(noise, none, {19, 11});
        QVERIFY(bytes_of(once) != bytes_of(noise));
        QCOMPARE(bytes_of(augmented(once, none, {19, 11})), bytes_of(noise));
    }

    void a_crop_shows_its_part_resized()
    {
        const media::Picture ramp = picture(100, 60, [](int x, int y, int c) { return c == 0 ? 2 * x : c == 1 ? 4 * y : 7; });
        Augmentation drawn;
        drawn.crop = {20, 10, 40, 30};
        const media::Picture view = augmented(ramp, drawn, {20, 15});
        for (int y = 0; y < 15; ++y)
            for (int x = 0; x < 20; ++x) {
                const uint8_t* pixel = view.rgb.data() + (y * 20 + x) * 3;
                QCOMPARE(int(pixel[0]), 2 * (20 + 2 * x) + 1);  // between the two columns it stands for
                QCOMPARE(int(pixel[1]), 4 * (10 + 2 * y) + 2);
                QCOMPARE(int(pixel[2]), 7);
            }
        drawn.crop = {50, 0, 50, 60};
        const media::Picture larger = augmented(ramp, drawn, {150, 180});  // nothing from outside the crop at its edges
        QCOMPARE(int(larger.rgb[0]), 100);
        QCOMPARE(int(larger.rgb[149 * 3]), 198);
    }

    void colour_does_what_it_says()
    {
        const media::Picture grey = picture(8, 8, [](int x, int, int) { return 60 + x * 10; });
        Augmentation drawn;
        drawn.crop = {0, 0, 8, 8};
        drawn.colour.hue = 0.17;
        drawn.colour.saturation = 1.4;
        QCOMPARE(bytes_of(augmented(grey, drawn, {8, 8})), bytes_of(grey));  // grey has neither hue nor saturation

        drawn.colour = {};
        drawn.colour.brightness = 0.1;
        QCOMPARE(int(augmented(grey, drawn, {8, 8}).rgb[0]), 86);  // 60 + 25.5, rounded
        drawn.colour = {};
        drawn.colour.contrast = 0.6;  // around the mean, 95
        QCOMPARE(int(augmented(grey, drawn, {8, 8}).rgb[0]), 74);

        const media::Picture red = picture(4, 4, [](int, int, int c) { return c == 0 ? 160 : 60; });
        drawn.crop = {0, 0, 4, 4};
        drawn.colour = {};
        drawn.colour.saturation = 0.6;
        const media::Picture dull = augmented(red, drawn, {4, 4});
        QVERIFY(std::abs((dull.rgb[0] - dull.rgb[1]) - 60) <= 1);  // 100 · 0.6
        drawn.colour.saturation = 1;
        drawn.colour.hue = 1.0 / 3;
        const media::Picture turned = augmented(red, drawn, {4, 4});
        QVERIFY(std::max({turned.rgb[0], turned.rgb[1], turned.rgb[2]}) != turned.rgb[0]);  // no longer red
    }

    void all_frames_of_a_clip_share_one_change()
    {
        const media::Picture frame = picture(32, 24, [](int x, int y, int c) { return x * 3 + y * 2 + c * 20; });
        const std::vector<media::Picture> clip(3, frame);
        const Augmentation drawn = draw_augmentation({}, {32, 24}, place(1));
        const auto changed = augmented(clip, drawn, {16, 16});
        QCOMPARE(changed.size(), 3u);
        for (const auto& one : changed)
            QCOMPARE(bytes_of(one), bytes_of(augmented(frame, drawn, {16, 16})));
    }

    void evaluation_sees_the_middle()
    {
        // 256 → short side 288, so of 576 × 288 the middle 256 × 256 at scale 1.
        const media::Picture wide = picture(576, 288, [](int x, int y, int c) {
            return c == 0 ? x % 256 : c == 1 ? y % 256 : 0;
        });
        const media::Picture view = evaluation_view(wide, 256);
        QCOMPARE(view.width, 256);
        QCOMPARE(int(view.rgb[0]), (576 - 256) / 2);
        QCOMPARE(int(view.rgb[1]), (288 - 256) / 2);
    }

    void frames_are_a_stride_apart_and_inside_the_video()
    {
        const ClipOptions options;  // 16 frames, stride 2, 25 a second: 1.2 s
        double earliest = 1e9, latest = 0;
        for (int64_t i = 0; i < 2000; ++i) {
            const auto times = draw_frame_times(options, 10, place(i));
            QCOMPARE(times.size(), 16u);
            QVERIFY(times.front() >= 0 && times.back() <= 10 - 0.04 + 1e-9);
            for (size_t j = 1; j < times.size(); ++j)
                QVERIFY(std::abs(times[j] - times[j - 1] - 0.08) < 1e-9);
            QCOMPARE(draw_frame_times(options, 10, place(i)), times);
            earliest = std::min(earliest, times.front());
            latest = std::max(latest, times.back());
        }
        QVERIFY(earliest < 0.1 && latest > 9.8);
        const auto pressed = draw_frame_times(options, 0.5, place(0));
        QCOMPARE(pressed.front(), 0.0);
        QVERIFY(std::abs(pressed.back() - 0.46) < 1e-9);
        QCOMPARE(draw_frame_times(options, 0, place(0)), std::vector<double>(16, 0.0));
    }

    void evaluation_spreads_its_clips_evenly()
    {
        const ClipOptions options;
        QCOMPARE(evaluation_frame_times(options, 10, 0, 4).front(), 0.0);
        QVERIFY(std::abs(evaluation_frame_times(options, 10, 3, 4).back() - 9.96) < 1e-9);
        const double a = evaluation_frame_times(options, 10, 1, 4).front(), b = evaluation_frame_times(options, 10, 2, 4).front();
        QVERIFY(std::abs(b - 2 * a) < 1e-9);
        QVERIFY(std::abs(evaluation_frame_times(options, 10, 0, 1).front() - (9.96 - 1.2) / 2) < 1e-9);
    }

    void the_shipped_templates_read_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("count");
        for (const char* modality : {"picture", "video", "sound"})
            QTest::newRow(modality) << QString(modality) << 16;
        QTest::newRow("training, picture") << "training-picture" << 21;
        QTest::newRow("training, video") << "training-video" << 26;
        QTest::newRow("training, sound") << "training-sound" << 23;
    }
    void the_shipped_templates_read()
    {
        QFETCH(QString, name);
        const TextTemplates templates(QString(IMPRINT_SOURCE_DIR "/resources/prompts/%1.txt").arg(name).toStdString());
        QTEST(static_cast<int>(templates.lines().size()), "count");
        std::vector<std::string> lines = templates.lines();
        std::sort(lines.begin(), lines.end());
        QVERIFY(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
        for (const std::string& text : templates.all("polar_bear"))
            QVERIFY(text.find("polar bear") != std::string::npos && text.find('{') == std::string::npos);
    }

    void an_item_draws_one_template()
    {
        QTemporaryDir dir;
        const TextTemplates templates(write(dir, "t.txt", "# three\na {}\n\nthe {}!\n{}\n"));
        QCOMPARE(templates.all("owl"), (std::vector<std::string>{"a owl", "the owl!", "owl"}));
        std::map<std::string, int> seen;
        for (int64_t i = 0; i < 3000; ++i) {
            ++seen[templates.drawn("owl", place(i))];
            QCOMPARE(templates.drawn("owl", place(i)), templates.drawn("owl", place(i)));
        }
        QCOMPARE(seen.size(), 3u);
        for (const auto& [text, count] : seen)
            QVERIFY(std::abs(count - 1000) < 120);
        QVERIFY(thrown([&] { TextTemplates bad(write(dir, "b.txt", "a {}\nno gap\n")); }).contains("b.txt:2|does not hold {}"));
        QVERIFY(thrown([&] { TextTemplates bad(write(dir, "c.txt", "{} and {}\n")); }).contains("c.txt:1|"));
        QVERIFY(thrown([&] { TextTemplates bad(write(dir, "d.txt", "# nothing\n")); }).contains("no template"));
        QVERIFY(thrown([&] { TextTemplates bad(dir.filePath("none.txt").toStdString()); }).startsWith("not-found|"));
    }
};

QTEST_APPLESS_MAIN(TestAugment)
#include "tst_augment.moc"
