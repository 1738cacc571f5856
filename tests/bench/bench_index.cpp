// SPDX-License-Identifier: Apache-2.0
// Indexing a folder of photos end to end, against decoding them alone plus encoding them alone, each on all cores; and
// the memory that the whole run holds, decoders included. Prints one JSON document.
//
//   bench_index FOLDER [IMPRINT]
//
// Exit: 0 within the aims (1.1 times the parts, 1.5 GiB), 1 not, 2 wrong usage, 3 cannot.
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "app/jobs/jobs.h"
#include "tests/bench/process_tree.h"

extern char** environ;

namespace
{

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kLongest = 1.1;
constexpr double kLargestGiB = 1.5;

double since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<fs::path> photos_in(const fs::path& folder)
{
    std::vector<fs::path> photos;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            photos.push_back(entry.path());
    std::sort(photos.begin(), photos.end());
    return photos;
}

/// Decodes all photos as the encoder wants them, on every processor, and keeps them.
std::vector<imprint::media::Picture> decode_all(const std::vector<fs::path>& photos, const imprint::media::Fit& fit)
{
    imprint::media::Decoder decoder;
    std::vector<imprint::media::Picture> pictures(photos.size());
    std::atomic<size_t> next{0};
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t)
        threads.emplace_back([&] {
            for (size_t i = next++; i < photos.size(); i = next++)
                pictures[i] = decoder.still(photos[i], fit);
        });
    threads.clear();
    return pictures;
}

struct Run {
    double seconds = 0;
    int status = 0;
    int64_t peak_resident = 0, peak_proportional = 0;
    int most_processes = 0;
};

Run index_end_to_end(const fs::path& imprint, const fs::path& folder, const fs::path& library)
{
    std::vector<std::string> words = {imprint.string(), "index", folder.string(), "--library", library.string()};
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    Run run;
    const auto start = Clock::now();
    pid_t child = 0;
    posix_spawn_file_actions_t actions; // our own standard output carries the figures alone
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    const int failed = posix_spawn(&child, imprint.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        imprint::throw_errno(failed, imprint.string(), "start");
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        const auto memory = imprint::bench::memory_of_tree(child);
        run.peak_resident = std::max(run.peak_resident, memory.resident);
        run.peak_proportional = std::max(run.peak_proportional, memory.proportional);
        run.most_processes = std::max(run.most_processes, memory.processes);
        std::this_thread::sleep_for(std::chrono::milliseconds(500)); // a look costs the run 20 ms of a processor
    }
    run.seconds = since(start);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

int measure(const fs::path& folder, const fs::path& imprint)
{
    const auto photos = photos_in(folder);
    double decoding = 0, encoding = 0;
    {
        imprint::Encoder encoder(imprint::jobs::default_checkpoint());
        auto start = Clock::now();
        const auto pictures = decode_all(photos, {encoder.picture_sizes()});
        decoding = since(start);
        encoder.encode_pictures(
            std::span(pictures).first(std::min<size_t>(64, pictures.size()))); // threads are chosen here
        start = Clock::now();
        encoder.encode_pictures(pictures);
        encoding = since(start);
    }
    const fs::path library = fs::temp_directory_path() / ("imprint-bench-" + std::to_string(getpid()));
    const Run run = index_end_to_end(imprint, folder, library);
    fs::remove_all(library);

    constexpr double gib = 1 << 30;
    const double ratio = run.seconds / (decoding + encoding);
    const double memory = static_cast<double>(run.peak_proportional) / gib;
    const nlohmann::json result
        = {{"photos", photos.size()}, {"decode_seconds", decoding}, {"encode_seconds", encoding},
            {"index_seconds", run.seconds}, {"ratio", ratio}, {"ratio_at_most", kLongest}, {"peak_gib", memory},
            {"peak_gib_at_most", kLargestGiB}, {"peak_resident_sum_gib", static_cast<double>(run.peak_resident) / gib},
            {"processes", run.most_processes}, {"index_exit", run.status}};
    std::printf("%s\n", result.dump(2).c_str());
    return run.status == 0 && ratio <= kLongest && memory <= kLargestGiB ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: bench_index FOLDER [IMPRINT]\n");
        return 2;
    }
    try {
        return measure(
            argv[1], argc > 2 ? fs::path(argv[2]) : fs::read_symlink("/proc/self/exe").parent_path() / "imprint");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_index: %s\n", error.what());
        return 3;
    }
}
