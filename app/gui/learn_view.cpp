// SPDX-License-Identifier: Apache-2.0
// The slider's last place on the left says "by itself": the greatest share of the new that general search bears.
#include "app/gui/learn_view.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "app/gui/figures.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

constexpr int blend_steps = 4;  // 0, 25, … 100 %; −1: by itself
constexpr jobs::FinetuneMode modes[] = {jobs::FinetuneMode::Auto, jobs::FinetuneMode::Probe, jobs::FinetuneMode::Lora,
                                        jobs::FinetuneMode::Full};

QLabel* words(const char* role)
{
    auto* label = new QLabel;
    label->setProperty("role", role);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    return label;
}

}  // namespace

LearnView::LearnView(const Theme& theme, LearnService& learn, QWidget* parent)
    : QWidget(parent), learn_(learn), mode_(new Segmented(tr("How"), {tr("By itself"), tr("Layer"), tr("LoRA"), tr("Full")})),
      stage_(words("dim")), verdict_(words("card")), blended_(words("dim")), warnings_(words("warning")),
      line_(new ProgressLine(theme)), stop_(new QPushButton(tr("Stop"))), again_(new QPushButton(tr("Learn again"))),
      use_(new QPushButton(tr("Use this model"))), label_(new QPushButton(tr("Label with it"))), table_(new QTableView),
      blend_(new QSlider(Qt::Horizontal))
{
    auto* bar = new QHBoxLayout;
    bar->setSpacing(12);
    bar->addWidget(mode_);
    bar->addWidget(again_);
    bar->addWidget(stop_);
    bar->addWidget(line_);
    bar->addWidget(stage_, 1);
    result_ = make_result();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(metrics::page_margin, 12, metrics::page_margin, metrics::page_margin);
    column->setSpacing(12);
    column->addLayout(bar);
    column->addWidget(result_, 1);
    column->addStretch();

    connect(again_, &QPushButton::clicked, this, &LearnView::begin);
    connect(stop_, &QPushButton::clicked, this, [this] { learn_.stop(); });
    connect(use_, &QPushButton::clicked, this, [this] { Q_EMIT use_model_wanted(model_.report()->checkpoint); });
    connect(label_, &QPushButton::clicked, this, [this] { Q_EMIT label_wanted(model_.report()->label_set); });
    connect(blend_, &QSlider::valueChanged, this, &LearnView::show_blend);
    connect(&learn_, &LearnService::progressed, this, &LearnView::show_progress);
    connect(&learn_, &LearnService::learned, this, &LearnView::take);
    connect(&learn_, &LearnService::stopped, this, [this] {
        stage_->setText(tr("Stopped; nothing was written."));
        show_state();
    });
    connect(&learn_, &LearnService::failed, this, [this] {
        stage_->clear();
        show_state();
    });
    show_state();
}

QWidget* LearnView::make_result()
{
    auto* card = new QFrame;
    card->setObjectName(QStringLiteral("card"));
    table_->setModel(&model_);
    table_->setAccessibleName(tr("Before and after, by class"));
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setTabKeyNavigation(false);
    table_->setShowGrid(false);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(30);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    table_->horizontalHeader()->setFocusPolicy(Qt::NoFocus);
    blend_->setRange(-1, blend_steps);
    blend_->setValue(-1);
    blend_->setPageStep(1);
    blend_->setFixedWidth(240);
    blend_->setAccessibleName(tr("Blend of old and new weights"));
    use_->setProperty("role", "primary");
    use_->setToolTip(tr("Reads the library again for it, in the background; until that is done the model of now answers"));
    auto* mix = new QHBoxLayout;
    mix->setSpacing(12);
    auto* title = words("dim");
    title->setWordWrap(false);
    title->setText(tr("Blend old and new"));
    mix->addWidget(title);
    mix->addWidget(blend_);
    mix->addWidget(blended_, 1);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addStretch();
    buttons->addWidget(label_);
    buttons->addWidget(use_);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(18, 14, 18, 14);
    column->setSpacing(10);
    column->addWidget(verdict_);
    column->addWidget(warnings_);
    column->addWidget(table_, 1);
    column->addLayout(mix);
    column->addLayout(buttons);
    return card;
}

void LearnView::start(const jobs::FinetuneOptions& what)
{
    what_ = what;
    blend_->setValue(-1);
    model_.set_report(nullptr);
    begin();
}

