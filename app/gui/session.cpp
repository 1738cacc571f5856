// SPDX-License-Identifier: Apache-2.0
// Members are made in the order in which they need each other, and go in the reverse one.
#include "app/gui/session.h"

namespace imprint::gui {
namespace {

media::DecoderOptions two_workers(media::DecoderOptions options)
{
    options.workers = 2;
    return options;
}

}  // namespace

Session::Session(const jobs::EngineOptions& options)
    : engine(std::make_shared<jobs::Engine>(options)), decoder(std::make_shared<media::Decoder>(two_workers(options.decoder))),
      thumbnails(decoder), clips(decoder), library(engine->library_folder()), index(engine), search(engine), labels(engine),
      runs(engine->library_folder() / "runs"), learn(engine)
{
}

}  // namespace imprint::gui
