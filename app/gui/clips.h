// SPDX-License-Identifier: Apache-2.0
// Moments on their way out of the window: dragged, or saved under a name. They are cut in a thread of their own.
#pragma once

#include <QMimeData>
#include <QObject>
#include <QPixmap>
#include <QPointer>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "app/gui/problem.h"
#include "app/gui/worker_thread.h"
#include "core/media/decoder.h"

namespace imprint::gui {

/// A span of a file in seconds; without one, the file itself.
struct ClipWish {
    std::filesystem::path file;
    std::optional<double> start, end;
};

/// Lives in the GUI thread.
class Clips : public QObject {
    Q_OBJECT

public:
    /// Clips that are dragged out stay in `folder` (empty: the user's cache) for a week: who took one may read it later.
    explicit Clips(std::shared_ptr<media::Decoder> decoder, std::filesystem::path folder = {}, QObject* parent = nullptr);
    ~Clips() override;

    /// Cuts and writes beside or below `target`, the ending added (see jobs::save_clip). Answers with saved() or failed().
    void save(const ClipWish& wish, const std::filesystem::path& target);
    /// The files of the wishes, cut now. Control returns to the event loop until they are there; input waits. What cannot be cut
    /// is left out and told by failed().
    std::vector<std::filesystem::path> cut(const std::vector<ClipWish>& wishes);
    /// Drags the wishes out of `source`, with a picture under the pointer.
    void drag(QWidget& source, const std::vector<ClipWish>& wishes, const QPixmap& picture);

Q_SIGNALS:
    void saved(const std::filesystem::path& file);
    void failed(const imprint::gui::Problem& problem);

private:
    std::shared_ptr<media::Decoder> decoder_;
    std::filesystem::path folder_;
    CancelToken closing_;
    WorkerThread worker_;  // last: its work uses everything above
};

/// What a drag of clips carries: text/uri-list, made when somebody asks for it.
class ClipData : public QMimeData {
    Q_OBJECT

public:
    ClipData(Clips& clips, std::vector<ClipWish> wishes);
    const std::vector<ClipWish>& wishes() const { return wishes_; }
    QStringList formats() const override;

protected:
    QVariant retrieveData(const QString& format, QMetaType type) const override;

private:
    QPointer<Clips> clips_;
    std::vector<ClipWish> wishes_;
    mutable QByteArray list_;
};

}  // namespace imprint::gui
