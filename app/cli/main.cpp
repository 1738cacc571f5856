// SPDX-License-Identifier: Apache-2.0
// The command `imprint`: environment, signals, dispatch and exit codes.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <system_error>
#include <thread>

#include "app/cli/arguments.h"
#include "app/cli/output.h"

namespace {

using namespace imprint;

/// OpenMP and OpenBLAS read these when they are loaded, which is before main(): set them and start anew, once. Spinning
/// OpenMP threads on shared cores run several times slower; FAISS with a threaded OpenBLAS may not end at all.
void settle_environment(char** argv)
{
    bool missing = false;
    const char* wanted[][2] = {{"OMP_WAIT_POLICY", "passive"}, {"OPENBLAS_NUM_THREADS", "1"}};
    for (const auto& [name, value] : wanted) {
        if (std::getenv(name))
            continue;
        missing = true;
        if (::setenv(name, value, 1) != 0)
            return;
    }
    if (missing)
        ::execv("/proc/self/exe", argv);  // where it fails, the program is slower, not wrong
}

/// Turns the first SIGINT or SIGTERM into a cancellation and the second into the end. The signals must be blocked before
/// any thread starts; this thread alone takes them.
std::jthread watch_signals(const sigset_t& signals, const CancelToken& cancel)
{
    return std::jthread([signals, cancel](const std::stop_token& stop) {
        const timespec patience{0, 100'000'000};
        while (!stop.stop_requested()) {
            if (::sigtimedwait(&signals, nullptr, &patience) < 0)
                continue;
            if (cancel.cancelled())
                ::_exit(cli::kCannot);
            cancel.cancel();
        }
    });
}

/// The thread that takes the signals is started within: where memory is short, it too may find none.
int guarded(const cli::Command& command, const cli::Session& session, const sigset_t& signals)
{
    try {
        const std::jthread watcher = watch_signals(signals, session.cancel);
        return std::visit([&](const auto& chosen) { return cli::run(chosen, session); }, command);
    } catch (const Error& error) {
        cli::print_problem(error.what());
        return error.kind() == ErrorKind::Usage ? cli::kUsage : cli::kCannot;
    } catch (const std::bad_alloc&) {
        cli::print_problem("out of memory");
    } catch (const std::system_error& error) {
        cli::print_problem(std::string("the system gave no thread, or no memory for one: ") + error.what());
    } catch (const std::exception& error) {
        cli::print_problem(error.what());
    }
    return cli::kCannot;
}

}  // namespace

int main(int argc, char** argv)
{
    settle_environment(argv);
    cli::Parsed parsed = cli::parse(argc, argv);
    int code = parsed.exit_code;
    if (parsed.command) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        code = guarded(*parsed.command, parsed.session, signals);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
        cli::print_problem("standard output could not be written");
        return cli::kCannot;
    }
    return code;
}
