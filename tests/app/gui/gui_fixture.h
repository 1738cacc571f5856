// SPDX-License-Identifier: Apache-2.0
// Real media and a real decoder for the window's tests, and a watch on the event loop.
#pragma once

#include <QColor>
#include <QElapsedTimer>
#include <QImage>
#include <QPainter>
#include <QProcess>
#include <QTimer>
#include <algorithm>
#include <fstream>
#include <memory>

#include "app/gui/search_service.h"
#include "core/media/decoder.h"

namespace imprint::tests {

inline media::DecoderOptions decoder_options()
{
    media::DecoderOptions options;
    options.worker = IMPRINT_BIN_DIR "/imprint-decode";
    options.workers = 2;
    return options;
}

/// A picture with a coloured disc; returns its path.
inline std::filesystem::path make_picture(const QString& folder, const QString& name, const QColor& colour,
                                          QSize size = {320, 240})
{
    QImage image(size, QImage::Format_RGB32);
    image.fill(Qt::white);
    QPainter painter(&image);
    painter.setBrush(colour);
    painter.drawEllipse(image.rect().adjusted(40, 40, -40, -40));
    painter.end();
    const QString path = folder + QLatin1Char('/') + name;
    if (!image.save(path))
        qFatal("cannot write %s", qPrintable(path));
    return path.toStdString();
}

inline void ffmpeg(const QStringList& arguments)
{
    QProcess process;
    process.start(QStringLiteral("ffmpeg"),
                  QStringList{QStringLiteral("-v"), QStringLiteral("error"), QStringLiteral("-y")} + arguments);
    if (!process.waitForFinished(30000) || process.exitCode() != 0)
        qFatal("ffmpeg: %s", process.readAllStandardError().constData());
}

/// `seconds` of a moving test picture with a tone.
inline std::filesystem::path make_video(const QString& folder, const QString& name, int seconds)
{
    const QString path = folder + QLatin1Char('/') + name;
    ffmpeg({"-f", "lavfi", "-i", QStringLiteral("testsrc2=size=320x180:rate=15:duration=%1").arg(seconds), "-f", "lavfi", "-i",
            QStringLiteral("sine=frequency=440:duration=%1").arg(seconds), "-c:v", "mpeg4", "-q:v", "5", "-g", "15", "-c:a",
            "aac", "-shortest", path});
    return path.toStdString();
}

inline std::filesystem::path make_sound(const QString& folder, const QString& name, int seconds)
{
    const QString path = folder + QLatin1Char('/') + name;
    ffmpeg({"-f", "lavfi", "-i", QStringLiteral("sine=frequency=330:duration=%1").arg(seconds), path});
    return path.toStdString();
}

inline index::MomentHit moment(double start, double end, float score, Modality modality = Modality::Picture)
{
    const index::Cut cut;
    const index::Band band = score >= cut.likely ? index::Band::Likely
        : score >= cut.maybe                     ? index::Band::Maybe
                                                 : index::Band::Unlikely;
    return {{modality, start, end}, score, band};
}

inline index::FileHit hit(const std::filesystem::path& path, media::Kind kind, std::vector<index::MomentHit> moments,
                          int64_t mtime = 0)
{
    index::FileHit file;
    file.path = path;
    file.probe.kind = kind;
    file.probe.duration = kind == media::Kind::Image ? 0 : 60;
    file.mtime = mtime;
    if (!moments.empty()) {
        file.score = moments.front().score;
        file.band = moments.front().band;
    }
    if (kind == media::Kind::Image)
        for (auto& one : moments)
            one.moment.start = one.moment.end = std::nullopt;
    file.moments = std::move(moments);
    return file;
}

inline gui::Answer answer(std::vector<index::FileHit> hits, bool browsing = false)
{
    gui::Answer out;
    out.hits = std::make_shared<const std::vector<index::FileHit>>(std::move(hits));
    out.browsing = browsing;
    return out;
}

/// Notes the longest time that the event loop let a 5 ms timer wait. What its thread spent ready, but without a processor
/// because other programs had them all, is no stall of ours and is taken off.
class LoopWatch {
public:
    LoopWatch() : waited_(waited_ms())
    {
        timer_.setInterval(5);
        timer_.setTimerType(Qt::PreciseTimer);
        QObject::connect(&timer_, &QTimer::timeout, [this] {
            longest_ = std::max(longest_, stall_ms());
            waited_ = waited_ms();
            since_.restart();
            ++ticks_;
        });
        since_.start();
        timer_.start();
    }
    qint64 longest_ms() const { return std::max(longest_, stall_ms()); }
    int ticks() const { return ticks_; }

private:
    /// How long this thread has stood in the run queue so far: the second number of schedstat, in nanoseconds. 0 where the
    /// kernel does not count it.
    static qint64 waited_ms()
    {
        std::ifstream counted("/proc/thread-self/schedstat");
        qint64 ran = 0, waited = 0;
        return counted >> ran >> waited ? waited / 1'000'000 : 0;
    }
    qint64 stall_ms() const { return since_.elapsed() - (waited_ms() - waited_); }

    QTimer timer_;
    QElapsedTimer since_;
    qint64 waited_ = 0;
    qint64 longest_ = 0;
    int ticks_ = 0;
};

}  // namespace imprint::tests
