// SPDX-License-Identifier: Apache-2.0
// A decoder that lies: it answers as the media file's text says. Stands for a real one that an attacker took over.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <string>

#include "core/media/protocol.h"

using namespace imprint::media::protocol;

namespace
{

constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

int memory(size_t bytes, int seals)
{
    const int file = memfd_create("lie", MFD_ALLOW_SEALING);
    if (ftruncate(file, static_cast<off_t>(bytes)) != 0 || fcntl(file, F_ADD_SEALS, seals) != 0)
        _exit(1);
    return file;
}

void send(const void* data, size_t size, int file, int copies)
{
    iovec part = {const_cast<void*>(data), size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (file >= 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * copies);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * copies);
        for (int i = 0; i < copies; ++i)
            std::memcpy(CMSG_DATA(header) + sizeof(int) * i, &file, sizeof file);
    }
    sendmsg(kSocket, &message, MSG_NOSIGNAL);
}

} // namespace

int main()
{
    Request request;
    iovec part = {&request, sizeof request};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    for (;;) {
        msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (recvmsg(kSocket, &message, 0) != static_cast<ssize_t>(sizeof request))
            return 0;
        int file;
        std::memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof file);
        char text[64] = {};
        if (pread(file, text, sizeof text - 1, 0) < 0)
            return 1;
        close(file);
        const std::string lie = text;

        Reply reply = {};
        reply.magic = kMagic;
        reply.width = 16;
        reply.height = 12;
        reply.picture_count = 1;
        reply.sample_count = 0;
        const size_t bytes = 16 * 12 * 3;
        if (lie == "honest")
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 1);
        else if (lie == "unsealed")
            send(&reply, sizeof reply, memory(bytes, F_SEAL_SEAL), 1);
        else if (lie == "shrinkable")
            send(&reply, sizeof reply, memory(bytes, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 1);
        else if (lie == "short")
            send(&reply, sizeof reply, memory(bytes - 1, kAllSeals), 1);
        else if (lie == "nothing sent")
            send(&reply, sizeof reply, -1, 0);
        else if (lie == "a plain file")
            send(&reply, sizeof reply, open("/dev/zero", O_RDWR), 1);
        else if (lie == "many descriptors")
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 4);
        else if (lie == "too large") {
            reply.width = reply.height = 40000;
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 1);
        } else if (lie == "negative") {
            reply.width = -16;
            reply.height = -12;
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 1);
        } else if (lie == "another number") {
            reply.picture_count = 0xffffffff;
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 1);
        } else if (lie == "no number") {
            reply.times[0] = NAN;
            send(&reply, sizeof reply, memory(bytes, kAllSeals), 1);
        } else if (lie == "half a reply") {
            send(&reply, sizeof reply / 2, -1, 0);
        } else if (lie == "unknown status") {
            reply.status = static_cast<Status>(77);
            send(&reply, sizeof reply, -1, 0);
        } else if (lie == "an endless reason") {
            reply.status = Status::Malformed;
            std::memset(reply.reason, '\xff', sizeof reply.reason);
            send(&reply, sizeof reply, -1, 0);
        } else if (lie == "hung up") {
            close(kSocket);
            poll(nullptr, 0, -1);
        }
    }
}
