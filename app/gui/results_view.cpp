// SPDX-License-Identifier: Apache-2.0
// QAbstractItemView with GridLayout's arithmetic: nothing is kept per row.
#include "app/gui/results_view.h"

#include <QContextMenuEvent>
#include <QDrag>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>

#include "app/gui/figures.h"

namespace imprint::gui {
namespace {

constexpr int scrub_steps = 16;

}  // namespace

ResultsView::ResultsView(const Theme& theme, Thumbnails& thumbnails, QWidget* parent)
    : QAbstractItemView(parent), theme_(theme), thumbnails_(thumbnails), painter_(theme)
{
    setObjectName(QStringLiteral("results"));
    setAccessibleName(tr("Results"));
    setFrameShape(QFrame::NoFrame);
    setSelectionMode(ExtendedSelection);
    setDragEnabled(true);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    viewport()->setAutoFillBackground(false);
    prefetch_.setSingleShot(true);
    prefetch_.setInterval(150);
    connect(&prefetch_, &QTimer::timeout, this, &ResultsView::prefetch);
    fade_.setSingleShot(true);
    fade_.setInterval(16);
    connect(&fade_, &QTimer::timeout, this, [this] { viewport()->update(); });
    connect(&thumbnails_, &Thumbnails::ready, this, [this] { fade_.start(); });
    connect(&theme_, &Theme::changed, this, [this] {
        painter_.forget();
        viewport()->update();
    });
}

void ResultsView::set_results(ResultsModel* model)
{
    results_ = model;
    setModel(model);
}

ThumbnailWish ResultsView::wish_for(const index::FileHit& hit)
{
    ThumbnailWish wish{hit.path, hit.probe.kind, 0, 0, 512};
    const auto best = best_moment(hit);
    if (hit.probe.kind == media::Kind::Video) {
        if (best && best->start && best->end)
            wish.time = (*best->start + *best->end) / 2;
        else
            wish.time = std::min(hit.probe.duration / 3, 20.0);  // seldom black, unlike the first frame
    } else if (hit.probe.kind == media::Kind::Audio && best && best->start && best->end && hit.probe.duration > 60) {
        wish.time = *best->start;
        wish.length = std::max(1.0, *best->end - *best->start);
    }
    return wish;
}

int ResultsView::verticalOffset() const { return verticalScrollBar()->value(); }

QRect ResultsView::visualRect(const QModelIndex& index) const
{
    return index.isValid() ? on_screen(layout_.cell(index.row())) : QRect();
}

QModelIndex ResultsView::indexAt(const QPoint& point) const
{
    const int row = layout_.row_at(point + QPoint(0, verticalOffset()));
    return row >= 0 && results_ ? results_->index(row) : QModelIndex();
}

void ResultsView::scrollTo(const QModelIndex& index, ScrollHint hint)
{
    if (!index.isValid())
        return;
    const QRect cell = layout_.cell(index.row());
    const int top = verticalOffset(), tall = viewport()->height(), slack = metrics::heading_height;
    int value = top;
    if (hint == PositionAtCenter)
        value = cell.center().y() - tall / 2;
    else if (hint == PositionAtTop || cell.top() - slack < top)
        value = cell.top() - slack;
    else if (hint == PositionAtBottom || cell.bottom() + metrics::step > top + tall)
        value = cell.bottom() + metrics::step - tall;
    verticalScrollBar()->setValue(value);
}

void ResultsView::arrange()
{
    std::vector<int> counts;
    if (results_)
        for (const auto& section : results_->sections())
            counts.push_back(section.count);
    const QSize before = layout_.picture_size();
    layout_.set_sections(std::move(counts));
    layout_.set_width(viewport()->width());
    if (layout_.picture_size() != before)
        painter_.forget();
}

void ResultsView::doItemsLayout()
{
    moved_ = true;
    arrange();
    QAbstractItemView::doItemsLayout();
}

void ResultsView::reset()
{
    hovered_ = -1;
    listen(false);
    hover_at_ = -1;
    anchor_ = 0;
    last_scrubbed_.clear();
    QAbstractItemView::reset();
    arrange();  // at once: until the posted layout comes, timers and keys must not meet rows that are gone
    verticalScrollBar()->setValue(0);
    scheduleDelayedItemsLayout();
}

void ResultsView::updateGeometries()
{
    const int room = viewport()->height();
    verticalScrollBar()->setRange(0, std::max(0, layout_.height() - room));
    verticalScrollBar()->setPageStep(room);
    verticalScrollBar()->setSingleStep(56);
    QAbstractItemView::updateGeometries();
}

void ResultsView::scrollContentsBy(int, int)
{
    viewport()->update();
    prefetch_.start();
}

void ResultsView::resizeEvent(QResizeEvent* event)
{
    QAbstractItemView::resizeEvent(event);
    // Keep what is looked at where it is: the first visible tile stays the first.
    const auto [first, last] = layout_.rows_between(verticalOffset(), verticalOffset());
    const bool moved = verticalOffset() > 0 && first <= last;
    doItemsLayout();
    updateGeometries();
    if (moved)
        verticalScrollBar()->setValue(std::max(0, layout_.cell(first).top() - metrics::heading_height));
}

QModelIndex ResultsView::moveCursor(CursorAction action, Qt::KeyboardModifiers)
{
    if (!results_ || layout_.count() == 0)
        return {};
    const int last = layout_.count() - 1;
    if (!currentIndex().isValid())
        return results_->index(action == MoveEnd ? last : 0);
    int row = currentIndex().row();
    const int line = layout_.picture_size().height() + metrics::caption_height;
    const int page = std::max(1, viewport()->height() / std::max(1, line) - 1);
    switch (action) {
    case MoveLeft:
    case MovePrevious:
        row = std::max(0, row - 1);
        break;
    case MoveRight:
    case MoveNext:
        row = std::min(last, row + 1);
        break;
    case MoveUp:
        row = layout_.moved(row, -1);
        break;
    case MoveDown:
        row = layout_.moved(row, 1);
        break;
    case MovePageUp:
        row = layout_.moved(row, -page);
        break;
    case MovePageDown:
        row = layout_.moved(row, page);
        break;
    case MoveHome:
        row = 0;
        break;
    case MoveEnd:
        row = last;
        break;
    }
    return results_->index(row);
}

void ResultsView::currentChanged(const QModelIndex& current, const QModelIndex& previous)
{
    if (current.isValid() && !(QGuiApplication::keyboardModifiers() & Qt::ShiftModifier))
        anchor_ = current.row();
    QAbstractItemView::currentChanged(current, previous);
}

void ResultsView::setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags command)
{
    if (!results_)
        return;
    QItemSelection chosen;
    const bool ranged = (command & QItemSelectionModel::Current) && state() != DragSelectingState && currentIndex().isValid();
    if (ranged) {
        const auto [first, last] = std::minmax(anchor_, currentIndex().row());
        chosen.select(results_->index(std::clamp(first, 0, layout_.count() - 1)), results_->index(last));
    } else if (state() != DragSelectingState && currentIndex().isValid()) {
        // By row, not by place: the preview that a press has just opened moves the tiles.
        chosen.select(currentIndex(), currentIndex());
    } else {
        const QRect content = rect.normalized().translated(0, verticalOffset());
        const auto [first, last] = layout_.rows_between(content.top(), content.bottom());
        for (int row = first; row <= last; ++row)
            if (layout_.cell(row).intersects(content))
                chosen.select(results_->index(row), results_->index(row));
    }
    selectionModel()->select(chosen, command);
}

