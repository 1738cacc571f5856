// SPDX-License-Identifier: Apache-2.0
// Qt 6.4 cannot switch on a font's tabular figures, so digits are set one by one.
#include "app/gui/figures.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFontMetrics>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace imprint::gui {
namespace {

struct Figures {
    Q_DECLARE_TR_FUNCTIONS(Figures)
};

int digit_width(const QFontMetrics& metrics)
{
    int width = 0;
    for (char digit = '0'; digit <= '9'; ++digit)
        width = std::max(width, metrics.horizontalAdvance(QLatin1Char(digit)));
    return width;
}

bool is_digit(QChar c) { return c >= QLatin1Char('0') && c <= QLatin1Char('9'); }

QString clock(qint64 seconds)
{
    const qint64 h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;
    if (h)
        return QStringLiteral("%1:%2:%3").arg(h).arg(m, 2, 10, QLatin1Char('0')).arg(s, 2, 10, QLatin1Char('0'));
    return QStringLiteral("%1:%2").arg(m).arg(s, 2, 10, QLatin1Char('0'));
}

/// Rounded down, as clocks do; a trifle up, for what decimals could not write.
qint64 whole(double units) { return std::max<qint64>(0, static_cast<qint64>(std::floor(units + 1e-6))); }

QString clock_with_tenths(double seconds)
{
    const qint64 tenths = whole(10 * seconds);
    return clock(tenths / 10) + QLatin1Char('.') + QString::number(tenths % 10);
}

}  // namespace

QLocale figures_locale() { return QLocale().language() == QLocale::C ? QLocale(QLocale::English) : QLocale(); }

QString format_count(qint64 value) { return figures_locale().toString(value); }

QString format_time(double seconds)
{
    return seconds >= 0.1 && whole(seconds) == 0 ? clock_with_tenths(seconds) : clock(whole(seconds));
}

QString format_span(double start, double end, const QString& dash)
{
    const bool within = whole(start) == whole(end) && whole(10 * start) != whole(10 * end);
    const QString from = within ? clock_with_tenths(start) : clock(whole(start));
    const QString to = within ? clock_with_tenths(end) : clock(whole(end));
    return from == to ? from : from + dash + to;
}

QString format_left(double seconds)
{
    if (seconds < 90)
        return Figures::tr("%1 s left").arg(std::max(1LL, std::llround(seconds)));
    if (seconds < 90 * 60)
        return Figures::tr("%1 min left").arg(std::llround(seconds / 60));
    return Figures::tr("%1 h left").arg(std::llround(seconds / 3600));
}

QString format_rate(double per_second)
{
    const int decimals = per_second < 9.95 ? 1 : 0;
    return Figures::tr("%1 files/s").arg(figures_locale().toString(per_second, 'f', decimals));
}

QString format_date(qint64 seconds_since_1970)
{
    return figures_locale().toString(QDateTime::fromSecsSinceEpoch(seconds_since_1970).date(), QStringLiteral("d MMM yyyy"));
}

QString counted(qint64 n, const QString& one, const QString& many)
{
    return format_count(n) + QLatin1Char(' ') + (n == 1 ? one : many);
}

int figures_width(const QFontMetrics& metrics, const QString& text)
{
    int width = 0;
    const int cell = digit_width(metrics);
    for (qsizetype at = 0; at < text.size();) {
        if (is_digit(text[at])) {
            width += cell;
            ++at;
            continue;
        }
        qsizetype end = at;
        while (end < text.size() && !is_digit(text[end]))
            ++end;
        width += metrics.horizontalAdvance(text.mid(at, end - at));
        at = end;
    }
    return width;
}

int draw_figures(QPainter& painter, const QRect& rect, Qt::Alignment alignment, const QString& text)
{
    const QFontMetrics metrics = painter.fontMetrics();
    QString shown = text;
    if (figures_width(metrics, shown) > rect.width())
        shown = metrics.elidedText(text, Qt::ElideRight, rect.width());
    const int width = figures_width(metrics, shown);
    int x = rect.left();
    if (alignment & Qt::AlignRight)
        x = rect.right() + 1 - width;
    else if (alignment & Qt::AlignHCenter)
        x = rect.left() + (rect.width() - width) / 2;
    const int baseline = rect.top() + (rect.height() + metrics.ascent() - metrics.descent()) / 2;
    const int cell = digit_width(metrics);
    for (qsizetype at = 0; at < shown.size();) {
        if (is_digit(shown[at])) {
            const int own = metrics.horizontalAdvance(shown[at]);
            painter.drawText(QPointF(x + (cell - own) / 2.0, baseline), shown.mid(at, 1));
            x += cell;
            ++at;
            continue;
        }
        qsizetype end = at;
        while (end < shown.size() && !is_digit(shown[end]))
            ++end;
        const QString run = shown.mid(at, end - at);
        painter.drawText(QPointF(x, baseline), run);
        x += metrics.horizontalAdvance(run);
        at = end;
    }
    return x;
}

}  // namespace imprint::gui
