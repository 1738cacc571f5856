// SPDX-License-Identifier: Apache-2.0
// A drop is answered in the GUI thread, so it waits there in an event loop of its own while the worker cuts.
#include "app/gui/clips.h"

#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QDrag>
#include <QEventLoop>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QWidget>

#include "app/gui/paths.h"
#include "app/jobs/clip.h"

namespace imprint::gui {
namespace fs = std::filesystem;
namespace {

constexpr int kept_days = 7;
const QString uri_list = QStringLiteral("text/uri-list");

void forget_old_ones(const QString& folder)
{
    const QDateTime oldest = QDateTime::currentDateTime().addDays(-kept_days);
    QDirIterator each(folder, QDir::Dirs | QDir::NoDotAndDotDot);
    while (each.hasNext())
        if (each.next(); each.fileInfo().lastModified() < oldest)
            QDir(each.filePath()).removeRecursively();
}

/// In a folder of its own, so that its name is free.
fs::path cut_into(media::Decoder& decoder, const ClipWish& wish, const fs::path& folder, const CancelToken& cancel)
{
    if (!wish.start || !wish.end)
        return wish.file;
    const QString all = shown_path(folder);
    QDir().mkpath(all);
    forget_old_ones(all);
    QTemporaryDir own(all + QStringLiteral("/XXXXXX"));
    if (!own.isValid())
        throw Error(ErrorKind::Io, folder.native(), "no folder for the clip can be made: " + own.errorString().toStdString(),
                    "Make room there, or give yourself permission to write");
    const fs::path made = jobs::save_clip(decoder, wish.file, *wish.start, *wish.end,
                                          path_of(own.path()) / jobs::clip_name(wish.file, *wish.start, *wish.end), cancel);
    own.setAutoRemove(false);
    return made;
}

}  // namespace

Clips::Clips(std::shared_ptr<media::Decoder> decoder, fs::path folder, QObject* parent)
    : QObject(parent), decoder_(std::move(decoder)), folder_(std::move(folder)), worker_(QStringLiteral("clips"), 2)
{
    if (folder_.empty())
        folder_ = path_of(QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation)) / "imprint" / "clips";
}

Clips::~Clips()
{
    closing_.cancel();
    worker_.stop();
}

void Clips::save(const ClipWish& wish, const fs::path& target)
{
    worker_.post([this, wish, target] {
        try {
            const fs::path file = jobs::save_clip(*decoder_, wish.file, *wish.start, *wish.end, target, closing_);
            QMetaObject::invokeMethod(this, [this, file] { Q_EMIT saved(file); });
        } catch (const std::exception& error) {
            QMetaObject::invokeMethod(this, [this, problem = problem_of(tr("save the clip"), error)] { Q_EMIT failed(problem); });
        }
    });
}

std::vector<fs::path> Clips::cut(const std::vector<ClipWish>& wishes)
{
    struct Work {
        std::vector<fs::path> files;
        QEventLoop* waiting = nullptr;
        bool done = false;
    };
    const auto work = std::make_shared<Work>();
    worker_.post([this, work, wishes] {
        std::vector<fs::path> files;
        for (const ClipWish& wish : wishes) {
            try {
                files.push_back(cut_into(*decoder_, wish, folder_, closing_));
            } catch (const std::exception& error) {
                QMetaObject::invokeMethod(this,
                                          [this, problem = problem_of(tr("cut the clip"), error)] { Q_EMIT failed(problem); });
            }
        }
        QMetaObject::invokeMethod(this, [work, files] {
            work->files = files;
            work->done = true;
            if (work->waiting)
                work->waiting->quit();
        });
    });
    QEventLoop loop;
    work->waiting = &loop;
    if (!work->done)
        loop.exec(QEventLoop::ExcludeUserInputEvents);
    work->waiting = nullptr;
    return work->files;
}

void Clips::drag(QWidget& source, const std::vector<ClipWish>& wishes, const QPixmap& picture)
{
    auto* drag = new QDrag(&source);
    drag->setMimeData(new ClipData(*this, wishes));
    drag->setPixmap(picture);
    drag->setHotSpot(QPoint(picture.width() / 2, picture.height() / 2));
    drag->exec(Qt::CopyAction, Qt::CopyAction);
}

ClipData::ClipData(Clips& clips, std::vector<ClipWish> wishes) : clips_(&clips), wishes_(std::move(wishes)) { }

QStringList ClipData::formats() const { return {uri_list}; }

QVariant ClipData::retrieveData(const QString& format, QMetaType type) const
{
    if (format != uri_list)
        return QMimeData::retrieveData(format, type);
    if (list_.isEmpty() && clips_) {
        const std::unique_ptr<QMimeData> made(files_for_others(clips_->cut(wishes_)));
        list_ = made->data(uri_list);
    }
    return list_;
}

}  // namespace imprint::gui
