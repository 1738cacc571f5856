// SPDX-License-Identifier: Apache-2.0
// imprint-decode: reads requests from descriptor 3 until the parent hangs up or nothing comes for a minute.
// Not meant to be run by hand.
#include <sys/socket.h>

#include <cstdio>
#include <string_view>

#include "core/base/error.h"
#include "core/media/protocol.h"
#include "core/media/worker/jail.h"
#include "core/media/worker/serve.h"

int main(int count, char** arguments)
{
    if (count == 2 && std::string_view(arguments[1]) == "--version") {
        std::puts(imprint::media::library_versions().c_str());
        return 0;
    }
    int type = 0;
    socklen_t length = sizeof type;
    if (getsockopt(imprint::media::protocol::kSocket, SOL_SOCKET, SO_TYPE, &type, &length) != 0
        || type != SOCK_SEQPACKET) {
        std::fputs("imprint-decode is started by Imprint to read media files; it does nothing by itself.\n", stderr);
        return 2;
    }
    try {
        imprint::media::start_libraries();
        imprint::media::give_up_privileges();
        imprint::media::serve(imprint::media::protocol::kSocket, imprint::media::answer);
    } catch (const imprint::Error& error) {
        std::fprintf(stderr, "imprint-decode: %s\n", error.what());
        return 1;
    }
    return 0;
}
