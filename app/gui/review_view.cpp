// SPDX-License-Identifier: Apache-2.0
// Rows of one height: a hundred thousand cost no layout.
#include "app/gui/review_view.h"

#include <QCache>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>

#include "app/gui/figures.h"
#include "app/gui/tile_painter.h"

namespace imprint::gui {
namespace {

constexpr int picture_width = 144, picture_height = 84, name_width = 160, bar_width = 190, answer_height = 22;

class ReviewDelegate : public QStyledItemDelegate {
public:
    ReviewDelegate(const Theme& theme, Thumbnails& thumbnails, const ReviewModel& model, QObject* parent)
        : QStyledItemDelegate(parent), theme_(theme), thumbnails_(thumbnails), model_(model)
    {
    }

    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {480, ReviewView::row_height}; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        const Palette& colours = theme_.colours();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const QRect row = option.rect.adjusted(0, 2, -4, -2);
        if (option.state & QStyle::State_Selected) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(colours.accent_soft);
            painter->drawRoundedRect(row, metrics::tile_radius, metrics::tile_radius);
        }
        paint_picture(*painter, QRect(row.left() + 12, row.center().y() - picture_height / 2, picture_width, picture_height),
                      index);

        const int left = row.left() + 12 + picture_width + 16, right = row.right() - 16;
        painter->setFont(theme_.font(metrics::text, QFont::DemiBold));
        painter->setPen(colours.ink);
        draw_figures(*painter, QRect(left, row.top() + 8, right - left, 20), Qt::AlignLeft,
                     index.data(Qt::DisplayRole).toString());
        const jobs::LabelledMoment& moment = model_.moment(index.row());
        const std::vector<ReviewModel::Answer> answers = model_.answers(index.row());
        for (int i = 0; i < std::min(ReviewView::answers_shown, static_cast<int>(answers.size())); ++i)
            paint_answer(*painter, QRect(left, row.top() + 34 + i * answer_height, right - left, answer_height), i + 1,
                         answers[static_cast<size_t>(i)], moment);

        painter->setFont(theme_.font(metrics::text, moment.verdict ? QFont::DemiBold : QFont::Normal));
        painter->setPen(moment.verdict ? colours.accent_text : colours.dim);
        const int state_left = left + 36 + name_width + bar_width + 24;
        if (state_left < right)
            draw_figures(*painter, QRect(state_left, row.top(), right - state_left, row.height()),
                         Qt::AlignRight | Qt::AlignVCenter, index.data(Qt::UserRole).toString());
        painter->restore();
    }

private:
    void paint_picture(QPainter& painter, const QRect& frame, const QModelIndex& index) const
    {
        const Palette& colours = theme_.colours();
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.well);
        painter.drawRoundedRect(frame, metrics::control_radius, metrics::control_radius);
        const ThumbnailWish wish = ReviewView::wish_for(model_.file(index.row()), model_.moment(index.row()).moment);
        const Thumbnail* thumbnail = thumbnails_.get(wish);
        if (!thumbnail)
            return;
        if (!thumbnail->waveform.empty())
            paint_waveform(painter, QRectF(frame).adjusted(10, 12, -10, -12), thumbnail->waveform, colours.accent);
        else if (!thumbnail->image.isNull())
            painter.drawPixmap(frame, picture(wish.key(), thumbnail->image, frame.size(), painter.device()->devicePixelRatioF()));
    }

    /// Cut to the frame once, not at every scroll.
    QPixmap picture(const QByteArray& key, const QImage& image, const QSize& size, qreal ratio) const
    {
        if (const QPixmap* known = cut_.object(key))
            return *known;
        auto* made = new QPixmap(QPixmap::fromImage(framed(image, size * ratio)));
        made->setDevicePixelRatio(ratio);
        const QPixmap copy = *made;
        cut_.insert(key, made);
        return copy;
    }

    void paint_answer(QPainter& painter, const QRect& line, int digit, const ReviewModel::Answer& answer,
                      const jobs::LabelledMoment& moment) const
    {
        const Palette& colours = theme_.colours();
        const bool chosen = moment.verdict == answer.label;
        const QRect key(line.left(), line.center().y() - 8, 18, 17);
        painter.setPen(chosen ? colours.accent : colours.line);
        painter.setBrush(colours.panel);
        painter.drawRoundedRect(key, 4, 4);
        painter.setFont(theme_.font(metrics::caption));
        painter.setPen(colours.dim);
        painter.drawText(key, Qt::AlignCenter, QString::number(digit));
        painter.setFont(theme_.font(metrics::text, chosen ? QFont::DemiBold : QFont::Normal));
        painter.setPen(colours.ink);
        painter.drawText(QRect(line.left() + 28, line.top(), name_width - 8, line.height()), Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(model_.label_name(answer.label), Qt::ElideRight, name_width - 8));
        const QRect bar(line.left() + 28 + name_width, line.center().y() - 2, bar_width, 4);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.line);
        painter.drawRoundedRect(bar, 2, 2);
        painter.setBrush(answer.probability >= 0.5       ? colours.likely
                             : answer.probability >= 0.1 ? colours.maybe
                                                         : colours.unlikely);
        painter.drawRoundedRect(QRect(bar.topLeft(), QSize(std::max(4, qRound(answer.probability * bar_width)), 4)), 2, 2);
    }

    const Theme& theme_;
    Thumbnails& thumbnails_;
    const ReviewModel& model_;
    mutable QCache<QByteArray, QPixmap> cut_{400};
};

}  // namespace

