// SPDX-License-Identifier: Apache-2.0
// QLabel cannot set digits in cells, hence an own small label.
#include "app/gui/figure_label.h"

#include <QPainter>
#include <algorithm>

#include "app/gui/figures.h"

namespace imprint::gui {

FigureLabel::FigureLabel(const Theme& theme, int pixels, Tone tone, QWidget* parent)
    : QWidget(parent), theme_(theme), pixels_(pixels), tone_(tone)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    connect(&theme_, &Theme::changed, this, qOverload<>(&FigureLabel::update));
}

void FigureLabel::set_text(const QString& strong, const QString& text)
{
    if (strong == strong_ && text == text_)
        return;
    strong_ = strong;
    text_ = text;
    setAccessibleName(this->text());
    updateGeometry();
    update();
}

void FigureLabel::set_weight(QFont::Weight weight)
{
    weight_ = weight;
    updateGeometry();
}

void FigureLabel::set_alignment(Qt::Alignment alignment)
{
    alignment_ = alignment;
    update();
}

void FigureLabel::set_tone(Tone tone)
{
    tone_ = tone;
    update();
}

QSize FigureLabel::sizeHint() const
{
    const QFontMetrics bold(theme_.font(pixels_, QFont::DemiBold)), plain(theme_.font(pixels_, weight_));
    return {figures_width(bold, strong_) + figures_width(plain, text_) + 2, std::max(bold.height(), plain.height()) + 2};
}

QSize FigureLabel::minimumSizeHint() const { return {std::min(24, sizeHint().width()), sizeHint().height()}; }

void FigureLabel::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const Palette& colours = theme_.colours();
    QRect room = rect();
    if (!strong_.isEmpty()) {
        painter.setFont(theme_.font(pixels_, QFont::DemiBold));
        painter.setPen(colours.ink);
        room.setLeft(draw_figures(painter, room, Qt::AlignLeft, strong_));
    }
    painter.setFont(theme_.font(pixels_, weight_));
    switch (tone_) {
    case Tone::Ink:
        painter.setPen(colours.ink);
        break;
    case Tone::Dim:
        painter.setPen(colours.dim);
        break;
    case Tone::Accent:
        painter.setPen(colours.accent);
        break;
    case Tone::Bad:
        painter.setPen(colours.bad);
        break;
    }
    draw_figures(painter, room, alignment_, text_);
}

}  // namespace imprint::gui