QItemSelectionModel::SelectionFlags ResultsView::selectionCommand(const QModelIndex& index, const QEvent* event) const
{
    // What the button is let go over then was not meant.
    if (event && event->type() == QEvent::MouseButtonRelease && moved_)
        return QItemSelectionModel::NoUpdate;
    return QAbstractItemView::selectionCommand(index, event);
}

QRegion ResultsView::visualRegionForSelection(const QItemSelection& selection) const
{
    const auto [first, last] = layout_.rows_between(verticalOffset(), verticalOffset() + viewport()->height());
    QRegion region;
    for (const QItemSelectionRange& range : selection)
        for (int row = std::max(first, range.top()); row <= std::min(last, range.bottom()); ++row)
            region += on_screen(layout_.cell(row)).adjusted(-5, -5, 5, 5);
    return region;
}

TileState ResultsView::state_of(int row) const
{
    const index::FileHit& hit = results_->hit(row);
    TileState state;
    const QModelIndex index = results_->index(row);
    state.selected = selectionModel()->isSelected(index);
    state.current = index == currentIndex();
    state.focused = hasFocus();
    state.banded = !results_->answer().browsing;
    state.stars = results_->stars(hit);
    if (state.banded && hit.probe.kind != media::Kind::Image) {
        const auto moments = results_->moments(row);
        if (moments.size() > 1)
            state.count_badge = counted(static_cast<qint64>(moments.size()), tr("moment"), tr("moments"));
        if (!moments.empty() && moments.front().moment.start && moments.front().moment.end) {
            state.time_badge = format_span(*moments.front().moment.start, *moments.front().moment.end);
            state.time_is_sound = moments.front().moment.modality == Modality::Sound;
        }
    } else if (hit.probe.kind != media::Kind::Image) {
        state.time_badge = format_time(hit.probe.duration);
        state.time_is_sound = hit.probe.kind == media::Kind::Audio;
    }
    if (row == hovered_ && hit.probe.kind == media::Kind::Video)
        state.scrubbed = hover_at_;
    return state;
}

