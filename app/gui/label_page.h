// SPDX-License-Identifier: Apache-2.0
// Choose a label set, see what it says of the library, and review it by keyboard.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QStackedLayout>
#include <QTimer>
#include <QWidget>
#include <vector>

#include "app/gui/empty_page.h"
#include "app/gui/label_stats.h"
#include "app/gui/review_view.h"
#include "app/gui/segmented.h"
#include "app/gui/session.h"

namespace imprint::gui {

class LabelPage : public QWidget {
    Q_OBJECT

public:
    LabelPage(const Theme& theme, Session& session, QWidget* parent = nullptr);

    void set_filter(const index::Filter& filter);
    /// Labels the library with the set; does nothing while it is empty.
    void use_set(const LabelChoice& choice);
    /// The same by the set's name, as the menu shows it; failed() where there is none of it.
    void use_set_named(const QString& name);
    void stop();             ///< gives up the labelling under way, and with it the chosen set
    void library_changed();  ///< empty or not
    void refresh_choices();
    bool settled() const { return !session_.labels.busy(); }

    ReviewModel& model() { return model_; }
    ReviewView& view() { return *view_; }
    LabelStats& stats() { return *stats_; }
    EmptyPage& empty() { return *empty_; }
    QString set_name() const { return chosen_ ? chosen_->name : QString(); }
    QString progress() const { return progress_->text(); }

Q_SIGNALS:
    void add_folder_wanted();
    void failed(const imprint::gui::Problem& problem);

private:
    /// What undo goes back to.
    struct Said {
        jobs::ReviewItem item;
        std::optional<int> before;
        bool drawn_before = false;
    };

    QWidget* make_header();
    void connect_all();
    void take(const LabelRunPtr& run, std::vector<jobs::ReviewItem> queue);
    void say(int row, int label);
    void undo();
    void keep(const jobs::ReviewItem& item, std::optional<int> verdict);
    void show_state();  ///< and keeps the focus in the page
    void tell_state();
    void show_progress();
    void export_as(jobs::ExportFormat format, const QString& ending);
    void edit_set();
    QString chosen_name() const;

    const Theme& theme_;
    Session& session_;
    ReviewModel model_;
    ReviewView* view_;
    LabelStats* stats_;
    EmptyPage* empty_;
    QLabel *title_, *summary_, *hint_, *progress_;
    ProgressLine* line_;
    QPushButton *set_, *again_, *edit_, *export_, *keep_;
    Segmented* show_;
    QStackedLayout* stack_;
    std::optional<LabelChoice> chosen_;
    index::Filter filter_;
    std::vector<Said> said_;
    double share_ = 0;  // of the labelling under way
    QTimer settle_;     // figures follow a burst of keys, not each key
};

}  // namespace imprint::gui
