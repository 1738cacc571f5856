// SPDX-License-Identifier: Apache-2.0
// Every piece of work checks whether it is still the newest before it starts and before it answers.
#include "app/gui/search_service.h"

#include <algorithm>
#include <map>
#include <utility>

namespace imprint::gui {
namespace {

/// Whether the file has something of a wanted modality.
bool speaks(const index::FileRow& row, const index::Filter& filter)
{
    const auto wants = [&](Modality modality) {
        return filter.modalities.empty()
            || std::find(filter.modalities.begin(), filter.modalities.end(), modality) != filter.modalities.end();
    };
    const bool shows = row.probe.kind != media::Kind::Audio;
    const bool sounds = row.probe.kind == media::Kind::Audio || row.probe.has_sound;
    return (shows && wants(Modality::Picture)) || (sounds && wants(Modality::Sound));
}

}  // namespace

struct SearchService::Inside {
    jobs::Engine& engine;
    std::unique_ptr<index::Searcher> searcher;

    index::Searcher& search()
    {
        if (!searcher)
            searcher = std::make_unique<index::Searcher>(engine.library_folder(), jobs::searcher_options(engine));
        return *searcher;
    }

    Answer browse(const index::Filter& filter, const std::function<bool()>& stale)
    {
        auto hits = std::make_shared<std::vector<index::FileHit>>();
        index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
        const std::vector<int64_t> passing = library.matching(filter);
        const auto ratings = library.ratings();
        const std::map<int64_t, int> stars(ratings.begin(), ratings.end());
        constexpr int64_t page = 4000;
        for (int64_t offset = 0; offset < most_browsed && !stale(); offset += page) {
            const auto rows = library.files(offset, page);
            for (const auto& row : rows)
                if (speaks(row, filter) && std::binary_search(passing.begin(), passing.end(), row.id)) {
                    const auto rated = stars.find(row.id);
                    hits->push_back({.path = row.facts.path,
                                     .probe = row.probe,
                                     .mtime = row.facts.mtime_ns / 1'000'000'000,
                                     .moments = {},
                                     .stars = rated == stars.end() ? 0 : rated->second});
                }
            if (static_cast<int64_t>(rows.size()) < page)
                break;
        }
        std::stable_sort(hits->begin(), hits->end(), [](const index::FileHit& a, const index::FileHit& b) {
            return a.probe.taken_at.value_or(a.mtime) > b.probe.taken_at.value_or(b.mtime);
        });
        Answer answer;
        answer.hits = std::move(hits);
        answer.browsing = true;
        return answer;
    }
};

SearchService::SearchService(std::shared_ptr<jobs::Engine> engine, QObject* parent)
    : QObject(parent), engine_(std::move(engine)), inside_(new Inside{*engine_, nullptr}), worker_(QStringLiteral("search"), 3)
{
}

SearchService::~SearchService()
{
    question_.cancel();
    ++newest_question_;
    ++newest_rating_;
    worker_.stop();
}

void SearchService::done()
{
    if (--pending_ == 0)
        Q_EMIT settled();
}

void SearchService::run(std::function<void(Inside&)> work, const QString& doing)
{
    ++pending_;
    worker_.post([this, work = std::move(work), doing] {
        try {
            work(*inside_);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Cancelled)
                QMetaObject::invokeMethod(this, [this, problem = problem_of(doing, error)] { Q_EMIT failed(problem); });
        } catch (const std::exception& error) {
            QMetaObject::invokeMethod(this, [this, problem = problem_of(doing, error)] { Q_EMIT failed(problem); });
        }
        QMetaObject::invokeMethod(this, [this] { done(); });
    });
}

void SearchService::prepare()
{
    run(
        [this](Inside& inside) {
            Encoder& encoder = inside.engine.encoder();
            const Model model{QString::fromStdString(encoder.model_name()), QString::fromStdString(encoder.precision()),
                              QString::fromStdString(encoder.device())};
            QMetaObject::invokeMethod(this, [this, model] { Q_EMIT ready(model); });
        },
        tr("load the model"));
}

void SearchService::ask(const jobs::SearchRequest& request)
{
    question_.cancel();
    question_ = CancelToken();
    const quint64 number = ++newest_question_;
    run(
        [this, request, number, cancel = question_](Inside& inside) {
            const auto stale = [&] { return number != newest_question_ || cancel.cancelled(); };
            if (stale())
                return;
            Answer answer;
            try {
                if (request.parts.empty()) {
                    answer = inside.browse(request.filter, stale);
                } else {
                    auto result = jobs::search(inside.engine, inside.search(), request, cancel);
                    answer.hits = std::make_shared<const std::vector<index::FileHit>>(std::move(result.files));
                    answer.took_ms = result.took_ms;
                    answer.query = {std::move(result.query), request.filter, request.k, true};
                    answer.background = result.background;
                    answer.meaningless = result.meaningless;
                    answer.read_as = std::move(result.read_as);
                }
            } catch (const Error& error) {
                // A library that nothing was added to yet is an empty answer, not an error. A file of the question that
                // is missing is one.
                if (error.kind() != ErrorKind::NotFound || error.subject() != inside.engine.library_folder().native())
                    throw;
                answer.hits = std::make_shared<const std::vector<index::FileHit>>();
                answer.browsing = request.parts.empty();
            }
            if (!stale())
                QMetaObject::invokeMethod(this, [this, answer, number] {
                    if (number == newest_question_)
                        Q_EMIT found(answer);
                });
        },
        tr("search"));
}

void SearchService::rate(const std::filesystem::path& file, const Answer& answer)
{
    if (answer.browsing || answer.query.vector.empty())
        return;
    const quint64 number = ++newest_rating_;
    run(
        [this, file, query = answer.query, background = answer.background, number](Inside& inside) {
            if (number != newest_rating_)
                return;
            auto moments = inside.search().relevance(file, query, background);
            QMetaObject::invokeMethod(this, [this, file, moments = std::move(moments), number] {
                if (number == newest_rating_)
                    Q_EMIT relevance(file, moments);
            });
        },
        tr("rate the moments of %1").arg(QString::fromStdString(file.filename().native())));
}

void SearchService::tell_concepts(Inside& inside)
{
    QStringList names;
    if (std::filesystem::exists(inside.engine.library_folder() / "catalog.sqlite"))
        for (const index::Concept& saved : index::Library(inside.engine.library_folder(), index::OpenMode::ReadOnly).concepts())
            names << QString::fromStdString(saved.name);
    QMetaObject::invokeMethod(this, [this, names] { Q_EMIT concepts(names); });
}

void SearchService::keep_concept(const QString& name, const std::vector<jobs::QueryPart>& parts)
{
    run(
        [this, name = name.toStdString(), parts](Inside& inside) {
            jobs::save_concept(inside.engine, inside.search(), name, parts);
            tell_concepts(inside);
        },
        tr("keep the concept %1").arg(name));
}

void SearchService::forget_concept(const QString& name)
{
    run(
        [this, name = name.toStdString()](Inside& inside) {
            index::Library(inside.engine.library_folder(), index::OpenMode::ReadWrite).drop_concept(name);
            tell_concepts(inside);
        },
        tr("forget the concept %1").arg(name));
}

void SearchService::list_concepts()
{
    run([this](Inside& inside) { tell_concepts(inside); }, tr("list the concepts"));
}

}  // namespace imprint::gui
