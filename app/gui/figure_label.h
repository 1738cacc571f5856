// SPDX-License-Identifier: Apache-2.0
// One line of text with tabular figures, in a colour role of the theme; it may have a bold beginning.
#pragma once

#include <QWidget>

#include "app/gui/theme.h"

namespace imprint::gui {

class FigureLabel : public QWidget {
    Q_OBJECT

public:
    enum class Tone { Ink, Dim, Accent, Bad };

    FigureLabel(const Theme& theme, int pixels, Tone tone, QWidget* parent = nullptr);

    void set_text(const QString& text) { set_text({}, text); }
    /// `strong` is set semi-bold in ink, before `text`.
    void set_text(const QString& strong, const QString& text);
    void set_weight(QFont::Weight weight);
    void set_alignment(Qt::Alignment alignment);
    void set_tone(Tone tone);
    QString text() const { return strong_ + text_; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const Theme& theme_;
    int pixels_;
    Tone tone_;
    QFont::Weight weight_ = QFont::Normal;
    Qt::Alignment alignment_ = Qt::AlignLeft;
    QString strong_, text_;
};

}  // namespace imprint::gui
