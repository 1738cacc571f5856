// SPDX-License-Identifier: Apache-2.0
// Files that could not be read, each with its reason.
#pragma once

#include <QListWidget>
#include <vector>

#include "app/gui/theme.h"
#include "index/library.h"

namespace imprint::gui {

class FailureList : public QListWidget {
    Q_OBJECT

public:
    static constexpr int row_height = 30;
    static constexpr size_t most_shown = 500;

    explicit FailureList(const Theme& theme, QWidget* parent = nullptr);
    void set_failures(const std::vector<index::Failure>& failures);

private:
    const Theme& theme_;
    std::vector<std::filesystem::path> shown_;
};

}  // namespace imprint::gui
