// SPDX-License-Identifier: Apache-2.0
// The cards scroll together where the window is low; the line above them stays.
#include "app/gui/run_view.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include "app/gui/figures.h"

namespace imprint::gui {

RunView::RunView(const Theme& theme, QWidget* parent)
    : QWidget(parent), step_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Ink)),
      speed_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)),
      saved_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)), line_(new ProgressLine(theme)),
      loss_(new LineChart(theme, tr("Loss by objective"), tr("The first step has not ended yet."))),
      held_out_(new LineChart(theme, tr("Held out"), tr("No evaluation has been made yet."))),
      accuracy_(new LineChart(theme, tr("Accuracy in training"), tr("No objective has told an accuracy yet."))),
      experts_(new ExpertGrid(theme))
{
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(metrics::page_margin + 2, 14, metrics::page_margin, 2);
    bar->setSpacing(16);
    bar->addWidget(step_);
    bar->addWidget(line_);
    bar->addWidget(speed_);
    bar->addStretch();
    bar->addWidget(saved_);

    auto* body = new QWidget;
    body->setObjectName(QStringLiteral("pageBody"));
    auto* cards = new QGridLayout(body);
    cards->setContentsMargins(metrics::page_margin, 12, metrics::page_margin, metrics::page_margin);
    cards->setSpacing(metrics::tile_gap);
    cards->addWidget(loss_, 0, 0);
    cards->addWidget(held_out_, 0, 1);
    cards->addWidget(accuracy_, 1, 0);
    cards->addWidget(experts_, 1, 1);
    for (const int i : {0, 1}) {
        cards->setColumnStretch(i, 1);
        cards->setRowStretch(i, 1);
    }
    auto* area = new QScrollArea;
    area->setWidget(body);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setFocusPolicy(Qt::NoFocus);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(bar);
    column->addWidget(area, 1);
}

void RunView::show_run(const RunPicture& picture, RunService::State state)
{
    using State = RunService::State;
    step_->set_text(picture.steps > 0 ? tr("Step %1 of %2").arg(format_count(picture.step), format_count(picture.steps))
                                      : tr("Step %1").arg(format_count(picture.step)));
    line_->set_share(picture.steps > 0 ? double(picture.step) / double(picture.steps) : state == State::Starting ? -1 : 0);
    QStringList speed;
    if (state == State::Running && picture.samples_per_second > 0)
        speed << tr("%1 samples/s").arg(format_count(qRound64(picture.samples_per_second)));
    if (state == State::Running && picture.seconds_left)
        speed << format_left(*picture.seconds_left);
    speed_->set_text(speed.join(QStringLiteral(" · ")));
    saved_->set_text(state == State::Finished ? tr("finished")
                         : picture.status.saved_step
                         ? tr("resumable · saved at step %1").arg(format_count(*picture.status.saved_step))
                         : tr("nothing saved yet"));
    loss_->set_curves(picture.loss, double(picture.step));
    held_out_->set_curves(picture.held_out, double(picture.step));
    accuracy_->set_curves(picture.accuracy, double(picture.step));
    experts_->set_use(picture.experts, picture.left_behind);
}

}  // namespace imprint::gui
