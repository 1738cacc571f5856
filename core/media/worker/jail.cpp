// SPDX-License-Identifier: Apache-2.0
// Library start, resource limits and the lock of a worker.
#include "core/media/worker/jail.h"

#include <malloc.h>
#include <sndfile.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vips/vips.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "core/base/error.h"
#include "core/media/protocol.h"
#include "core/media/worker/ffmpeg.h"
#include "core/media/worker/syscall_filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IMPRINT_SANITIZED 1
#else
#define IMPRINT_SANITIZED 0
#endif

namespace imprint::media
{
namespace
{

// GLib aborts when it cannot allocate or start a thread; the parent should hear that it was the memory limit.
void on_glib_message(const char*, GLogLevelFlags level, const char* message, void*)
{
    if ((level & G_LOG_LEVEL_ERROR) && message && (std::strstr(message, "allocate") || std::strstr(message, "thread")))
        _exit(protocol::kExitOutOfMemory);
}

int64_t address_space()
{
    long pages = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%ld", &pages) != 1)
            pages = 0;
        std::fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

/// Nobody may have more than he was given: where the program itself is under a limit (ulimit), that one stays.
void set_limit(__rlimit_resource what, rlim_t value)
{
    rlimit given{};
    if (getrlimit(what, &given) != 0)
        throw Error(ErrorKind::Io, "", "cannot read a resource limit");
    const rlim_t least = std::min(value, given.rlim_max); // RLIM_INFINITY is the greatest number
    const rlimit limit = {least, least};
    if (setrlimit(what, &limit) != 0)
        throw Error(ErrorKind::Io, "", "cannot set a resource limit");
}

} // namespace

void start_libraries()
{
    // One arena: each further one reserves 64 MiB of the address space that is limited below.
    mallopt(M_ARENA_MAX, 1);
    if (vips_init("imprint-decode") != 0)
        throw Error(ErrorKind::Io, "", "libvips does not start");
    g_log_set_default_handler(on_glib_message, nullptr);
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    start_ffmpeg();
    tzset(); // reads the time zone's file, which dates in metadata are turned with
}

std::string library_versions()
{
    return "FFmpeg " + std::string(av_version_info()) + ", libvips " + vips_version_string() + ", " + sf_version_string();
}

void give_up_privileges()
{
    set_limit(RLIMIT_CORE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!IMPRINT_SANITIZED) // the leak checker attaches to its own process
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setpriority(PRIO_PROCESS, 0, 5);
}

void lock_in(const Allowance& allowance)
{
    if (IMPRINT_SANITIZED)
        return;
    set_limit(RLIMIT_AS, static_cast<rlim_t>(address_space() + allowance.memory));
    set_limit(RLIMIT_FSIZE, static_cast<rlim_t>(allowance.memory));
    set_limit(RLIMIT_CPU, allowance.cpu_seconds);
    set_limit(RLIMIT_NOFILE, static_cast<rlim_t>(allowance.descriptors));
    refuse_other_system_calls();
}

} // namespace imprint::media
