// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, and text whose digits all stand in cells of one width.
#pragma once

#include <QLocale>
#include <QPainter>
#include <QString>
#include <optional>

namespace imprint::gui {

/// Of numbers and dates: English where the window is.
QLocale figures_locale();
QString format_count(qint64 value);   ///< 18204 → "18,204"
QString format_time(double seconds);  ///< 728 → "12:08", 4000 → "1:06:40", 0.92 → "0:00.9"
/// "12:08–12:14"; within one second with tenths: "12:08.2–12:08.9".
QString format_span(double start, double end, const QString& dash = QStringLiteral("–"));
QString format_left(double seconds);                                 ///< "45 s left", "3 min left", "2 h left"
QString format_rate(double per_second);                              ///< "71 files/s", "0.4 files/s"
QString format_date(qint64 seconds_since_1970);                      ///< "14 May 2022"
QString counted(qint64 n, const QString& one, const QString& many);  ///< "1 moment", "5 moments"

/// Width that draw_figures needs.
int figures_width(const QFontMetrics& metrics, const QString& text);
/// Draws one line in the painter's font and pen with tabular figures: numbers that change do not make their neighbours
/// dance. Elides on the right. Returns the x behind the text.
int draw_figures(QPainter& painter, const QRect& rect, Qt::Alignment alignment, const QString& text);

}  // namespace imprint::gui
