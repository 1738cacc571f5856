// SPDX-License-Identifier: Apache-2.0
// Series are kept and their points replaced: Qt Charts rebuilds much when a series comes or goes.
#include "app/gui/line_chart.h"

#include <QLineSeries>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "training/log/chart.h"

namespace imprint::gui {
namespace {

constexpr int least_height = 186, wanted_ticks = 4;

/// Ticks at round values; a range that begins and ends on them where it `ends_round`.
void fit(QValueAxis& axis, double low, double high, bool ends_round)
{
    if (!(high > low)) {
        low -= std::max(0.5, std::abs(low) * 0.1);
        high += std::max(0.5, std::abs(high) * 0.1);
    }
    const std::vector<double> marks = training::ticks(low, high, wanted_ticks);
    const double step = marks.size() > 1 ? marks[1] - marks[0] : high - low;
    if (ends_round) {
        low = std::floor(low / step + 1e-9) * step;
        high = std::ceil(high / step - 1e-9) * step;
    }
    axis.setTickType(QValueAxis::TicksDynamic);
    axis.setTickAnchor(std::floor(low / step) * step);
    axis.setTickInterval(step);
    axis.setRange(low, high);
    axis.setLabelFormat(step >= 1 ? QStringLiteral("%.0f") : step >= 0.1 ? QStringLiteral("%.1f") : QStringLiteral("%.2g"));
}

}  // namespace

LineChart::LineChart(const Theme& theme, const QString& title, const QString& waiting, QWidget* parent)
    : QFrame(parent), theme_(theme), legend_(new QLabel), waiting_(waiting), view_(new QChartView), steps_(new QValueAxis(this)),
      values_(new QValueAxis(this))
{
    setObjectName(QStringLiteral("card"));
    setAccessibleName(title);
    setFocusPolicy(Qt::TabFocus);  // so that a screen reader comes by and tells the last values
    auto* heading = new QLabel(title);
    heading->setProperty("role", "card");
    legend_->setProperty("role", "dim");
    legend_->setTextFormat(Qt::RichText);
    legend_->setWordWrap(true);
    view_->setFocusPolicy(Qt::NoFocus);
    view_->viewport()->setFocusPolicy(Qt::NoFocus);
    view_->setFrameShape(QFrame::NoFrame);
    view_->setRenderHint(QPainter::Antialiasing);
    view_->setMinimumHeight(least_height);
    QChart* chart = view_->chart();
    chart->legend()->hide();
    chart->setMargins({0, 0, 0, 0});
    chart->layout()->setContentsMargins(0, 0, 0, 0);
    chart->setBackgroundRoundness(0);
    chart->setBackgroundVisible(false);
    chart->addAxis(steps_, Qt::AlignBottom);
    chart->addAxis(values_, Qt::AlignLeft);
    steps_->setGridLineVisible(false);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(18, 14, 14, 10);
    column->setSpacing(4);
    column->addWidget(heading);
    column->addWidget(legend_);
    column->addWidget(view_, 1);
    connect(&theme_, &Theme::changed, this, &LineChart::tint);
    tint();
}

void LineChart::set_curves(const std::map<std::string, training::Curve>& curves, double until)
{
    curves_ = curves;
    until_ = until;
    std::erase_if(curves_, [](const auto& entry) { return entry.second.empty(); });
    draw();
}

void LineChart::tint()
{
    const Palette& colours = theme_.colours();
    view_->setBackgroundBrush(colours.panel);
    for (QValueAxis* axis : {steps_, values_}) {
        axis->setLabelsColor(colours.dim);
        axis->setLabelsFont(theme_.font(metrics::caption));
        axis->setGridLineColor(colours.line);
        axis->setLinePenColor(colours.line);
    }
    values_->setLineVisible(false);
    draw();
}

void LineChart::draw()
{
    QChart* chart = view_->chart();
    view_->setVisible(!curves_.empty());
    while (chart->series().size() > int(curves_.size())) {
        QAbstractSeries* last = chart->series().last();
        chart->removeSeries(last);
        delete last;
    }
    double low = HUGE_VAL, high = -HUGE_VAL, last_step = std::max(1.0, until_);
    QStringList words, plain;
    int i = 0;
    for (const auto& [name, curve] : curves_) {
        if (i == chart->series().size()) {
            auto* series = new QLineSeries;
            chart->addSeries(series);
            series->attachAxis(steps_);
            series->attachAxis(values_);
        }
        auto* series = static_cast<QLineSeries*>(chart->series().at(i));
        const QColor colour = theme_.series(i);
        series->setPen(QPen(colour, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        series->setPointsVisible(curve.size() < 3);  // two points hardly make a line
        QList<QPointF> points;
        for (const auto& [step, value] : curve)
            if (std::isfinite(value)) {
                points << QPointF(double(step), value);
                low = std::min(low, value);
                high = std::max(high, value);
            }
        series->replace(points);
        last_step = std::max(last_step, double(curve.back().first));
        const QString shown = QString::fromStdString(name), value = QString::number(curve.back().second, 'g', 3);
        words
            << QStringLiteral("<span style='color:%1'>●</span>&nbsp;%2&nbsp;%3").arg(colour.name(), shown.toHtmlEscaped(), value);
        plain << QStringLiteral("%1 %2").arg(shown, value);
        ++i;
    }
    legend_->setText(curves_.empty() ? waiting_ : words.join(QStringLiteral(" &nbsp; ")));
    setAccessibleDescription(curves_.empty() ? waiting_ : tr("Last values: %1").arg(plain.join(QStringLiteral(", "))));
    if (low <= high) {
        fit(*values_, low, high, true);
        fit(*steps_, 0, last_step, false);
    }
}

}  // namespace imprint::gui
