// SPDX-License-Identifier: Apache-2.0
// Beside the review: the moment up close, how right the labels are, how much is decided, and how often each label stands.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QListWidget>

#include "app/gui/label_service.h"
#include "app/gui/media_surface.h"
#include "app/gui/player.h"
#include "app/gui/progress_line.h"
#include "app/gui/thumbnails.h"

namespace imprint::gui {

class LabelStats : public QFrame {
    Q_OBJECT

public:
    LabelStats(const Theme& theme, Thumbnails& thumbnails, QWidget* parent = nullptr);

    void show_run(const jobs::LabelRun& run);
    /// The moment up close. Stops what played before.
    void show_moment(const jobs::LabelledFile& file, const index::Moment& moment);
    void toggle_play();
    void stop() { player_.stop(); }
    QString accuracy() const { return accuracy_->text(); }
    const QListWidget& counts() const { return *counts_; }

Q_SIGNALS:
    void failed(const imprint::gui::Problem& problem);

private:
    void fetch_picture();

    const Theme& theme_;
    Thumbnails& thumbnails_;
    Player player_;
    MediaSurface* surface_;
    QLabel *accuracy_, *interval_, *decided_;
    ProgressLine* coverage_;
    QListWidget* counts_;
    std::optional<ThumbnailWish> wish_;
    double start_ = 0;
};

}  // namespace imprint::gui