void ResultsView::paintEvent(QPaintEvent* event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), theme_.colours().background);
    if (!results_ || layout_.count() == 0)
        return;

    painter.setFont([this] {
        QFont font = theme_.font(metrics::caption, QFont::DemiBold);
        font.setLetterSpacing(QFont::AbsoluteSpacing, 0.6);
        return font;
    }());
    painter.setPen(theme_.colours().dim);
    for (int section = 0; section < layout_.section_count(); ++section) {
        const QRect heading = on_screen(layout_.heading(section));
        if (!heading.isEmpty() && heading.intersects(event->rect()))
            painter.drawText(heading.adjusted(0, 6, 0, 0), Qt::AlignVCenter, results_->sections()[section].title);
    }

    const int top = verticalOffset() + event->rect().top() - 6, bottom = verticalOffset() + event->rect().bottom() + 6;
    const auto [first, last] = layout_.rows_between(top, bottom);
    const qint64 now = Thumbnails::now_ms();
    bool fading = false;
    for (int row = last; row >= first; --row) {  // backwards: the first tile's wish is the newest and is served first
        const index::FileHit& hit = results_->hit(row);
        TileState state = state_of(row);
        ThumbnailWish wish = wish_for(hit);
        const Thumbnail* thumbnail = thumbnails_.get(wish);
        QByteArray key = wish.key();
        if (thumbnail) {
            state.opacity = std::clamp(double(now - thumbnail->ready_at) / metrics::fade_ms, 0.0, 1.0);
            fading |= state.opacity < 1;
        }
        if (state.scrubbed >= 0) {
            ThumbnailWish frame = wish;
            frame.time = hit.probe.duration * (std::min(int(hover_at_ * scrub_steps), scrub_steps - 1) + 0.5) / scrub_steps;
            const Thumbnail* fresh = thumbnails_.get(frame);
            if (fresh) {
                last_scrubbed_ = frame.key();
                last_scrub_wish_ = frame;
            } else if (!last_scrubbed_.isEmpty() && last_scrub_wish_.file.native() == hit.path.native()) {
                frame = last_scrub_wish_;
                fresh = thumbnails_.get(frame);
            }
            if (fresh && !fresh->image.isNull()) {
                thumbnail = fresh;
                key = frame.key();
                state.opacity = 1;
            }
        }
        painter_.paint(painter, on_screen(layout_.picture(row)), on_screen(layout_.cell(row)), hit, thumbnail, key, state);
    }
    if (fading)
        fade_.start();
    if (!prefetch_.isActive())
        prefetch_.start();
}

void ResultsView::prefetch()
{
    if (!results_ || !isVisible() || thumbnails_.busy())
        return;
    const int tall = viewport()->height(), top = verticalOffset();
    const auto [first, last] = layout_.rows_between(top + tall, top + 2 * tall);
    for (int row = last; row >= first; --row)
        thumbnails_.get(wish_for(results_->hit(row)));
}

