// SPDX-License-Identifier: Apache-2.0
// It listens to the index service; the window tells it the rest.
#include "app/gui/status_strip.h"

#include <QHBoxLayout>

#include "app/gui/figures.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {

QString progress_words(const jobs::IndexProgress& progress)
{
    if (progress.stage == "scanning" || progress.found == 0)
        return StatusStrip::tr("%1 found").arg(format_count(progress.found));
    QStringList parts{StatusStrip::tr("%1 of %2").arg(format_count(progress.done), format_count(progress.found))};
    if (progress.files_per_second > 0) {
        parts << format_rate(progress.files_per_second);
        if (progress.done < progress.found)
            parts << format_left(double(progress.found - progress.done) / progress.files_per_second);
    }
    return parts.join(QStringLiteral(" · "));
}

double progress_share(const jobs::IndexProgress& progress)
{
    return progress.found > 0 && progress.stage != "scanning" ? double(progress.done) / double(progress.found) : -1;
}

StatusStrip::StatusStrip(const Theme& theme, IndexService& index, QWidget* parent)
    : QFrame(parent), theme_(theme), index_(index), left_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)),
      numbers_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)),
      model_(new FigureLabel(theme, metrics::text, FigureLabel::Tone::Dim)), line_(new ProgressLine(theme)),
      pause_(new QPushButton(tr("Pause"))), failures_(new QPushButton)
{
    setObjectName(QStringLiteral("statusStrip"));
    setAccessibleName(tr("Status"));
    setFixedHeight(metrics::status_height);
    for (QPushButton* button : {pause_, failures_})
        button->setProperty("role", "quiet");
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(metrics::page_margin, 1, metrics::page_margin, 0);
    row->setSpacing(16);
    row->addWidget(left_);
    row->addWidget(line_);
    row->addWidget(numbers_);
    row->addWidget(pause_);
    row->addStretch();
    row->addWidget(failures_);
    row->addWidget(model_);
    connect(pause_, &QPushButton::clicked, this, [this] {
        if (index_.state() == IndexService::State::Paused)
            index_.resume();
        else
            index_.pause();
    });
    connect(failures_, &QPushButton::clicked, this, &StatusStrip::failures_wanted);
    connect(&index_, &IndexService::state_changed, this, &StatusStrip::refresh);
    connect(&index_, &IndexService::progressed, this, &StatusStrip::refresh);
    connect(&theme_, &Theme::changed, this, &StatusStrip::refresh);
    saying_.setSingleShot(true);
    saying_.setInterval(8000);
    connect(&saying_, &QTimer::timeout, this, &StatusStrip::refresh);
    set_failures(0);
    refresh();
}

void StatusStrip::say(const QString& words)
{
    said_ = words;
    saying_.start();
    refresh();
}

void StatusStrip::set_failures(qint64 count)
{
    failures_->setVisible(count > 0);
    failures_->setText(counted(count, tr("failure"), tr("failures")) + QStringLiteral(" ›"));
}

void StatusStrip::set_model(const Model& model)
{
    const QString device = model.device.section(QLatin1Char(':'), 0, 0) == QLatin1String("cuda")
        ? QStringLiteral("GPU %1").arg(model.device.section(QLatin1Char(':'), 1).toInt())
        : QStringLiteral("CPU");
    model_->set_text(QStringLiteral("%1 · %2 %3").arg(model.name, device, model.precision));
}

void StatusStrip::refresh()
{
    using State = IndexService::State;
    const State state = index_.state();
    const bool active = state != State::Idle;
    for (QWidget* widget : std::initializer_list<QWidget*>{line_, numbers_, pause_})
        widget->setVisible(active);
    if (!active) {
        left_->set_text(saying_.isActive() ? said_ : tr("Ready"));
        return;
    }
    const QString what =
        index_.current().size() == 1 ? shown_name(index_.current().front()) : tr("%1 folders").arg(index_.current().size());
    const QString doing = state == State::Paused     ? tr("Paused: %1")
        : state == State::Pausing                    ? tr("Pausing %1")
        : state == State::Stopping                   ? tr("Stopping %1")
        : index_.model() == index_.current().front() ? tr("Reading for the model %1")
                                                     : tr("Indexing %1");
    left_->set_text(doing.arg(what));
    line_->set_share(state == State::Paused ? std::max(0.0, progress_share(index_.progress()))
                                            : progress_share(index_.progress()));
    numbers_->set_text(progress_words(index_.progress()));
    const bool paused = state == State::Paused;
    pause_->setText(paused ? tr("Resume") : tr("Pause"));
    pause_->setEnabled(state == State::Running || paused);
    pause_->setIcon(icon(paused ? QStringLiteral("play") : QStringLiteral("pause"), theme_.colours().dim, 14));
    pause_->setIconSize({14, 14});
}

}  // namespace imprint::gui
