// SPDX-License-Identifier: Apache-2.0
// Small pictures and waveforms, decoded off the GUI thread and kept in a bounded cache; stills also in the desktop's store.
#pragma once

#include <QByteArray>
#include <QCache>
#include <QHash>
#include <QImage>
#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "app/gui/thumbnail_store.h"
#include "core/media/decoder.h"

namespace imprint::gui {

/// What to show of a file: its still, a video's frame at `time`, or the sound from `time` for `length` seconds.
struct ThumbnailWish {
    std::filesystem::path file;
    media::Kind kind = media::Kind::Image;
    double time = 0, length = 0;
    int max_side = 512;
    bool unknown_kind = false;  ///< find out what it is first; `kind` is ignored
    QByteArray key() const;
};

struct Thumbnail {
    QImage image;                 ///< null for sound and for failures
    std::vector<float> waveform;  ///< 0 to 1, for sound
    QString failure;              ///< why there is nothing to see
    media::Kind kind = media::Kind::Image;
    qint64 ready_at = 0;  ///< now_ms() when it came, for the fade
};

/// Lives in the GUI thread. The newest wish is served first, and wishes of pages long scrolled past are dropped.
class Thumbnails : public QObject {
    Q_OBJECT

public:
    explicit Thumbnails(std::shared_ptr<media::Decoder> decoder, int threads = 2, QObject* parent = nullptr);
    ~Thumbnails() override;

    /// The thumbnail if it is there already; else it is fetched and announced by ready(). Valid until control returns
    /// to the event loop.
    const Thumbnail* get(const ThumbnailWish& wish);
    bool busy() const { return !pending_.isEmpty(); }
    static qint64 now_ms();

    static constexpr int most_waiting = 160;
    static constexpr qsizetype cache_bytes = 192 << 20;

Q_SIGNALS:
    void ready(const QByteArray& key);

private:
    void pump();
    void deliver(const QByteArray& key, const std::shared_ptr<Thumbnail>& thumbnail);

    std::shared_ptr<media::Decoder> decoder_;
    const ThumbnailStore store_;
    QCache<QByteArray, Thumbnail> cache_;
    std::vector<ThumbnailWish> waiting_;  // newest last
    QHash<QByteArray, bool> pending_;     // key → running
    int running_ = 0;
    int threads_;
    CancelToken closing_;
    QThreadPool pool_;
};

/// `bars` peaks (0 to 1, the loudest near 1) of mono samples.
std::vector<float> waveform_of(const std::vector<float>& samples, int bars);
/// A copy of a decoded picture that Qt can draw.
QImage image_of(const media::Picture& picture);

}  // namespace imprint::gui
