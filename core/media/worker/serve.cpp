// SPDX-License-Identifier: Apache-2.0
// Receives a request with its file, dispatches it and sends the reply with its memory.
#include "core/media/worker/serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <new>
#include <thread>

#include "core/base/error.h"
#include "core/media/worker/input.h"
#include "core/media/worker/jail.h"
#include "core/media/worker/operations.h"

namespace imprint::media
{
namespace
{

using namespace protocol;

// A worker that has run for so long ends between two files; one that was taken over and outlived its parent is ended by
// the kernel some time later.
constexpr uint32_t kCpuSeconds = 3600;
constexpr int kSpareDescriptors = 4; // beside a request's file: libvips' copy of it, the answer, and two to spare

Status status_of(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Unsupported:
        return Status::Unsupported;
    case ErrorKind::Malformed:
        return Status::Malformed;
    case ErrorKind::LimitExceeded:
        return Status::LimitExceeded;
    default:
        return Status::Io;
    }
}

Reply refusal(const Error& error)
{
    Reply reply = {};
    reply.magic = kMagic;
    reply.status = status_of(error.kind());
    const std::string& reason = error.reason();
    std::memcpy(reply.reason, reason.data(), std::min(reason.size(), sizeof reply.reason - 1));
    return reply;
}

bool worn_out()
{
    return std::clock() / CLOCKS_PER_SEC >= static_cast<std::clock_t>(kCpuSeconds);
}

bool sound_request(const Request& request)
{
    return request.magic == kMagic && request.size_count <= kMaxSizes && request.time_count <= kMaxTimes
        && (request.operation != Operation::Frames || request.time_count > 0);
}

// Waits for a request. False: the parent is gone, or there was nothing to do for a while.
bool receive(int socket, Request& request, int& file)
{
    file = -1;
    pollfd waiting = {socket, POLLIN, 0};
    int ready;
    do
        ready = poll(&waiting, 1, kIdleSeconds * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    iovec part = {&request, sizeof request};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (got > 0 && header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        std::memcpy(&file, CMSG_DATA(header), sizeof file);
    return got == static_cast<ssize_t>(sizeof request) && file >= 0 && sound_request(request);
}

bool send_reply(int socket, const Reply& reply, int payload)
{
    iovec part = {const_cast<Reply*>(&reply), sizeof reply};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (payload >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &payload, sizeof payload);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(sizeof reply);
}

// A parent that dies closes its end: then nobody waits for this work. PR_SET_PDEATHSIG would not do, as it fires when
// the parent's thread that spawned us ends, and pools of threads come and go. The alarm backs this up.
void end_with_parent(int socket)
{
    std::thread([socket] {
        pollfd waiting = {socket, 0, 0};
        while (poll(&waiting, 1, -1) <= 0 || !(waiting.revents & (POLLHUP | POLLERR | POLLNVAL)))
            ;
        _exit(0);
    }).detach();
}

} // namespace

Reply answer(const Request& request, int file, int& payload)
{
    payload = -1;
    Reply reply = {};
    reply.magic = kMagic;
    try {
        const Input input(file);
        try {
            switch (request.operation) {
            case Operation::Probe:
                probe(input, request, reply);
                break;
            case Operation::Still:
                payload = still(input, request, reply);
                break;
            case Operation::Frames:
                payload = frames(input, request, reply);
                break;
            case Operation::Sound:
                payload = sound(input, request, reply);
                break;
            case Operation::Excerpt:
                payload = excerpt(input, request, reply);
                break;
            default:
                throw Error(ErrorKind::Unsupported, "", "an unknown operation was asked for");
            }
        } catch (const Error&) {
            // What the libraries call damage may have been a failing disk.
            if (input.failure() != 0)
                throw_errno(input.failure(), "", "read the file");
            throw;
        }
    } catch (const Error& error) {
        return refusal(error);
    }
    return reply;
}

void serve(int socket, const Answer& answer)
{
    end_with_parent(socket);
    bool locked = false;
    Request request;
    int file;
    while (!worn_out() && receive(socket, request, file)) {
        alarm(request.timeout_seconds + 5);
        int payload = -1;
        Reply reply;
        try {
            if (!locked)
                lock_in({request.max_memory, kCpuSeconds + request.timeout_seconds + 5, file + 1 + kSpareDescriptors});
            locked = true;
            reply = answer(request, file, payload);
        } catch (const Error& error) {
            reply = refusal(error);
        } catch (const std::bad_alloc&) {
            _exit(kExitOutOfMemory);
        }
        alarm(0);
        close(file);
        const bool sent = send_reply(socket, reply, payload);
        if (payload >= 0)
            close(payload);
        if (!sent)
            return;
    }
}

} // namespace imprint::media
