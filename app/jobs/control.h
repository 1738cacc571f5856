// SPDX-License-Identifier: Apache-2.0
// A running index as its owner steers it: pause, go on, this folder first.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "core/base/cancel.h"

namespace imprint::jobs {

/// Copies share one state; any thread may steer or ask. A pause takes hold once what is being decoded and encoded at that
/// moment is done, well within a second; decoders and model stay loaded.
class IndexControl {
public:
    void pause() const { set_paused(true); }
    void resume() const { set_paused(false); }
    bool paused() const
    {
        const std::scoped_lock lock(state_->mutex);
        return state_->paused;
    }

    /// Files at and below `folder` (as jobs::catalog_path gives it) come next; empty: all as they come.
    void look_at(std::filesystem::path folder) const
    {
        const std::scoped_lock lock(state_->mutex);
        state_->looked_at = std::move(folder);
    }
    std::filesystem::path looked_at() const
    {
        const std::scoped_lock lock(state_->mutex);
        return state_->looked_at;
    }

    /// For those who work. Returns once not paused, or cancelled.
    void wait_while_paused(const CancelToken& cancel) const
    {
        while (paused() && !cancel.cancelled())
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }

private:
    struct State {
        std::mutex mutex;
        bool paused = false;
        std::filesystem::path looked_at;
    };
    void set_paused(bool paused) const
    {
        const std::scoped_lock lock(state_->mutex);
        state_->paused = paused;
    }
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace imprint::jobs
