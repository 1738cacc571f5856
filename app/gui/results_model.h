// SPDX-License-Identifier: Apache-2.0
// An answer as a list: cut at a score, sorted, divided into bands. Files are the rows; their moments come with them.
#pragma once

#include <QAbstractListModel>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/gui/search_service.h"

namespace imprint::gui {

enum class Order { Relevance, Newest, Oldest, Name };

/// What the bar above the grid counts. A file that its name alone has raised counts as one moment of its band.
struct Tally {
    qint64 likely_moments = 0, likely_files = 0, maybe_moments = 0, files = 0;
};

class ResultsModel : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role { PathRole = Qt::UserRole + 1, KindRole, BandRole, ScoreRole, MomentsRole, StarsRole };

    struct Section {
        QString title;  ///< of a band: with the share of wrong hits to expect in it
        int count = 0;
    };

    using QAbstractListModel::QAbstractListModel;

    /// `keep_stars`: what set_stars() said is newer than the answer.
    void set_answer(const Answer& answer, bool keep_stars = false);
    /// Hides files, and moments of shown files, whose score is lower. Ignored while browsing.
    void set_cut(float least_score);
    void set_order(Order order);

    /// Stars that files have by now, whatever the answer says; files that it does not have may be among them.
    void set_stars(const std::vector<index::Rating>& ratings);

    const Answer& answer() const { return answer_; }
    float cut() const { return cut_; }
    Order order() const { return order_; }
    const index::FileHit& hit(int row) const;
    int stars(const index::FileHit& hit) const;  ///< by now; also of a file that is not shown
    /// The moments of a row that pass the cut, best first; at least one where there are any.
    std::vector<index::MomentHit> moments(int row) const;
    int row_of(const std::filesystem::path& path) const;  ///< -1 when it is not shown
    const std::vector<Section>& sections() const { return sections_; }
    Tally tally() const { return tally_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QStringList mimeTypes() const override;
    QMimeData* mimeData(const QModelIndexList& indexes) const override;
    Qt::DropActions supportedDragActions() const override { return Qt::CopyAction; }

private:
    void arrange();

    Answer answer_;
    float cut_ = index::Cut().maybe;
    Order order_ = Order::Relevance;
    std::vector<int> rows_;                       // into answer_.hits
    std::unordered_map<std::string, int> stars_;  // by path, where they are not the answer's
    std::vector<Section> sections_;
    Tally tally_;
};

/// The moment that a hit plays from and shows: its best one; none for a file without moments.
std::optional<index::Moment> best_moment(const index::FileHit& hit);

}  // namespace imprint::gui
