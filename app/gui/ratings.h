// SPDX-License-Identifier: Apache-2.0
// Stars for what is chosen in the grid: by key, from a menu, for several files at once; taken back by Ctrl+Z.
#pragma once

#include <QAbstractItemView>
#include <QAction>
#include <map>
#include <vector>

#include "app/gui/library_service.h"
#include "app/gui/results_model.h"

class QMenu;

namespace imprint::gui {

class Ratings : public QObject {
    Q_OBJECT

public:
    static constexpr int most = 5;

    /// Its keys work within `page`, of which it is a child.
    Ratings(ResultsModel& results, QAbstractItemView& view, LibraryService& library, QWidget& page);

    void give_chosen(int stars);                      ///< to what is selected
    void give(const index::FileHit& hit, int stars);  ///< to one file, also one that the grid does not show
    void undo();                                      ///< what was given last
    void fill(QMenu& menu);                           ///< an entry for each number of stars, and undo

Q_SIGNALS:
    void changed();  ///< the model has other stars now

private:
    using Stars = std::vector<index::Rating>;
    struct Gift {
        Stars given, before;
    };

    std::vector<const index::FileHit*> chosen() const;
    void give(const std::vector<const index::FileHit*>& hits, int stars);
    void show(const Stars& stars);

    ResultsModel& results_;
    QAbstractItemView& view_;
    LibraryService& library_;
    std::vector<QAction*> give_;  // by number of stars
    QAction* undo_;
    std::map<int, Gift> gifts_;  // by number, those that can be taken back
    int last_ = 0;
};

}  // namespace imprint::gui