void ResultsView::hover(const QPoint& point)
{
    const QModelIndex index = indexAt(point);
    const int before = hovered_;
    hovered_ = index.isValid() ? index.row() : -1;
    if (hovered_ >= 0) {
        const QRect picture = on_screen(layout_.picture(hovered_));
        hover_at_ = picture.contains(point) ? double(point.x() - picture.left()) / picture.width() : -1;
    }
    if (before != hovered_)
        last_scrubbed_.clear();
    for (const int row : {before, hovered_})
        if (row >= 0 && row < layout_.count())
            viewport()->update(on_screen(layout_.cell(row)).adjusted(-5, -5, 5, 5));
}

void ResultsView::mousePressEvent(QMouseEvent* event)
{
    moved_ = false;
    QAbstractItemView::mousePressEvent(event);
}

void ResultsView::mouseMoveEvent(QMouseEvent* event)
{
    if (event->buttons() == Qt::NoButton) {
        hover(event->position().toPoint());
        listen(event->modifiers() & Qt::AltModifier);
    }
    alt_ = event->modifiers() & Qt::AltModifier;
    QAbstractItemView::mouseMoveEvent(event);
}

bool ResultsView::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::Leave) {
        hover(QPoint(-1, -1));
        listen(false);
    }
    return QAbstractItemView::viewportEvent(event);
}

void ResultsView::mouseDoubleClickEvent(QMouseEvent* event)
{
    const QModelIndex index = indexAt(event->position().toPoint());
    if (index.isValid() && event->button() == Qt::LeftButton)
        Q_EMIT opened(index.row());
    else
        QAbstractItemView::mouseDoubleClickEvent(event);
}

void ResultsView::keyPressEvent(QKeyEvent* event)
{
    const int row = currentIndex().isValid() ? currentIndex().row() : -1;
    switch (event->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (row >= 0)
            Q_EMIT opened(row);
        return;
    case Qt::Key_Space:
        if (row >= 0)
            Q_EMIT play_wanted(row);
        return;
    case Qt::Key_Delete:
        return;  // never deletes a file
    case Qt::Key_Alt:
        listen(true);
        return;
    case Qt::Key_BracketLeft:
    case Qt::Key_BracketRight:
        event->ignore();
        return;  // the preview walks its peaks
    default:
        QAbstractItemView::keyPressEvent(event);
    }
}

void ResultsView::keyReleaseEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Alt)
        listen(false);
    QAbstractItemView::keyReleaseEvent(event);
}

void ResultsView::listen(bool alt)
{
    const bool sound =
        alt && hovered_ >= 0 && hovered_ < layout_.count() && results_->hit(hovered_).probe.kind == media::Kind::Audio;
    const int row = sound ? hovered_ : -1;
    if (row == listening_)
        return;
    listening_ = row;
    Q_EMIT listen_wanted(row);
}

void ResultsView::keyboardSearch(const QString& text)
{
    if (!text.trimmed().isEmpty())
        Q_EMIT typed(text);
}

void ResultsView::contextMenuEvent(QContextMenuEvent* event)
{
    QPoint point = event->pos();
    if (event->reason() == QContextMenuEvent::Keyboard && currentIndex().isValid())
        point = visualRect(currentIndex()).center();
    const QModelIndex index = indexAt(point);
    if (index.isValid())
        Q_EMIT menu_wanted(index.row(), viewport()->mapToGlobal(point));
}

void ResultsView::startDrag(Qt::DropActions supported)
{
    const QModelIndexList chosen = selectionModel()->selectedIndexes();
    if (chosen.isEmpty())
        return;
    const QRect picture = on_screen(layout_.picture(currentIndex().isValid() ? currentIndex().row() : chosen.front().row()));
    const QPixmap tile = viewport()->grab(picture).scaledToWidth(140, Qt::SmoothTransformation);
    if (alt_) {
        std::vector<int> rows;
        for (const QModelIndex& index : chosen)
            rows.push_back(index.row());
        Q_EMIT clips_dragged(rows, tile);
        return;
    }
    auto* drag = new QDrag(this);
    drag->setMimeData(results_->mimeData(chosen));
    drag->setPixmap(tile);
    drag->setHotSpot(QPoint(tile.width() / 2, tile.height() / 2));
    drag->exec(supported, Qt::CopyAction);
}

}  // namespace imprint::gui
