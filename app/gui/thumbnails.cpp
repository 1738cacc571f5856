// SPDX-License-Identifier: Apache-2.0
// A stack of wishes feeds a small thread pool; answers come back to the GUI thread as queued calls.
#include "app/gui/thumbnails.h"

#include <QElapsedTimer>
#include <algorithm>
#include <cmath>
#include <cstring>

namespace imprint::gui {
namespace {

constexpr int waveform_bars = 160;
constexpr double longest_waveform = 600;  // the decoder hands out no more in one call

Thumbnail decode(media::Decoder& decoder, const ThumbnailStore& store, const ThumbnailWish& wish, const CancelToken& cancel)
{
    Thumbnail out;
    try {
        const media::Fit fit{{}, wish.max_side};
        out.kind = wish.unknown_kind ? decoder.probe(wish.file, cancel).kind : wish.kind;
        switch (out.kind) {
        case media::Kind::Image:
            out.image = store.read(wish.file, wish.max_side);
            if (out.image.isNull()) {
                out.image = image_of(decoder.still(wish.file, fit, cancel));
                store.write(wish.file, wish.max_side, out.image);
            }
            break;
        case media::Kind::Video: {
            const double times[] = {std::max(0.0, wish.time)};
            const auto frames = decoder.frames(wish.file, times, fit, cancel);
            if (!frames.empty())
                out.image = image_of(frames.front());
            // One picture stands for a whole film where others look; which moment it shows is left open.
            if (store.read(wish.file, wish.max_side).isNull())
                store.write(wish.file, wish.max_side, out.image);
            break;
        }
        case media::Kind::Audio: {
            const double length = wish.length > 0 ? std::min(wish.length, longest_waveform) : longest_waveform;
            const auto sound = decoder.sound(wish.file, wish.time, wish.time + length, cancel);
            out.waveform = waveform_of(sound.samples, waveform_bars);
            break;
        }
        }
    } catch (const std::exception& error) {
        const auto* known = dynamic_cast<const Error*>(&error);
        out.failure = QString::fromStdString(known ? known->reason() : error.what());
        // The disk may be away: what was seen of the file is better than nothing.
        if (known && known->kind() == ErrorKind::NotFound)
            out.image = store.read_of_missing(wish.file);
        if (!out.image.isNull())
            out.failure.clear();
    }
    return out;
}

}  // namespace

QByteArray ThumbnailWish::key() const
{
    QByteArray key = QByteArray::fromStdString(file.native());
    key += '\0';
    key += QByteArray::number(unknown_kind ? -1 : static_cast<int>(kind)) + ',' + QByteArray::number(std::llround(time * 100))
        + ',' + QByteArray::number(std::llround(length * 100)) + ',' + QByteArray::number(max_side);
    return key;
}

std::vector<float> waveform_of(const std::vector<float>& samples, int bars)
{
    std::vector<float> out(static_cast<size_t>(bars), 0.0f);
    if (samples.empty())
        return out;
    for (int bar = 0; bar < bars; ++bar) {
        const size_t from = samples.size() * bar / bars, to = std::max(from + 1, samples.size() * (bar + 1) / bars);
        double sum = 0;
        float peak = 0;
        for (size_t i = from; i < to && i < samples.size(); ++i) {
            sum += static_cast<double>(samples[i]) * samples[i];
            peak = std::max(peak, std::abs(samples[i]));
        }
        // Half peak, half loudness: peaks alone fill the strip, loudness alone looks flat.
        out[bar] = 0.5f * peak + static_cast<float>(std::sqrt(sum / static_cast<double>(to - from)));
    }
    const float loudest = *std::max_element(out.begin(), out.end());
    if (loudest > 1e-4f)
        for (float& value : out)
            value = std::sqrt(value / loudest);
    return out;
}

QImage image_of(const media::Picture& picture)
{
    if (picture.width <= 0 || picture.height <= 0)
        return {};
    const QImage view(picture.rgb.data(), picture.width, picture.height, picture.width * 3, QImage::Format_RGB888);
    return view.convertToFormat(QImage::Format_RGB32);
}

Thumbnails::Thumbnails(std::shared_ptr<media::Decoder> decoder, int threads, QObject* parent)
    : QObject(parent), decoder_(std::move(decoder)), cache_(cache_bytes), threads_(threads)
{
    pool_.setMaxThreadCount(threads);
    pool_.setThreadPriority(QThread::LowPriority);
}

Thumbnails::~Thumbnails()
{
    closing_.cancel();
    pool_.clear();
    pool_.waitForDone();
}

qint64 Thumbnails::now_ms()
{
    QElapsedTimer timer;
    timer.start();
    return timer.msecsSinceReference();
}

const Thumbnail* Thumbnails::get(const ThumbnailWish& wish)
{
    const QByteArray key = wish.key();
    if (const Thumbnail* known = cache_.object(key))
        return known;
    if (const auto found = pending_.constFind(key); found != pending_.constEnd()) {
        if (!*found) {  // asked for again: to the top of the stack
            const auto at =
                std::find_if(waiting_.begin(), waiting_.end(), [&](const ThumbnailWish& other) { return other.key() == key; });
            if (at != waiting_.end())
                std::rotate(at, at + 1, waiting_.end());
        }
        return nullptr;
    }
    pending_.insert(key, false);
    waiting_.push_back(wish);
    if (static_cast<int>(waiting_.size()) > most_waiting) {
        pending_.remove(waiting_.front().key());
        waiting_.erase(waiting_.begin());
    }
    pump();
    return nullptr;
}

void Thumbnails::pump()
{
    while (running_ < threads_ && !waiting_.empty()) {
        const ThumbnailWish wish = waiting_.back();
        waiting_.pop_back();
        const QByteArray key = wish.key();
        pending_[key] = true;
        ++running_;
        pool_.start([this, wish, key, decoder = decoder_, store = store_, closing = closing_] {
            auto thumbnail = std::make_shared<Thumbnail>(decode(*decoder, store, wish, closing));
            if (!closing.cancelled())
                QMetaObject::invokeMethod(
                    this, [this, key, thumbnail] { deliver(key, thumbnail); }, Qt::QueuedConnection);
        });
    }
}

void Thumbnails::deliver(const QByteArray& key, const std::shared_ptr<Thumbnail>& thumbnail)
{
    --running_;
    pending_.remove(key);
    thumbnail->ready_at = now_ms();
    const qsizetype cost = 1024 + thumbnail->image.sizeInBytes();
    cache_.insert(key, new Thumbnail(std::move(*thumbnail)), cost);
    Q_EMIT ready(key);
    pump();
}

}  // namespace imprint::gui