void LearnView::begin()
{
    what_.mode = modes[std::clamp(mode_->chosen(), 0, 3)];
    // A layer has no weights to blend: asked for, it would be refused.
    const bool network = what_.mode == jobs::FinetuneMode::Auto
        ? model_.report() && model_.report()->mode != jobs::FinetuneMode::Probe
        : what_.mode != jobs::FinetuneMode::Probe;
    what_.blend.reset();
    if (network && blend_->value() >= 0)
        what_.blend = double(blend_->value()) / blend_steps;
    learn_.learn(what_);
    stage_->clear();
    line_->set_share(-1);
    show_state();
}

void LearnView::show_progress(const jobs::FinetuneProgress& progress)
{
    const std::pair<const char*, QString> stages[] = {{"reading", tr("Reading the examples")},
                                                      {"learning", tr("Learning")},
                                                      {"measuring", tr("Measuring what changed")},
                                                      {"writing", tr("Writing")}};
    QStringList parts;
    for (const auto& [stage, text] : stages)
        if (progress.stage == stage)
            parts << text;
    if (progress.of > 0)
        parts << tr("%1 of %2").arg(format_count(progress.done), format_count(progress.of));
    if (progress.accuracy)
        parts << tr("%1 % right of those it watches").arg(std::lround(100 * *progress.accuracy));
    stage_->setText(parts.join(QStringLiteral(" · ")));
    line_->set_share(progress.of > 0 ? double(progress.done) / double(progress.of) : -1);
}

void LearnView::take(const LearnReportPtr& report)
{
    model_.set_report(report);
    if (!report->learned_before)
        looked_at_.clear();
    looked_at_.insert(looked_at_.begin(), report->blends.begin(), report->blends.end());
    QStringList left;
    for (const auto& [name, files] : report->left_out)
        left << tr("Left out: %1, which has %2 readable files.").arg(QString::fromStdString(name), format_count(files));
    if (!report->failed.empty())
        left << tr("%1 could not be read.").arg(counted(qint64(report->failed.size()), tr("file"), tr("files")));
    for (const std::string& warning : report->warnings)
        left << QString::fromStdString(warning);
    warnings_->setText(left.join(QLatin1Char('\n')));
    const jobs::Estimate& right = report->all.tuned.value_or(report->all.probed);
    const auto percent = [](double share) { return std::lround(100 * share); };
    verdict_->setText(tr("%1 % of the held-out files are right (between %2 and %3 %); by name alone it was %4 %.")
                          .arg(percent(right.share))
                          .arg(percent(right.low))
                          .arg(percent(right.high))
                          .arg(percent(report->all.by_name.share)));
    const QString done = report->learned_before ? tr("Blended anew for %1 in %2 s") : tr("Learned from %1 in %2 s");
    stage_->setText(done.arg(counted(report->files, tr("file"), tr("files"))).arg(report->seconds, 0, 'f', 1));
    show_state();
    show_blend();
}

void LearnView::show_state()
{
    const bool busy = learn_.busy();
    const LearnReportPtr& report = model_.report();
    stop_->setVisible(busy);
    line_->setVisible(busy);
    again_->setVisible(!busy);
    mode_->setEnabled(!busy);
    result_->setVisible(report && !busy);
    if (!report)
        return;
    warnings_->setVisible(!warnings_->text().isEmpty());
    use_->setVisible(!report->checkpoint.empty());
    blend_->setVisible(!report->blends.empty());
}

void LearnView::show_blend()
{
    const LearnReportPtr& report = model_.report();
    again_->setText(tr("Learn again"));
    if (!report)
        return;
    if (report->blends.empty()) {
        blended_->setText(tr("A layer leaves the model as it is: nothing to blend, nothing forgotten."));
        return;
    }
    const double share = blend_->value() < 0 ? report->blend : double(blend_->value()) / blend_steps;
    QStringList text{blend_->value() < 0 ? tr("by itself: %1 % new").arg(std::lround(100 * share))
                                         : tr("%1 % new").arg(std::lround(100 * share))};
    const auto row =
        std::find_if(looked_at_.begin(), looked_at_.end(), [&](const auto& one) { return std::abs(one.blend - share) < 1e-6; });
    if (row != looked_at_.end())
        text << tr("%1 % right, general search %2 → %3")
                    .arg(std::lround(100 * row->accuracy))
                    .arg(row->retention.before, 0, 'f', 1)
                    .arg(row->retention.after, 0, 'f', 1);
    if (std::abs(share - report->blend) > 1e-6) {
        again_->setText(tr("Blend anew"));
        text << tr("“Blend anew” makes it so, in seconds");
    }
    blended_->setText(text.join(QStringLiteral(" · ")));
}

}  // namespace imprint::gui
