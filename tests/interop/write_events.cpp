// SPDX-License-Identifier: Apache-2.0
// Writes the events of a run that was stopped at step 60 of 100 and resumed from step 50: write_events FOLDER.
#include <cstdio>
#include <vector>

#include "training/log/event_file.h"

using imprint::training::EventFile;

namespace {

void steps(EventFile& events, int64_t from, int64_t to, double shift, double time)
{
    for (int64_t step = from; step < to; ++step) {
        const std::vector<EventFile::Scalar> values = {{"loss/picture-text", 10.0 / (1.0 + static_cast<double>(step)) + shift},
                                                       {"rate", 1e-5 * static_cast<double>(step)}};
        events.scalars(step, values, time + static_cast<double>(step));
    }
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: write_events FOLDER\n");
        return 2;
    }
    EventFile first(argv[1], 0, 1'700'000'000);
    first.text(0, "recipe", "steps = 100\n\nname = \"möwe\"", 1'700'000'000);
    steps(first, 0, 60, 100, 1'700'000'000);
    EventFile resumed(argv[1], 50, 1'700'001'000);
    steps(resumed, 50, 100, 0, 1'700'001'000);
    return 0;
}
