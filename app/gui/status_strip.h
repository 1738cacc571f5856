// SPDX-License-Identifier: Apache-2.0
// The strip at the bottom: what is being indexed, how fast, how long; failures; the model.
#pragma once

#include <QFrame>
#include <QPushButton>
#include <QTimer>

#include "app/gui/figure_label.h"
#include "app/gui/index_service.h"
#include "app/gui/progress_line.h"
#include "app/gui/search_service.h"

namespace imprint::gui {

/// "5,210 of 8,400 · 71 files/s · 45 s left"; parts that are not known yet are left out.
QString progress_words(const jobs::IndexProgress& progress);
/// 0 to 1, or -1 while the files are still being counted.
double progress_share(const jobs::IndexProgress& progress);

class StatusStrip : public QFrame {
    Q_OBJECT

public:
    StatusStrip(const Theme& theme, IndexService& index, QWidget* parent = nullptr);
    void set_failures(qint64 count);
    void set_model(const Model& model);
    /// For a few seconds, in place of "Ready".
    void say(const QString& words);
    QString model() const { return model_->text(); }
    QString words() const { return left_->text() + QLatin1Char(' ') + numbers_->text(); }

Q_SIGNALS:
    void failures_wanted();

private:
    void refresh();

    const Theme& theme_;
    IndexService& index_;
    QTimer saying_;
    QString said_;
    FigureLabel *left_, *numbers_, *model_;
    ProgressLine* line_;
    QPushButton *pause_, *failures_;
};

}  // namespace imprint::gui
