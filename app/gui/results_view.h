// SPDX-License-Identifier: Apache-2.0
// The grid of tiles: arrow keys walk it, Enter opens, Space plays, hovering scrubs, dragging gives the files away,
// with Alt their best moments as clips.
#pragma once

#include <QAbstractItemView>
#include <QTimer>

#include "app/gui/grid_layout.h"
#include "app/gui/results_model.h"
#include "app/gui/tile_painter.h"

namespace imprint::gui {

class ResultsView : public QAbstractItemView {
    Q_OBJECT

public:
    ResultsView(const Theme& theme, Thumbnails& thumbnails, QWidget* parent = nullptr);

    /// The view works with this model only.
    void set_results(ResultsModel* model);
    const GridLayout& grid() const { return layout_; }
    /// The thumbnail that stands for a row while nothing hovers over it.
    static ThumbnailWish wish_for(const index::FileHit& hit);

    QRect visualRect(const QModelIndex& index) const override;
    void scrollTo(const QModelIndex& index, ScrollHint hint = EnsureVisible) override;
    QModelIndex indexAt(const QPoint& point) const override;
    void doItemsLayout() override;
    void reset() override;
    void keyboardSearch(const QString& text) override;

Q_SIGNALS:
    void opened(int row);
    void play_wanted(int row);
    void typed(const QString& text);  ///< letters that belong into the query box
    void menu_wanted(int row, const QPoint& global);
    void clips_dragged(const std::vector<int>& rows, const QPixmap& picture);  ///< with Alt held
    void listen_wanted(int row);  ///< a sound under the pointer with Alt held; -1: no longer

protected:
    QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
    int horizontalOffset() const override { return 0; }
    int verticalOffset() const override;
    bool isIndexHidden(const QModelIndex&) const override { return false; }
    void setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags command) override;
    QItemSelectionModel::SelectionFlags selectionCommand(const QModelIndex& index, const QEvent* event) const override;
    QRegion visualRegionForSelection(const QItemSelection& selection) const override;
    void updateGeometries() override;
    void scrollContentsBy(int dx, int dy) override;
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void startDrag(Qt::DropActions supported) override;

private:
    void hover(const QPoint& point);
    void listen(bool alt);
    void arrange();
    void prefetch();
    TileState state_of(int row) const;
    QRect on_screen(const QRect& content) const { return content.translated(0, -verticalOffset()); }

    const Theme& theme_;
    Thumbnails& thumbnails_;
    ResultsModel* results_ = nullptr;
    TilePainter painter_;
    GridLayout layout_;
    QTimer prefetch_, fade_;
    int anchor_ = 0;
    int hovered_ = -1, listening_ = -1;
    bool moved_ = false;  // tiles lie elsewhere since the mouse was pressed
    bool alt_ = false;    // held at the last move of the mouse
    double hover_at_ = -1;
    QByteArray last_scrubbed_;  // key of the frame that was shown last under the pointer
    ThumbnailWish last_scrub_wish_;
};

}  // namespace imprint::gui
