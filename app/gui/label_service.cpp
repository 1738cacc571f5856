// SPDX-License-Identifier: Apache-2.0
// Each piece of work gets copies of what it reads: the window goes on with its own.
#include "app/gui/label_service.h"

#include <QSaveFile>
#include <algorithm>
#include <set>
#include <sstream>

#include "app/gui/paths.h"
#include "app/jobs/finetune_job.h"
#include "app/jobs/label_export.h"

namespace imprint::gui {
namespace {

constexpr size_t most_queued = 400;

std::vector<std::filesystem::path> sets_in(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    std::error_code none_there;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none_there))
        if (entry.path().extension() == ".toml")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

LabelService::LabelService(std::shared_ptr<jobs::Engine> engine, QObject* parent)
    : QObject(parent), engine_(std::move(engine)), worker_(QStringLiteral("labels"), 4)
{
}

LabelService::~LabelService()
{
    cancel_.cancel();
    worker_.stop();
}

std::vector<LabelChoice> LabelService::choices() const
{
    std::vector<LabelChoice> choices;
    std::set<std::filesystem::path> taken;
    const auto add = [&](const std::filesystem::path& file, bool own) {
        if (!taken.insert(file.filename()).second)
            return;
        QString name = shown_name(file.stem());
        if (!name.isEmpty())
            name[0] = name[0].toUpper();
        choices.push_back({name, file, own});
    };
    for (const auto& file : sets_in(engine_->library_folder() / "labels"))
        add(file, true);
    for (const auto& file : sets_in(jobs::learned_folder(*engine_)))
        add(file, true);
    for (const auto& file : jobs::shipped_label_sets())
        add(file, false);
    return choices;
}

std::filesystem::path LabelService::editable(const LabelChoice& choice) const
{
    if (choice.own)
        return choice.file;
    const std::filesystem::path folder = engine_->library_folder() / "labels", copy = folder / choice.file.filename();
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (!failure)
        std::filesystem::copy_file(choice.file, copy, std::filesystem::copy_options::skip_existing, failure);
    if (failure)
        throw_errno(failure.value(), copy.native(), "copy the label set");
    return copy;
}

void LabelService::post(const QString& doing, std::function<void()> work, std::function<void()> on_failure)
{
    ++pending_;
    worker_.post([this, doing, work = std::move(work), on_failure = std::move(on_failure)] {
        const auto tell = [&](const std::exception& error) {
            QMetaObject::invokeMethod(this, [this, on_failure, problem = problem_of(doing, error)] {
                if (on_failure)
                    on_failure();
                Q_EMIT failed(problem);
            });
        };
        try {
            work();
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Cancelled)
                tell(error);
        } catch (const std::exception& error) {
            tell(error);
        }
        QMetaObject::invokeMethod(this, [this] { --pending_; });
    });
}

void LabelService::run(const std::filesystem::path& file, const index::Filter& filter)
{
    stop();
    cancel_ = CancelToken();
    post(tr("label"), [this, file, filter, cancel = cancel_] {
        const auto progress = [&](double share) {
            QMetaObject::invokeMethod(this, [this, share, cancel] {
                if (!cancel.cancelled())
                    Q_EMIT progressed(share);
            });
        };
        auto run =
            std::make_shared<jobs::LabelRun>(jobs::label(*engine_, jobs::read_label_set(file), filter, {}, progress, cancel));
        auto queue = jobs::review_queue(*engine_, *run, most_queued);
        QMetaObject::invokeMethod(this, [this, run, queue = std::move(queue), cancel] {
            if (!cancel.cancelled())
                Q_EMIT labelled(run, queue);
        });
    });
}

void LabelService::stop() { cancel_.cancel(); }

void LabelService::review(const index::Review& review, bool keep, std::function<void()> refused)
{
    post(
        tr("keep what you said"),
        [this, review, keep] {
            index::LabelStore store(engine_->library_folder(), index::OpenMode::ReadWrite);
            if (keep)
                store.put_review(review);
            else
                store.drop_review(review);
        },
        std::move(refused));
}

void LabelService::apply(const jobs::LabelRun& run)
{
    post(tr("keep the labels"), [this, run] {
        const int64_t labels = jobs::apply_labels(*engine_, run);
        QMetaObject::invokeMethod(this, [this, labels] { Q_EMIT kept(labels); });
    });
}

void LabelService::write(const jobs::LabelRun& run, jobs::ExportFormat format, const std::filesystem::path& file)
{
    post(tr("write the labels"), [this, run, format, file] {
        std::ostringstream text;
        jobs::write_export(text, format, jobs::export_rows(run));
        QSaveFile out(shown_path(file));
        const std::string bytes = text.str();
        if (!out.open(QIODevice::WriteOnly) || out.write(bytes.data(), static_cast<qint64>(bytes.size())) < 0 || !out.commit())
            throw Error(ErrorKind::Io, file.native(), out.errorString().toStdString(), "Choose another place");
        QMetaObject::invokeMethod(this, [this, file] { Q_EMIT exported(file); });
    });
}

}  // namespace imprint::gui
