// SPDX-License-Identifier: Apache-2.0
// Plays a video or a sound from a given second. Opening, decoding and converting frames happen on a thread of its own.
#pragma once

#include <QImage>
#include <QObject>
#include <QSize>
#include <atomic>
#include <filesystem>
#include <memory>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"

namespace imprint::gui {

/// Lives in the GUI thread, as do all its signals. QT_MEDIA_BACKEND must be chosen before the application starts.
class Player : public QObject {
    Q_OBJECT

public:
    explicit Player(QObject* parent = nullptr);
    ~Player() override;

    /// Starts `file` at `from` seconds. Without an audio device it plays silently.
    void play(const std::filesystem::path& file, double from, float volume = 1.0f);
    void seek(double seconds);
    void set_paused(bool paused);
    void stop();

    bool playing() const { return playing_; }
    bool loaded() const { return loaded_; }  ///< something was started and not stopped
    double position() const { return position_; }
    void set_frame_size(const QSize& pixels);  ///< frames are scaled down to fit

Q_SIGNALS:
    void frame(const QImage& image);
    void position_changed(double seconds);
    void playing_changed(bool playing);
    void failed(const imprint::gui::Problem& problem);

private:
    struct Inside;  // lives on the thread
    void take_playing(bool playing);

    std::shared_ptr<Inside> inside_;
    bool playing_ = false, loaded_ = false;
    double position_ = 0;
    quint64 round_ = 0;  // late news of what was stopped is ignored
    std::filesystem::path file_;
    WorkerThread thread_;
};

}  // namespace imprint::gui
