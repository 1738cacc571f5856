// SPDX-License-Identifier: Apache-2.0
// One open library with everything that works on it. The pages borrow from here; nothing is global.
#pragma once

#include <memory>

#include "app/gui/clips.h"
#include "app/gui/index_service.h"
#include "app/gui/label_service.h"
#include "app/gui/learn_service.h"
#include "app/gui/library_service.h"
#include "app/gui/run_service.h"
#include "app/gui/search_service.h"
#include "app/gui/thumbnails.h"
#include "app/jobs/jobs.h"

namespace imprint::gui {

struct Session {
    /// Throws Error when there is no model.
    explicit Session(const jobs::EngineOptions& options);

    std::shared_ptr<jobs::Engine> engine;
    /// Thumbnails have decoder processes of their own: those of a running index would make them wait.
    std::shared_ptr<media::Decoder> decoder;
    Thumbnails thumbnails;
    Clips clips;
    LibraryService library;
    IndexService index;
    SearchService search;
    LabelService labels;
    RunService runs;
    LearnService learn;
};

}  // namespace imprint::gui
