// SPDX-License-Identifier: Apache-2.0
// One frame a second of a 1080p H.264 video, scaled to the encoder's size: our decoder against the ffmpeg program on one
// thread, in processor time, which other programs on the machine hardly change. Prints one JSON document.
//
//   bench_video [SECONDS]
//
// Exit: 0 within the aim (1.3 times ffmpeg's time), 1 not, 3 cannot.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/media/decoder.h"

namespace {

namespace fs = std::filesystem;
using namespace imprint;

constexpr double kMost = 1.3;
constexpr int kRounds = 3;

/// Processor time of this process and of children that have ended.
double processor_seconds()
{
    double seconds = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const timeval& part : {usage.ru_utime, usage.ru_stime})
            seconds += static_cast<double>(part.tv_sec) + static_cast<double>(part.tv_usec) * 1e-6;
    }
    return seconds;
}

void run(const std::string& command)
{
    if (std::system(("ffmpeg -nostdin -v error -y " + command).c_str()) != 0)
        throw Error(ErrorKind::Io, "ffmpeg", "failed on: " + command);
}

double ours(const fs::path& video, int seconds)
{
    const double before = processor_seconds();
    {
        media::DecoderOptions options;
        options.workers = 1;
        media::Decoder decoder(options);
        for (int first = 0; first < seconds; first += 64) {
            std::vector<double> times;
            for (int i = first; i < std::min(first + 64, seconds); ++i)
                times.push_back(i + 0.5);
            decoder.frames(video, times, {{{224, 224}}, 0});
        }
    }  // the worker ends with its decoder, and its time is counted then
    return processor_seconds() - before;
}

double ffmpegs(const fs::path& video)
{
    const double before = processor_seconds();
    run("-threads 1 -i " + video.string() + " -an -vf \"select='eq(mod(n,25),12)',scale=224:224:flags=bicubic,format=rgb24\""
        + " -vsync 0 -f rawvideo /dev/null");
    return processor_seconds() - before;
}

}  // namespace

int main(int argc, char** argv)
{
    const int seconds = argc > 1 ? std::max(4, std::atoi(argv[1])) : 60;
    const fs::path folder = fs::temp_directory_path() / ("imprint-bench-video-" + std::to_string(::getpid()));
    nlohmann::ordered_json result{{"seconds", seconds}, {"ratio_at_most", kMost}};
    bool good = true;
    try {
        fs::create_directory(folder);
        for (const int gop : {25, 250}) {
            const fs::path video = folder / (std::to_string(gop) + ".mp4");
            run("-f lavfi -i testsrc2=s=1920x1080:r=25 -t " + std::to_string(seconds) + " -c:v libx264 -preset veryfast -g "
                + std::to_string(gop) + " -pix_fmt yuv420p " + video.string());
            double mine = 1e9, theirs = 1e9;
            for (int round = 0; round < kRounds; ++round) {
                mine = std::min(mine, ours(video, seconds));
                theirs = std::min(theirs, ffmpegs(video));
            }
            result["videos"].push_back({{"gop", gop}, {"ours", mine}, {"ffmpeg", theirs}, {"ratio", mine / theirs}});
            good = good && mine <= kMost * theirs;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        fs::remove_all(folder);
        return 3;
    }
    fs::remove_all(folder);
    std::printf("%s\n", result.dump(2).c_str());
    return good ? 0 : 1;
}
