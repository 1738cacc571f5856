// SPDX-License-Identifier: Apache-2.0
// See library_fixture.h.
#include "tests/index/library_fixture.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

namespace imprint::test {

Vectors random_vectors(std::mt19937& random, int count, int dim)
{
    std::normal_distribution<float> normal;
    Vectors vectors;
    vectors.dim = dim;
    for (int i = 0; i < count; ++i) {
        std::vector<float> row(static_cast<size_t>(dim));
        double squares = 0;
        for (float& value : row) {
            value = normal(random);
            squares += static_cast<double>(value) * value;
        }
        for (float& value : row)
            value = static_cast<float>(value / std::sqrt(squares));
        vectors.append(row);
    }
    return vectors;
}

const Vectors& bank()
{
    static const Vectors bank = [] {
        std::mt19937 random(64);
        return random_vectors(random, 64);
    }();
    return bank;
}

index::FileFacts facts(const std::filesystem::path& path, int64_t size)
{
    return {path, size, 1'700'000'000'123'456'789, 0xfedcba9876543210u, 42};
}

index::FileEntry entry(std::mt19937& random, const std::filesystem::path& path, media::Kind kind, int moments)
{
    index::FileEntry entry;
    entry.facts = facts(path);
    entry.probe.kind = kind;
    entry.probe.width = kind == media::Kind::Audio ? 0 : 640;
    entry.probe.height = kind == media::Kind::Audio ? 0 : 480;
    entry.probe.duration = kind == media::Kind::Image ? 0 : 5.0 * moments;
    entry.probe.has_sound = kind != media::Kind::Image;
    entry.probe.format = kind == media::Kind::Image ? "jpeg" : "ogg";
    if (kind == media::Kind::Image)
        entry.moments.push_back({Modality::Picture, {}, {}});
    for (int i = 0; kind != media::Kind::Image && i < moments; ++i) {
        if (kind == media::Kind::Video)
            entry.moments.push_back({Modality::Picture, 5.0 * i, 5.0 * i + 5});
        entry.moments.push_back({Modality::Sound, 5.0 * i, 5.0 * i + 5});
    }
    entry.vectors = random_vectors(random, static_cast<int>(entry.moments.size()));
    return entry;
}

int start_self(const std::vector<std::string>& arguments, int* output)
{
    std::string program = "/proc/self/exe";
    std::vector<char*> argv{program.data()};
    std::vector<std::string> copies = arguments;
    for (std::string& argument : copies)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2] = {-1, -1};
    if (output && ::pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t pid = -1;
    if (::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    if (output) {
        ::close(ends[1]);
        *output = ends[0];
    }
    return pid;
}

int wait_for(int pid)
{
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace imprint::test
