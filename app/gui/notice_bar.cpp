// SPDX-License-Identifier: Apache-2.0
// Hidden until there is something to tell.
#include "app/gui/notice_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>

#include "app/gui/icons.h"

namespace imprint::gui {

NoticeBar::NoticeBar(const Theme& theme, QWidget* parent)
    : QFrame(parent), theme_(theme), mark_(new QLabel), title_(new QLabel), detail_(new QLabel),
      copy_(new QPushButton(tr("Copy"))), close_(new QPushButton(tr("Close")))
{
    setObjectName(QStringLiteral("notice"));
    title_->setProperty("role", "card");
    detail_->setProperty("role", "dim");
    for (QLabel* label : {title_, detail_}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    }
    copy_->setAccessibleName(tr("Copy this message"));
    close_->setAccessibleName(tr("Close this message"));
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(title_);
    words->addWidget(detail_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(14, 10, 10, 22);  // the lowest 12 are the margin of the style sheet
    row->setSpacing(12);
    row->addWidget(mark_, 0, Qt::AlignTop);
    row->addLayout(words, 1);
    row->addWidget(copy_, 0, Qt::AlignTop);
    row->addWidget(close_, 0, Qt::AlignTop);
    connect(copy_, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(problem_.all()); });
    connect(close_, &QPushButton::clicked, this, &QWidget::hide);
    connect(&theme_, &Theme::changed, this, &NoticeBar::tint);
    tint();
    hide();
}

void NoticeBar::tint()
{
    mark_->setPixmap(icon_pixmap(QStringLiteral("warning"), theme_.colours().bad, 20, devicePixelRatioF()));
}

void NoticeBar::mended(const QObject* of)
{
    if (of == of_)
        hide();
}

void NoticeBar::show_problem(const Problem& problem, const QObject* of)
{
    problem_ = problem;
    of_ = of;
    title_->setText(problem.title);
    QString detail = problem.subject;
    if (!problem.remedy.isEmpty())
        detail += (detail.isEmpty() ? QString() : QStringLiteral("\n")) + problem.remedy;
    detail_->setText(detail);
    detail_->setVisible(!detail.isEmpty());
    setAccessibleName(problem.all());
    show();
}

}  // namespace imprint::gui
