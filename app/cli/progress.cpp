// SPDX-License-Identifier: Apache-2.0
// The progress line.
#include "app/cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "app/cli/output.h"

namespace imprint::cli {

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) { }

ProgressLine::~ProgressLine()
{
    if (terminal_ && shown_)
        std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(const jobs::IndexProgress& progress)
{
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ && now - last_ < std::chrono::seconds(5))
        return;
    last_ = now;
    shown_ = true;
    const std::string text = progress_text(progress);
    if (terminal_)
        std::fprintf(stderr, "\r\033[K%s", text.c_str());
    else
        std::fprintf(stderr, "%s\n", text.c_str());
    std::fflush(stderr);
}

std::string progress_text(const jobs::IndexProgress& progress)
{
    if (progress.stage == "scanning")
        return "scanning, " + std::to_string(progress.found) + " files found";
    std::string text = progress.stage + " " + std::to_string(progress.done) + " of " + std::to_string(progress.found) + " files";
    if (progress.files_per_second > 0) {
        char rate[32];
        std::snprintf(rate, sizeof rate, ", %.1f files/s", progress.files_per_second);
        text += rate;
        if (progress.found > progress.done)
            text += ", " + clock_time(static_cast<double>(progress.found - progress.done) / progress.files_per_second) + " left";
    }
    if (progress.moments)
        text += ", " + std::to_string(progress.moments) + " moments";
    if (progress.failed)
        text += ", " + std::to_string(progress.failed) + " failed";
    return text;
}

}  // namespace imprint::cli
