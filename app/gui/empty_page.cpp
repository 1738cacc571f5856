// SPDX-License-Identifier: Apache-2.0
// Centred a little above the middle, where the eye rests.
#include "app/gui/empty_page.h"

#include <QVBoxLayout>

#include "app/gui/icons.h"

namespace imprint::gui {
namespace {

constexpr int text_width = 460;

}  // namespace

EmptyPage::EmptyPage(const Theme& theme, QWidget* parent)
    : QWidget(parent), theme_(theme), mark_(new QLabel), title_(new QLabel), text_(new QLabel), button_(new QPushButton),
      other_(new QPushButton)
{
    title_->setProperty("role", "title");
    text_->setProperty("role", "dim");
    text_->setAlignment(Qt::AlignCenter);
    text_->setWordWrap(true);
    text_->setFixedWidth(text_width);
    button_->setProperty("role", "primary");
    button_->setCursor(Qt::PointingHandCursor);
    other_->setProperty("role", "quiet");
    other_->setCursor(Qt::PointingHandCursor);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(8);
    column->addStretch(2);
    column->addWidget(mark_, 0, Qt::AlignHCenter);
    column->addSpacing(8);
    column->addWidget(title_, 0, Qt::AlignHCenter);
    column->addWidget(text_, 0, Qt::AlignHCenter);
    column->addSpacing(8);
    column->addWidget(button_, 0, Qt::AlignHCenter);
    column->addWidget(other_, 0, Qt::AlignHCenter);
    column->addStretch(3);
    connect(button_, &QPushButton::clicked, this, &EmptyPage::clicked);
    connect(other_, &QPushButton::clicked, this, &EmptyPage::other_clicked);
    connect(&theme_, &Theme::changed, this, &EmptyPage::tint);
}

void EmptyPage::tint() { mark_->setPixmap(icon_pixmap(icon_, theme_.colours().accent, 40, devicePixelRatioF())); }

void EmptyPage::show_menu(QMenu& menu, QPushButton& below) { menu.popup(below.mapToGlobal(QPoint(0, below.height() + 4))); }

void EmptyPage::tell(const QString& icon, const QString& title, const QString& text, const QString& button, const QString& other)
{
    icon_ = icon;
    title_->setText(title);
    text_->setText(text);
    button_->setText(button);
    button_->setVisible(!button.isEmpty());
    other_->setText(other);
    other_->setVisible(!other.isEmpty());
    // A centred label is not asked for its height at this width.
    text_->ensurePolished();
    text_->setFixedHeight(text.isEmpty() ? 0 : text_->heightForWidth(text_width));
    tint();
}

}  // namespace imprint::gui