ReviewView::ReviewView(const Theme& theme, Thumbnails& thumbnails, ReviewModel& model, QWidget* parent)
    : QListView(parent), model_(model)
{
    setAccessibleName(tr("Moments to review"));
    setAccessibleDescription(tr("Digits give an answer, 0 says none of them, Space accepts, J and K move, L plays, Z undoes"));
    setModel(&model);
    setItemDelegate(new ReviewDelegate(theme, thumbnails, model, this));
    setFrameShape(QFrame::NoFrame);
    setUniformItemSizes(true);
    setSelectionMode(SingleSelection);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setAutoFillBackground(false);
    const auto repaint = [this] { viewport()->update(); };
    connect(&theme, &Theme::changed, this, repaint);
    connect(&thumbnails, &Thumbnails::ready, this, repaint);
}

ThumbnailWish ReviewView::wish_for(const jobs::LabelledFile& file, const index::Moment& moment)
{
    ThumbnailWish wish{file.path, file.probe.kind, 0, 0, 256};
    if (moment.modality == Modality::Sound) {
        wish.kind = media::Kind::Audio;
        wish.time = moment.start.value_or(0);
        wish.length = std::max(1.0, moment.end.value_or(file.probe.duration) - wish.time);
    } else if (moment.start) {
        wish.time = (*moment.start + *moment.end) / 2;
    }
    return wish;
}

void ReviewView::move(int by)
{
    if (model_.rowCount() > 0)
        setCurrentIndex(model_.index(std::clamp(currentIndex().row() + by, 0, model_.rowCount() - 1)));
}

void ReviewView::go_on()
{
    for (int row = currentIndex().row() + 1; row < model_.rowCount(); ++row)
        if (!model_.moment(row).verdict) {
            setCurrentIndex(model_.index(row));
            return;
        }
    move(1);
}

void ReviewView::keyPressEvent(QKeyEvent* event)
{
    const int row = currentIndex().row(), key = event->key();
    if (key == Qt::Key_Z) {  // also with Ctrl
        Q_EMIT undo_wanted();
        return;
    }
    if (row < 0 || (event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier))) {
        QListView::keyPressEvent(event);
        return;
    }
    if (key >= Qt::Key_1 && key <= Qt::Key_9) {
        const auto answers = model_.answers(row);
        if (const auto digit = static_cast<size_t>(key - Qt::Key_1); digit < answers.size())
            Q_EMIT said(row, answers[digit].label);
    } else if (key == Qt::Key_0) {
        Q_EMIT said(row, jobs::LabelledMoment::kNone);
    } else if (key == Qt::Key_Space) {
        Q_EMIT said(row, model_.accepted(row));
    } else if (key == Qt::Key_J || key == Qt::Key_K) {
        move(key == Qt::Key_J ? 1 : -1);
    } else if (key == Qt::Key_L) {
        Q_EMIT look_wanted(row);
    } else {
        QListView::keyPressEvent(event);
    }
}

void ReviewView::currentChanged(const QModelIndex& current, const QModelIndex& previous)
{
    QListView::currentChanged(current, previous);
    Q_EMIT current_changed(current.row());
}

}  // namespace imprint::gui
