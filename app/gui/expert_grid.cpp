// SPDX-License-Identifier: Apache-2.0
// Painted by hand: a table widget of a hundred cells would be slower and say less.
#include "app/gui/expert_grid.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "app/gui/figures.h"

namespace imprint::gui {
namespace {

constexpr int margin = 18, head = 46, row_height = 26, tile_height = 20, name_width = 124, foot = 40;

QString percent(double share) { return QStringLiteral("%1 %").arg(share * 100, 0, 'f', 1); }

QColor mixed(const QColor& a, const QColor& b, double t)
{
    const auto part = [t](double x, double y) { return float(x + (y - x) * t); };
    return QColor::fromRgbF(part(a.redF(), b.redF()), part(a.greenF(), b.greenF()), part(a.blueF(), b.blueF()));
}

}  // namespace

ExpertGrid::ExpertGrid(const Theme& theme, QWidget* parent) : QFrame(parent), theme_(theme)
{
    setObjectName(QStringLiteral("card"));
    setAccessibleName(tr("Use of experts"));
    setFocusPolicy(Qt::TabFocus);
    setMinimumHeight(160);
    connect(&theme_, &Theme::changed, this, qOverload<>(&ExpertGrid::update));
    set_use({}, {});
}

void ExpertGrid::set_use(const std::map<std::string, training::ExpertUse>& use, std::optional<double> left_behind)
{
    rows_.clear();
    most_ = 0;
    QStringList words;
    for (const auto& [objective, layers] : use) {
        if (layers.empty() || layers.back().empty())
            continue;
        rows_.emplace_back(QString::fromStdString(objective), layers.back());
        const auto& shares = layers.back();
        const auto most = std::max_element(shares.begin(), shares.end());
        most_ = std::max(most_, *most);
        words << tr("%1: expert %2 takes most, %3")
                     .arg(rows_.back().first, QString::number(most - shares.begin() + 1), percent(*most));
    }
    note_ = rows_.empty() ? tr("Shown once a step has gone through the mixture of experts.")
        : left_behind     ? tr("%1 of tokens are taken by no expert").arg(percent(*left_behind))
                          : QString();
    setAccessibleDescription((words << note_).join(QStringLiteral(". ")));
    setMinimumHeight(head + row_height * std::max(1, rows()) + foot);
    update();
}

QRectF ExpertGrid::tile(size_t row, size_t expert) const
{
    const double wide = (width() - 2 * margin - name_width) / double(std::max<size_t>(1, rows_[row].second.size()));
    return {margin + name_width + double(expert) * wide, head + double(row) * row_height, std::min(wide - 3, 44.0 + wide / 4),
            tile_height};
}

void ExpertGrid::paintEvent(QPaintEvent* event)
{
    QFrame::paintEvent(event);
    const Palette& colours = theme_.colours();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme_.font(metrics::card, QFont::DemiBold));
    painter.setPen(colours.ink);
    const QString title = tr("Experts");
    painter.drawText(QRect(margin, 14, width() - 2 * margin, 20), Qt::AlignLeft | Qt::AlignVCenter, title);
    const int behind = margin + painter.fontMetrics().horizontalAdvance(title) + 8;
    painter.setFont(theme_.font());
    painter.setPen(colours.dim);
    painter.drawText(QRect(behind, 14, width() - behind - margin, 20), Qt::AlignLeft | Qt::AlignVCenter,
                     tr("share of tokens, last sparse layer"));
    for (size_t row = 0; row < rows_.size(); ++row) {
        const auto& [name, shares] = rows_[row];
        painter.setPen(colours.dim);
        painter.drawText(QRectF(margin, tile(row, 0).top(), name_width - 10, tile_height), Qt::AlignVCenter,
                         painter.fontMetrics().elidedText(name, Qt::ElideRight, name_width - 10));
        painter.setPen(Qt::NoPen);
        for (size_t expert = 0; expert < shares.size(); ++expert) {
            painter.setBrush(mixed(colours.well, colours.accent, most_ > 0 ? std::clamp(shares[expert] / most_, 0.0, 1.0) : 0));
            painter.drawRoundedRect(tile(row, expert), 4, 4);
        }
    }
    painter.setPen(colours.dim);
    draw_figures(painter, QRect(margin, head + row_height * std::max(0, rows()) + 4, width() - 2 * margin, 24), Qt::AlignLeft,
                 note_);
    if (hasFocus()) {
        painter.setPen(QPen(colours.accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::tile_radius, metrics::tile_radius);
    }
}

bool ExpertGrid::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        for (size_t row = 0; row < rows_.size(); ++row)
            for (size_t expert = 0; expert < rows_[row].second.size(); ++expert)
                if (tile(row, expert).contains(help->pos())) {
                    QToolTip::showText(
                        help->globalPos(),
                        tr("%1, expert %2: %3").arg(rows_[row].first).arg(expert + 1).arg(percent(rows_[row].second[expert])),
                        this);
                    return true;
                }
        QToolTip::hideText();
        return true;
    }
    return QFrame::event(event);
}

}  // namespace imprint::gui
