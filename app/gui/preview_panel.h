// SPDX-License-Identifier: Apache-2.0
// One result up close: plays from the hit, shows the whole file's relevance, lists its moments, asks for more like it.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <optional>

#include "app/gui/figure_label.h"
#include "app/gui/heat_strip.h"
#include "app/gui/media_surface.h"
#include "app/gui/moment_list.h"
#include "app/gui/player.h"
#include "app/gui/star_row.h"
#include "app/gui/thumbnails.h"

namespace imprint::gui {

class PreviewPanel : public QFrame {
    Q_OBJECT

public:
    PreviewPanel(const Theme& theme, Thumbnails& thumbnails, QWidget* parent = nullptr);

    /// `moments` best first; the file is shown at the first one. Stops what played before.
    void show_hit(const index::FileHit& hit, std::vector<index::MomentHit> moments);
    /// The whole file's relevance, when it has arrived. Ignored for another file than the shown one.
    void show_relevance(const std::filesystem::path& file, const std::vector<index::MomentHit>& moments);
    void show_stars(int stars);  ///< of the shown file
    void show_nothing();
    const std::optional<index::FileHit>& hit() const { return hit_; }

    void toggle_play();  ///< from the hit when it has not been started
    void stop();
    void walk_peak(int direction);
    void set_expanded(bool expanded);
    bool expanded() const { return expanded_; }
    Player& player() { return player_; }
    const HeatStrip& heat() const { return *heat_; }
    const MediaSurface& surface() const { return *surface_; }
    MomentList& moment_list() { return *moments_; }
    StarRow& stars() { return *stars_; }
    /// The moment that is chosen in the list, else the hit's best one. Only where there is a hit.
    index::Moment moment() const;

Q_SIGNALS:
    void more_wanted(const std::filesystem::path& file, const imprint::index::Moment& moment);
    void less_wanted(const std::filesystem::path& file, const imprint::index::Moment& moment);
    void stars_given(int stars);  ///< to the shown file
    void similar_wanted(const std::filesystem::path& file, const imprint::index::Moment& moment);
    void clip_dragged(const std::filesystem::path& file, const imprint::index::Moment& moment, const QPixmap& picture);
    void clip_wanted(const std::filesystem::path& file, const imprint::index::Moment& moment);  ///< saved under a name
    void expand_wanted(bool expanded);
    void closed();
    void failed(const imprint::gui::Problem& problem);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void go_to(double seconds, bool play);
    void fetch_picture();
    void drag_out(const index::Moment& moment);
    double from() const;

    const Theme& theme_;
    Thumbnails& thumbnails_;
    Player player_;
    MediaSurface* surface_;
    HeatStrip* heat_;
    QLabel *name_, *facts_;
    StarRow* stars_;
    QWidget* details_;
    QPushButton *more_, *less_, *similar_, *expand_, *open_;
    FigureLabel* moments_title_;
    MomentList* moments_;
    std::optional<index::FileHit> hit_;
    double start_ = 0;  // where playing begins
    bool wants_picture_ = false, expanded_ = false;
};

}  // namespace imprint::gui
