// SPDX-License-Identifier: Apache-2.0
// A decoder that an attacker took over: it sits in the real one's jail, started by the same code, and tries what the media
// file's text names. Its answer is "allowed", or the name of the error that stopped it.
#include <dirent.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "core/media/worker/jail.h"
#include "core/media/worker/serve.h"

using namespace imprint::media;
using namespace imprint::media::protocol;

namespace {

/// A child must never answer in its parent's place.
int parent_only(pid_t pid)
{
    if (pid == 0)
        _exit(0);
    return pid;
}

/// A process made of bare system calls, past whatever the C library checks.
int raw_clone(unsigned long flags) { return parent_only(static_cast<pid_t>(syscall(SYS_clone, flags, 0, 0, 0, 0))); }

int raw_clone3()
{
    struct {
        uint64_t fields[11];
    } arguments = {};
    arguments.fields[4] = SIGCHLD;
    return parent_only(static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments)));
}

int spawn()
{
    char name[] = "/bin/true";
    char* arguments[] = {name, nullptr};
    pid_t pid = 0;
    errno = posix_spawn(&pid, name, nullptr, nullptr, arguments, nullptr);
    return errno == 0 ? 0 : -1;
}

int execute()
{
    char name[] = "/bin/true";
    char* arguments[] = {name, nullptr};
    return execve(name, arguments, nullptr);
}

int connect_to_localhost()
{
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(80);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(kSocket, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

int raise_limits()
{
    const rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_AS, &all);
}

int read_the_parent()
{
    char byte = 0;
    iovec here = {&byte, 1}, there = {reinterpret_cast<void*>(0x400000), 1};
    return static_cast<int>(syscall(SYS_process_vm_readv, getppid(), &here, 1, &there, 1, 0));
}

int start_a_thread()
{
    int answer = -1;
    std::thread([&] { answer = 0; }).join();
    return answer;
}

int start_io_uring()
{
    io_uring_params parameters = {};
    return static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters));
}

const std::map<std::string, std::function<int(int file)>>& tries()
{
    static const std::map<std::string, std::function<int(int)>> all = {
        {"open a file", [](int) { return open("/etc/passwd", O_RDONLY); }},
        {"make a file", [](int) { return open("/tmp/imprint-hostile-worker", O_CREAT | O_WRONLY, 0600); }},
        {"open with the old call", [](int) { return static_cast<int>(syscall(SYS_open, "/etc/passwd", O_RDONLY)); }},
        {"open with openat2", [](int) { return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0)); }},
        {"open its file again to write",
         [](int file) { return open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDWR); }},
        {"examine a file",
         [](int) {
             struct stat facts;
             return stat("/etc/passwd", &facts);
         }},
        {"list a folder", [](int) { return opendir("/") ? 0 : -1; }},
        {"remove a file", [](int) { return unlink("/tmp/imprint-no-such-file"); }},
        {"rename a file", [](int) { return rename("/tmp/imprint-no-such-file", "/tmp/imprint-other"); }},
        {"go to another folder", [](int) { return chdir("/"); }},
        {"watch a folder", [](int) { return inotify_init(); }},
        {"write to its file", [](int file) { return static_cast<int>(pwrite(file, "x", 1, 0)); }},
        {"write past the memory limit",
         [](int) {
             const int memory = memfd_create("grow", 0);
             return static_cast<int>(write(memory, "x", 1));
         }},
        {"make an internet socket", [](int) { return socket(AF_INET, SOCK_STREAM, 0); }},
        {"make a local socket", [](int) { return socket(AF_UNIX, SOCK_STREAM, 0); }},
        {"make a netlink socket", [](int) { return socket(AF_NETLINK, SOCK_RAW, 0); }},
        {"connect", [](int) { return connect_to_localhost(); }},
        {"listen", [](int) { return listen(kSocket, 1); }},
        {"fork", [](int) { return parent_only(fork()); }},
        {"vfork", [](int) { return parent_only(static_cast<pid_t>(syscall(SYS_vfork))); }},
        {"clone a process", [](int) { return raw_clone(SIGCHLD); }},
        {"clone3 a process", [](int) { return raw_clone3(); }},
        {"start a program", [](int) { return execute(); }},
        {"spawn a program", [](int) { return spawn(); }},
        {"signal the parent", [](int) { return kill(getppid(), 0); }},
        {"signal another thread", [](int) { return static_cast<int>(syscall(SYS_tgkill, getppid(), getppid(), 0)); }},
        {"trace the parent", [](int) { return static_cast<int>(ptrace(PTRACE_SEIZE, getppid(), 0, 0)); }},
        {"read the parent's memory", [](int) { return read_the_parent(); }},
        {"raise its limits", [](int) { return raise_limits(); }},
        {"become dumpable", [](int) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }},
        {"leave its namespace", [](int) { return unshare(CLONE_NEWUSER); }},
        {"share memory by key", [](int) { return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600); }},
        {"start io_uring", [](int) { return start_io_uring(); }},
        {"start a thread", [](int) { return start_a_thread(); }},
        {"read its file",
         [](int file) {
             char byte = 0;
             return pread(file, &byte, 1, 0) == 1 ? 0 : -1;
         }},
    };
    return all;
}

/// How many MiB it can map and fill.
int take_memory()
{
    constexpr size_t kStep = 1 << 20;
    int taken = 0;
    for (void* at = nullptr;
         (at = mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED; ++taken)
        std::memset(at, 1, kStep);
    return taken;
}

/// How many MiB it can hold in memory files, unmapped, which no limit on address space sees.
int take_memory_files()
{
    int taken = 0;
    for (int file = -1; (file = memfd_create("swell", 0)) >= 0;) {
        int size = 0;
        while (ftruncate(file, static_cast<off_t>(size + 1) << 20) == 0 && size < 1 << 20)
            ++size;
        taken += size;
    }
    return taken;
}

[[noreturn]] void spin()
{
    alarm(0);
    for (volatile bool never = true; never;)
        ;
    _exit(1);
}

Reply attempt(const Request&, int file, int& payload)
{
    payload = -1;
    char text[64] = {};
    const ssize_t size = pread(file, text, sizeof text - 1, 0);
    const std::string name(text, size > 0 ? static_cast<size_t>(size) : 0);
    std::string said;
    if (name == "take memory") {
        said = std::to_string(take_memory());
    } else if (name == "take memory files") {
        said = std::to_string(take_memory_files());
    } else if (name == "spin") {
        spin();
    } else if (const auto found = tries().find(name); found == tries().end()) {
        said = "unknown";
    } else {
        errno = 0;
        said = found->second(file) >= 0 ? "allowed" : strerrorname_np(errno);
    }
    Reply reply = {};
    reply.magic = kMagic;
    reply.status = Status::Malformed;
    std::memcpy(reply.reason, said.data(), std::min(said.size(), sizeof reply.reason - 1));
    return reply;
}

}  // namespace

int main()
{
    ::signal(SIGXFSZ, SIG_IGN);  // a file that may grow no further is then an error to report
    start_libraries();
    give_up_privileges();
    serve(kSocket, attempt);
}
