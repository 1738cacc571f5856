// SPDX-License-Identifier: Apache-2.0
// Which experts of the last sparse layer the tokens of each objective go to: a row per objective, a tile per expert.
#pragma once

#include <QFrame>
#include <map>
#include <optional>
#include <string>

#include "app/gui/theme.h"
#include "training/log/run_metrics.h"

namespace imprint::gui {

class ExpertGrid : public QFrame {
    Q_OBJECT

public:
    explicit ExpertGrid(const Theme& theme, QWidget* parent = nullptr);
    /// `left_behind`: the share of tokens that no expert took, where it is known.
    void set_use(const std::map<std::string, training::ExpertUse>& use, std::optional<double> left_behind);
    int rows() const { return static_cast<int>(rows_.size()); }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    QRectF tile(size_t row, size_t expert) const;

    const Theme& theme_;
    std::vector<std::pair<QString, std::vector<double>>> rows_;
    double most_ = 0;
    QString note_;
};

}  // namespace imprint::gui
