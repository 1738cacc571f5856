// SPDX-License-Identifier: Apache-2.0
// Searching off the GUI thread: one worker owns the Searcher, the newest question wins, answers come as queued signals.
#pragma once

#include <QObject>
#include <QStringList>
#include <atomic>
#include <memory>
#include <vector>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "app/jobs/jobs.h"

namespace imprint::gui {

using Hits = std::shared_ptr<const std::vector<index::FileHit>>;

/// What a search or a look through the whole library brought.
struct Answer {
    Hits hits;
    bool browsing = false;  ///< no question was asked: the library's files, newest first
    double took_ms = 0;
    index::Query query;  ///< for relevance() of single files
    index::QueryBackground background;
    bool meaningless = false;              ///< the words say nothing to the model: only hits that names found count
    std::vector<Respelling> read_as = {};  ///< words of the question that were read as others
};

struct Model {
    QString name, precision;
    QString device = QStringLiteral("cpu");  ///< or "cuda:N"
};

/// Lives in the GUI thread, as do all its signals.
class SearchService : public QObject {
    Q_OBJECT

public:
    /// Most files that an answer holds when a question was asked, and when the whole library is shown.
    static constexpr int most_hits = 2000;
    static constexpr int most_browsed = 200'000;

    explicit SearchService(std::shared_ptr<jobs::Engine> engine, QObject* parent = nullptr);
    ~SearchService() override;

    /// Loads the model ahead of the first question; answers with ready() or failed().
    void prepare();
    /// Answers with found() or failed() unless a newer question comes first. Without parts, the library is browsed.
    void ask(const jobs::SearchRequest& request);
    /// Scores every moment of one file under an answer's query; answers with relevance().
    void rate(const std::filesystem::path& file, const Answer& answer);
    /// Saves the parts under a name, or forgets what has it; both answer with concepts() or failed().
    void keep_concept(const QString& name, const std::vector<jobs::QueryPart>& parts);
    void forget_concept(const QString& name);
    /// Answers with concepts().
    void list_concepts();
    bool busy() const { return pending_ > 0; }

Q_SIGNALS:
    void ready(const imprint::gui::Model& model);
    void found(const imprint::gui::Answer& answer);
    void relevance(const std::filesystem::path& file, const std::vector<imprint::index::MomentHit>& moments);
    void concepts(const QStringList& names);
    void failed(const imprint::gui::Problem& problem);
    void settled();  ///< nothing is pending any more

private:
    struct Inside;  // touched by the worker only
    void run(std::function<void(Inside&)> work, const QString& doing);
    void tell_concepts(Inside& inside);
    void done();

    std::shared_ptr<jobs::Engine> engine_;
    std::unique_ptr<Inside> inside_;
    std::atomic<quint64> newest_question_ = 0, newest_rating_ = 0;
    CancelToken question_;
    int pending_ = 0;
    WorkerThread worker_;  // last: its work uses everything above
};

}  // namespace imprint::gui
