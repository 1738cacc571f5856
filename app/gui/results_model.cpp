// SPDX-License-Identifier: Apache-2.0
// Rows are numbers into the shared answer: cutting and sorting never copy a hit.
#include "app/gui/results_model.h"

#include <QCollator>
#include <QMimeData>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/gui/cut_slider.h"
#include "app/gui/figures.h"
#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

int64_t when(const index::FileHit& hit) { return hit.probe.taken_at.value_or(hit.mtime); }

}  // namespace

std::optional<index::Moment> best_moment(const index::FileHit& hit)
{
    if (hit.moments.empty())
        return {};
    return hit.moments.front().moment;
}

void ResultsModel::set_answer(const Answer& answer, bool keep_stars)
{
    beginResetModel();
    answer_ = answer;
    if (!keep_stars)
        stars_.clear();
    arrange();
    endResetModel();
}

void ResultsModel::set_stars(const std::vector<index::Rating>& ratings)
{
    for (const auto& [path, stars] : ratings)
        stars_[path.native()] = stars;
    if (!rows_.empty())
        Q_EMIT dataChanged(index(0), index(rowCount() - 1), {StarsRole, Qt::AccessibleTextRole});
}

void ResultsModel::set_cut(float least_score)
{
    if (least_score == cut_)
        return;
    // A cut that neither hides nor shows a file leaves the rows alone, so that nothing flickers under the slider.
    const float low = std::min(cut_, least_score), high = std::max(cut_, least_score);
    const bool same = answer_.browsing || !answer_.hits
        || (!answer_.meaningless && std::none_of(answer_.hits->begin(), answer_.hits->end(), [&](const index::FileHit& hit) {
                          return hit.score >= low && hit.score < high;
                      }));
    cut_ = least_score;
    if (same) {
        if (!rows_.empty())
            Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    arrange();
    endResetModel();
}

void ResultsModel::set_order(Order order)
{
    if (order == order_)
        return;
    beginResetModel();
    order_ = order;
    arrange();
    endResetModel();
}

void ResultsModel::arrange()
{
    rows_.clear();
    sections_.clear();
    tally_ = {};
    if (!answer_.hits)
        return;
    const auto& hits = *answer_.hits;
    rows_.reserve(hits.size());
    for (int i = 0; i < static_cast<int>(hits.size()); ++i) {
        const auto& hit = hits[i];
        // To noise, what is merely near is no answer: it shows once everything is asked for.
        const bool chance = answer_.meaningless && hit.coverage == 0 && cut_ > CutSlider::loosest;
        if (answer_.browsing || (hit.score >= cut_ && !chance))
            rows_.push_back(i);
        if (answer_.browsing)
            continue;
        // The best moment of a file that its name has raised counts in the file's band, and in no other.
        const auto in_band = [&](index::Band band) -> qint64 {
            const auto rest = hit.moments.empty() ? hit.moments.begin() : hit.moments.begin() + 1;
            return (hit.band == band)
                + std::count_if(rest, hit.moments.end(), [&](const index::MomentHit& moment) { return moment.band == band; });
        };
        tally_.likely_files += hit.band == index::Band::Likely;
        tally_.likely_moments += in_band(index::Band::Likely);
        tally_.maybe_moments += in_band(index::Band::Maybe);
    }
    tally_.files = static_cast<qint64>(rows_.size());

    const auto sort_by = [&](auto less) { std::stable_sort(rows_.begin(), rows_.end(), less); };
    switch (order_) {
    case Order::Relevance:
        if (!answer_.browsing)
            sort_by([&](int a, int b) {
                return hits[a].band != hits[b].band ? hits[a].band < hits[b].band : hits[a].score > hits[b].score;
            });
        break;
    case Order::Newest:
        sort_by([&](int a, int b) { return when(hits[a]) > when(hits[b]); });
        break;
    case Order::Oldest:
        sort_by([&](int a, int b) { return when(hits[a]) < when(hits[b]); });
        break;
    case Order::Name: {
        QCollator collator(QLocale(QLocale::English));  // the C locale would not know numbers
        collator.setNumericMode(true);
        collator.setCaseSensitivity(Qt::CaseInsensitive);
        std::vector<std::pair<QCollatorSortKey, int>> keyed;
        keyed.reserve(rows_.size());
        for (const int row : rows_)
            keyed.emplace_back(collator.sortKey(shown_name(hits[row].path)), row);
        std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::transform(keyed.begin(), keyed.end(), rows_.begin(), [](const auto& pair) { return pair.second; });
        break;
    }
    }

    if (rows_.empty())
        return;
    const int all = static_cast<int>(rows_.size());
    if (order_ != Order::Relevance || answer_.browsing) {
        const QString title = answer_.browsing ? tr("IN THIS LIBRARY")
            : order_ == Order::Name            ? tr("BY NAME")
            : order_ == Order::Newest          ? tr("NEWEST FIRST")
                                               : tr("OLDEST FIRST");
        sections_.push_back({title, all});
        return;
    }
    const std::pair<index::Band, QString> bands[] = {
        {index::Band::Likely, tr("LIKELY")}, {index::Band::Maybe, tr("MAYBE")}, {index::Band::Unlikely, tr("UNLIKELY")}};
    auto row = rows_.begin();
    double wrong = 0;  // hits of the bands before that are expected to be
    for (const auto& [band, title] : bands) {
        const auto end = std::find_if(row, rows_.end(), [&, wanted = band](int other) { return hits[other].band != wanted; });
        Section section{title, static_cast<int>(end - row)};
        if (section.count > 0) {
            const double so_far = static_cast<double>(hits[*(end - 1)].wrong_share) * static_cast<double>(end - rows_.begin());
            const double share = std::clamp((so_far - wrong) / section.count, 0.0, 1.0);
            section.title = tr("%1 · about %2 % wrong").arg(title).arg(std::lround(100 * share));
            wrong = so_far;
        }
        sections_.push_back(section);
        row = end;
    }
}

const index::FileHit& ResultsModel::hit(int row) const { return (*answer_.hits)[rows_[row]]; }

int ResultsModel::stars(const index::FileHit& hit) const
{
    const auto said = stars_.find(hit.path.native());
    return said == stars_.end() ? hit.stars : said->second;
}

std::vector<index::MomentHit> ResultsModel::moments(int row) const
{
    const auto& all = hit(row).moments;
    std::vector<index::MomentHit> shown;
    for (const auto& moment : all)
        if (shown.empty() || moment.score >= cut_)
            shown.push_back(moment);
    return shown;
}

int ResultsModel::row_of(const std::filesystem::path& path) const
{
    for (int row = 0; row < static_cast<int>(rows_.size()); ++row)
        if (hit(row).path.native() == path.native())
            return row;
    return -1;
}

int ResultsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }

