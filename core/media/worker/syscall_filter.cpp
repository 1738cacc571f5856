// SPDX-License-Identifier: Apache-2.0
// The list, and its loading into the kernel by libseccomp.
#include "core/media/worker/syscall_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

#include "core/base/error.h"
#include "core/media/protocol.h"

namespace imprint::media {
namespace {

constexpr int kFree[] = {
    // what is open already; writing is looked at below
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup),
    SCMP_SYS(poll), SCMP_SYS(ppoll),
    // memory, the answer's included
    SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
    // threads
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // signals of its own
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    SCMP_SYS(alarm),
    // the clock, randomness, and how much memory there is (qsort asks)
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sysinfo)};

class Filter {
public:
    Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)))
    {
        if (!context_)
            throw std::bad_alloc();
    }

    template <typename... Conditions>
    void allow(int call, Conditions... conditions)
    {
        check(seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...));
    }
    void answer(int call, int error)
    {
        check(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<uint16_t>(error)), call, 0));
    }
    void load()
    {
        // The thread that watches the parent, and whatever the libraries started, are locked in too.
        check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
        check(seccomp_load(context_.get()));
    }

private:
    static void check(int result)
    {
        if (result < 0)
            throw Error(ErrorKind::Io, "",
                        std::string("the decoder cannot lock itself in (seccomp: ") + std::strerror(-result) + ")",
                        "Use a kernel with seccomp filters, or allow them in this container");
    }

    struct Release {
        void operator()(scmp_filter_ctx context) const { seccomp_release(context); }
    };
    std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release> context_;
};

}  // namespace

void refuse_other_system_calls()
{
    Filter filter;
    for (const int call : kFree)
        filter.allow(call);
    const scmp_arg_cmp own_socket = SCMP_A0(SCMP_CMP_EQ, protocol::kSocket);
    filter.allow(SCMP_SYS(sendmsg), own_socket);
    filter.allow(SCMP_SYS(recvmsg), own_socket);
    for (const int call : {SCMP_SYS(write), SCMP_SYS(writev)})
        for (const int output : {STDOUT_FILENO, STDERR_FILENO})
            filter.allow(call, SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(output)));
    for (const int command : {F_GETFD, F_GETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS})
        filter.allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
    filter.allow(SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    // abort() and raise() signal the thread itself.
    filter.allow(SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));
    filter.allow(SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    filter.answer(SCMP_SYS(clone3), ENOSYS);
    filter.load();
}

}  // namespace imprint::media
