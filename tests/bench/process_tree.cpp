// SPDX-License-Identifier: Apache-2.0
// Memory of a process tree: see process_tree.h.
#include "tests/bench/process_tree.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace imprint::bench
{

namespace
{

std::vector<pid_t> children_of(pid_t process)
{
    std::vector<pid_t> children;
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
        std::ifstream in(task.path() / "children");
        for (pid_t child; in >> child;)
            children.push_back(child);
    }
    return children;
}

void add(pid_t process, TreeMemory& total)
{
    const std::string folder = "/proc/" + std::to_string(process);
    int64_t size = 0, resident = 0;
    std::ifstream(folder + "/statm") >> size >> resident;
    total.resident += resident * sysconf(_SC_PAGESIZE);
    std::ifstream rollup(folder + "/smaps_rollup");
    for (std::string word; rollup >> word;)
        if (int64_t kilobytes = 0; word == "Pss:" && rollup >> kilobytes)
            total.proportional += kilobytes * 1024;
    total.processes += resident > 0;
}

} // namespace

TreeMemory memory_of_tree(pid_t root)
{
    TreeMemory total;
    std::vector<pid_t> todo = {root};
    std::set<pid_t> seen;
    while (!todo.empty()) {
        const pid_t process = todo.back();
        todo.pop_back();
        if (!seen.insert(process).second)
            continue;
        add(process, total);
        for (const pid_t child : children_of(process))
            todo.push_back(child);
    }
    return total;
}

} // namespace imprint::bench
