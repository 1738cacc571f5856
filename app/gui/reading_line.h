// SPDX-License-Identifier: Apache-2.0
// Says which words of the question were read as others, and takes that back.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>
#include <vector>

#include "core/lexicon.h"

namespace imprint::gui {

class ReadingLine : public QWidget {
    Q_OBJECT

public:
    explicit ReadingLine(QWidget* parent = nullptr);
    /// Hidden where nothing was read otherwise.
    void tell(const std::vector<Respelling>& read_as);
    QString text() const { return read_->text(); }
    QPushButton& button() { return *literal_; }

Q_SIGNALS:
    void literal_wanted();  ///< search for the words as typed

private:
    QLabel* read_;
    QPushButton* literal_;
};

}  // namespace imprint::gui