QVariant ResultsModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= static_cast<int>(rows_.size()))
        return {};
    const auto& file = hit(index.row());
    switch (role) {
    case Qt::DisplayRole:
        return shown_name(file.path);
    case Qt::ToolTipRole:
        return shown_path(file.path);
    case Qt::AccessibleTextRole: {
        QStringList words{shown_name(file.path)};
        if (!answer_.browsing)
            words << QString::fromLatin1(imprint::index::band_name(file.band));
        if (const auto moment = best_moment(file); moment && moment->start && moment->end)
            words << tr("%1 to %2").arg(format_time(*moment->start), format_time(*moment->end));
        if (const int given = stars(file))
            words << counted(given, tr("star"), tr("stars"));
        return words.join(QStringLiteral(", "));
    }
    case PathRole:
        return shown_path(file.path);
    case KindRole:
        return QString::fromLatin1(media::kind_name(file.probe.kind));
    case BandRole:
        return static_cast<int>(file.band);
    case ScoreRole:
        return file.score;
    case MomentsRole:
        return static_cast<int>(file.moments.size());
    case StarsRole:
        return stars(file);
    default:
        return {};
    }
}

Qt::ItemFlags ResultsModel::flags(const QModelIndex& index) const
{
    return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled | Qt::ItemNeverHasChildren
                           : Qt::NoItemFlags;
}

QStringList ResultsModel::mimeTypes() const { return {QStringLiteral("text/uri-list"), QStringLiteral("text/plain")}; }

QMimeData* ResultsModel::mimeData(const QModelIndexList& indexes) const
{
    std::vector<std::filesystem::path> files;
    for (const QModelIndex& index : indexes)
        files.push_back(hit(index.row()).path);
    return files_for_others(files);
}

}  // namespace imprint::gui
