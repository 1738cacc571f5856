// SPDX-License-Identifier: Apache-2.0
// The page that people live on: the box, the bar that says how much was found, the grid and the preview.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QStackedLayout>
#include <QTimer>
#include <QWidget>

#include "app/gui/concept_menu.h"
#include "app/gui/cut_slider.h"
#include "app/gui/empty_page.h"
#include "app/gui/figure_label.h"
#include "app/gui/preview_panel.h"
#include "app/gui/query_box.h"
#include "app/gui/ratings.h"
#include "app/gui/reading_line.h"
#include "app/gui/results_model.h"
#include "app/gui/results_view.h"
#include "app/gui/segmented.h"
#include "app/gui/session.h"

namespace imprint::gui {

class SearchPage : public QWidget {
    Q_OBJECT

public:
    static constexpr int pause_ms = 150;  ///< of typing, before a search starts

    SearchPage(const Theme& theme, Session& session, QWidget* parent = nullptr);

    void set_filter(const index::Filter& filter);  ///< from the side bar; modalities are this page's
    void library_changed();                        ///< asks again, keeping place and selection
    void open_row(int row);                        ///< selects, shows and plays a result
    bool settled() const;                          ///< nothing is on its way

    QueryBox& box() { return *box_; }
    ResultsModel& results() { return results_; }
    ResultsView& view() { return *view_; }
    PreviewPanel& preview() { return *preview_; }
    EmptyPage& empty() { return *empty_; }
    CutSlider& cut() { return *cut_; }
    ConceptMenu& concepts() { return *concepts_; }
    ReadingLine& reading() { return *reading_; }
    QString tally() const { return tally_->text(); }

Q_SIGNALS:
    void add_folder_wanted();
    void samples_wanted();
    void folders_dropped(const std::vector<std::filesystem::path>& folders);
    void failed(const imprint::gui::Problem& problem);  ///< but for the search's own (SearchService)
    void answered();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void ask();
    void take(const Answer& answer);
    void show_tally();
    void show_empty();
    void show_current();
    void expand(bool expanded);
    void judge(const std::filesystem::path& file, const index::Moment& moment, jobs::QueryPart::Role role);
    void find_similar(const std::filesystem::path& file, const index::Moment& moment);
    void connect_concepts();
    void open_menu(int row, const QPoint& global);
    void copy_chosen();
    void connect_clips();
    void save_clip(const std::filesystem::path& file, const index::Moment& moment);
    void listen(int row);
    void connect_ratings();

    const Theme& theme_;
    Session& session_;
    index::Filter filter_;
    ResultsModel results_;
    QueryBox* box_;
    Segmented* senses_;
    ReadingLine* reading_;
    FigureLabel* tally_;
    CutSlider* cut_;
    QPushButton* order_;
    ConceptMenu* concepts_;
    ResultsView* view_;
    PreviewPanel* preview_;
    Ratings* ratings_;
    EmptyPage* empty_;
    QWidget *grid_, *bar_;
    QStackedLayout* grid_or_empty_;
    QSplitter* split_;
    Player listener_;  // plays sounds softly under the pointer
    QTimer pause_;
    bool waiting_ = false;  // an answer to the newest question has not come
    bool keep_place_ = false;
    std::optional<Problem> unopened_;  // why there has been no answer yet
};

}  // namespace imprint::gui
