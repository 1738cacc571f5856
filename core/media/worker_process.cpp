// SPDX-License-Identifier: Apache-2.0
// Spawning, talking to, killing and reaping an imprint-decode process.
#include "core/media/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace imprint::media
{
namespace
{

using Clock = std::chrono::steady_clock;

// The worker reads nothing from the environment but where its libraries lie and what a sanitizer was told.
std::vector<std::string> worker_environment()
{
    std::vector<std::string> environment = {"LC_ALL=C.UTF-8", "VIPS_CONCURRENCY=1", "VIPS_DISC_THRESHOLD=1000g",
        "OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=passive"};
    for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"})
        if (const char* value = std::getenv(name))
            environment.push_back(std::string(name) + "=" + value);
    return environment;
}

bool send_request(int socket, const protocol::Request& request, int file)
{
    iovec part = {const_cast<protocol::Request*>(&request), sizeof request};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &file, sizeof file);
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(sizeof request);
}

// True with a whole reply; descriptors beyond the first are closed, whatever the worker sends.
bool receive_reply(int socket, protocol::Reply& reply, Descriptor& payload)
{
    iovec part = {&reply, sizeof reply};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t received;
    do
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return false;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int value;
            std::memcpy(&value, CMSG_DATA(header) + i * sizeof(int), sizeof value);
            Descriptor received_descriptor(value);
            if (!payload)
                payload = std::move(received_descriptor);
        }
    }
    return received == static_cast<ssize_t>(sizeof reply) && reply.magic == protocol::kMagic;
}

} // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept
{
    if (this != &other) {
        reset();
        value_ = other.release();
    }
    return *this;
}

int Descriptor::release()
{
    return std::exchange(value_, -1);
}

void Descriptor::reset()
{
    if (value_ >= 0)
        close(std::exchange(value_, -1));
}

WorkerProcess::WorkerProcess(const std::filesystem::path& program)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw_errno(errno, program.string(), "make a socket for the decoder");
    Descriptor mine(ends[0]), theirs(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // The socket goes to its number first: 0 to 2 may be closed here, and the pair may then sit on one of them.
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), protocol::kSocket);
    for (int standard : {0, 1, 2})
        posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", standard == 0 ? O_RDONLY : O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, protocol::kSocket + 1);

    // Its own process group: Ctrl+C in a terminal is for the parent, which then cancels in order.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    std::string name = program.string();
    char* arguments[] = {name.data(), nullptr};
    std::vector<std::string> environment = worker_environment();
    std::vector<char*> pointers;
    for (std::string& entry : environment)
        pointers.push_back(entry.data());
    pointers.push_back(nullptr);

    const int failure = posix_spawn(&pid_, name.c_str(), &actions, &attributes, arguments, pointers.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        pid_ = -1;
        if (failure == ENOENT)
            throw Error(ErrorKind::NotFound, name, "the decoder program is missing",
                "Install Imprint again, or set IMPRINT_DECODE to where it lies");
        throw_errno(failure, name, "start the decoder");
    }
    socket_ = std::move(mine);
}

WorkerProcess::~WorkerProcess()
{
    reap(true);
}

// Returns the wait status, or -1 where somebody else reaped the child.
int WorkerProcess::reap(bool kill_first)
{
    if (pid_ < 0)
        return -1;
    if (kill_first)
        kill(pid_, SIGKILL);
    int status = -1;
    pid_t done;
    do
        done = waitpid(pid_, &status, 0);
    while (done < 0 && errno == EINTR);
    pid_ = -1;
    return done < 0 ? -1 : status;
}

// The worker hung up: how it ended says whose fault that was.
WorkerProcess::Exchange WorkerProcess::ended()
{
    socket_.reset();
    // A process that closed its socket but lives on would block waitpid; it gets a moment, then the signal.
    int status = 0;
    pid_t done = 0;
    for (int i = 0; i < 50 && done == 0; ++i) {
        done = waitpid(pid_, &status, WNOHANG);
        if (done == 0)
            poll(nullptr, 0, 10);
    }
    if (done == 0)
        status = reap(true);
    pid_ = -1;

    Exchange result;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        result.outcome = Outcome::Retired;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == protocol::kExitOutOfMemory) {
        result.outcome = Outcome::OutOfMemory;
    } else if (WIFSIGNALED(status)) {
        result.cause = "the decoder stopped with signal " + std::to_string(WTERMSIG(status)) + " ("
            + strsignal(WTERMSIG(status)) + ")";
    } else {
        result.cause = "the decoder ended with status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return result;
}

WorkerProcess::Exchange WorkerProcess::exchange(
    const protocol::Request& request, int file, double timeout, const CancelToken& cancel)
{
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout);
    if (!send_request(socket_.get(), request, file)) {
        Exchange result;
        result.outcome = Outcome::Retired;
        return result;
    }
    ++served_;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        Exchange result;
        if (left <= 0) {
            result.outcome = Outcome::TimedOut;
            return result;
        }
        if (cancel.cancelled()) {
            result.outcome = Outcome::Cancelled;
            return result;
        }
        // The token cannot wake a poll, so it is looked at twenty times a second.
        pollfd waiting = {socket_.get(), POLLIN, 0};
        const int ready = poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 50)));
        if (ready < 0 && errno != EINTR)
            throw_errno(errno, "", "wait for the decoder");
        if (ready <= 0)
            continue;
        if (receive_reply(socket_.get(), result.reply, result.payload)) {
            result.outcome = Outcome::Answered;
            return result;
        }
        return ended();
    }
}

} // namespace imprint::media
