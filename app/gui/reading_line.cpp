// SPDX-License-Identifier: Apache-2.0
// One sentence and one button.
#include "app/gui/reading_line.h"

#include <QHBoxLayout>

namespace imprint::gui {

ReadingLine::ReadingLine(QWidget* parent) : QWidget(parent), read_(new QLabel), literal_(new QPushButton)
{
    read_->setTextFormat(Qt::PlainText);
    literal_->setProperty("role", "quiet");
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(read_);
    row->addWidget(literal_);
    row->addStretch();
    connect(literal_, &QPushButton::clicked, this, &ReadingLine::literal_wanted);
    hide();
}

void ReadingLine::tell(const std::vector<Respelling>& read_as)
{
    QStringList typed, read;
    for (const Respelling& word : read_as) {
        typed << QString::fromStdString(word.typed);
        read << QString::fromStdString(word.read);
    }
    read_->setText(tr("Showing results for “%1”").arg(read.join(QLatin1Char(' '))));
    literal_->setText(tr("Search for “%1” as typed").arg(typed.join(QLatin1Char(' '))));
    setVisible(!read_as.empty());
}

}  // namespace imprint::gui
