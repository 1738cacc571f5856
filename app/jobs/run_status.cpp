// SPDX-License-Identifier: Apache-2.0
// A process counts as the holder only while it has the lock's file open: numbers of processes are given out again.
#include "app/jobs/run_status.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <fstream>

#include "core/base/error.h"

namespace imprint::jobs {

namespace fs = std::filesystem;

namespace {

constexpr size_t log_lines = 4, log_bytes = 4096;

bool holds(pid_t process, const fs::path& lock)
{
    std::error_code failure;
    const fs::path wanted = fs::canonical(lock, failure);
    if (failure)
        return false;
    fs::directory_iterator open("/proc/" + std::to_string(process) + "/fd", failure);
    for (; !failure && open != fs::directory_iterator(); open.increment(failure)) {
        std::error_code gone;
        if (fs::read_symlink(open->path(), gone) == wanted)
            return true;
    }
    return false;
}

/// "process 123 on host", as FolderLock writes it.
void read_lock(const fs::path& lock, RunStatus& status)
{
    std::string word, on;
    pid_t process = 0;
    {
        std::ifstream in(lock);  // closed again: this process must not be taken for the holder
        if (!(in >> word >> process >> on >> status.host) || word != "process" || on != "on")
            return;
    }
    char here[64] = {};
    ::gethostname(here, sizeof here - 1);
    status.elsewhere = status.host != here;
    if (process > 0 && status.host == here && holds(process, lock))
        status.process = process;
}

std::optional<int64_t> newest_state(const fs::path& run)
{
    std::optional<int64_t> newest;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints", none)) {
        const std::string name = entry.path().filename().string();
        int64_t step = 0;
        if (!name.starts_with("step-"))
            continue;
        const auto [end, wrong] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
        if (wrong == std::errc() && end == name.data() + name.size())
            newest = std::max(newest.value_or(step), step);
    }
    return newest;
}

std::string last_lines(const fs::path& log)
{
    std::ifstream in(log, std::ios::binary | std::ios::ate);
    if (!in)
        return {};
    const auto size = static_cast<size_t>(in.tellg());
    in.seekg(static_cast<std::streamoff>(size - std::min(size, log_bytes)));
    std::deque<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) {
            lines.push_back(line);
            if (lines.size() > log_lines)
                lines.pop_front();
        }
    std::string text;
    for (const std::string& line : lines)
        text += (text.empty() ? "" : "\n") + line;
    return text;
}

}  // namespace

RunStatus run_status(const fs::path& run)
{
    RunStatus status;
    read_lock(run / "lock", status);
    status.saved_step = newest_state(run);
    status.last_words = last_lines(run / kRunLog);
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(run, none))
        if (entry.path().extension() == ".safetensors")
            status.checkpoint = entry.path();
    return status;
}

bool stop_run(const fs::path& run)
{
    const RunStatus status = run_status(run);
    return status.process && ::kill(*status.process, SIGTERM) == 0;
}

std::vector<std::string> train_command(const fs::path& recipe, const fs::path& run, bool resume)
{
    std::error_code failure;
    const fs::path folder = fs::read_symlink("/proc/self/exe", failure).parent_path();
    // Tests live one folder beside the programs.
    for (const fs::path& program : {folder / "imprint", folder / "../bin/imprint"})
        if (fs::is_regular_file(program, failure)) {
            std::vector<std::string> words{program.lexically_normal(), "train", recipe, "--run", run};
            if (resume)
                words.push_back("--resume");
            return words;
        }
    throw Error(ErrorKind::NotFound, (folder / "imprint").string(), "the command that trains is not beside the window",
                "Install Imprint anew, or start `imprint train` yourself and open its folder");
}

fs::path free_run_folder(const fs::path& parent, const std::string& name)
{
    std::error_code failure;
    fs::path folder = parent / name;
    for (int number = 2; fs::exists(folder, failure); ++number)
        folder = parent / (name + "-" + std::to_string(number));
    return folder;
}

std::vector<fs::path> runs_in(const fs::path& parent)
{
    std::vector<std::pair<fs::file_time_type, fs::path>> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(parent, none)) {
        std::error_code unseen;
        const fs::path metrics = entry.path() / "metrics.jsonl";
        const fs::path sign = fs::exists(metrics, unseen) ? metrics : entry.path() / "lock";
        const auto changed = fs::last_write_time(sign, unseen);
        if (!unseen)
            found.emplace_back(changed, entry.path());
    }
    std::sort(found.rbegin(), found.rend());
    std::vector<fs::path> folders;
    for (auto& [changed, folder] : found)
        folders.push_back(std::move(folder));
    return folders;
}

}  // namespace imprint::jobs
