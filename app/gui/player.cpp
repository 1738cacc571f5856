// SPDX-License-Identifier: Apache-2.0
// QMediaPlayer opens files on the thread it lives in; here that is never the GUI thread.
#include "app/gui/player.h"

#include <QAudioDevice>
#include <QAudioOutput>
#include <QFile>
#include <QMediaDevices>
#include <QMediaPlayer>
#include <QPointer>
#include <QSemaphore>
#include <QVideoFrame>
#include <QVideoSink>
#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "app/gui/paths.h"

namespace imprint::gui {

struct Player::Inside {
    std::unique_ptr<QMediaPlayer> player;
    std::unique_ptr<QVideoSink> sink;
    std::unique_ptr<QAudioOutput> audio;
    std::unique_ptr<QFile> file;
    double start = 0;
    quint64 round = 0;
    std::atomic<int> width = 1280, height = 720;
    std::atomic<int> frames_waiting = 0;

    void close()
    {
        if (player) {
            player->stop();
            player->disconnect();
            player->setSourceDevice(nullptr);
        }
        if (sink)
            sink->disconnect();
        player.reset();
        sink.reset();
        audio.reset();
        file.reset();
    }
};

Player::Player(QObject* parent) : QObject(parent), inside_(std::make_shared<Inside>()), thread_(QStringLiteral("player"), 0) { }

Player::~Player()
{
    // The media objects must go where they live.
    QSemaphore closed;
    thread_.post([inside = inside_, &closed] {
        inside->close();
        closed.release();
    });
    closed.acquire();
    thread_.stop();
}

void Player::take_playing(bool playing)
{
    if (playing_ == playing)
        return;
    playing_ = playing;
    Q_EMIT playing_changed(playing);
}

void Player::set_frame_size(const QSize& pixels)
{
    inside_->width = std::max(16, pixels.width());
    inside_->height = std::max(16, pixels.height());
}

void Player::play(const std::filesystem::path& file, double from, float volume)
{
    loaded_ = true;
    file_ = file;
    position_ = from;
    const quint64 round = ++round_;
    take_playing(true);
    thread_.post([this, inside = inside_, file, from, volume, round] {
        const auto tell = [this, round](auto call) {
            QMetaObject::invokeMethod(this, [this, round, call] {
                if (round == round_)
                    call();
            });
        };
        inside->close();
        inside->round = round;
        inside->start = from;
        inside->frames_waiting = 0;
        // By descriptor: a name that is not UTF-8 has no QUrl.
        const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (descriptor < 0) {
            const int number = errno;
            tell([this, file, number] {
                take_playing(false);
                loaded_ = false;
                try {
                    throw_errno(number, file.native(), "open it");
                } catch (const Error& error) {
                    Q_EMIT failed(problem_of(tr("play"), error));
                }
            });
            return;
        }
        inside->file = std::make_unique<QFile>();
        if (!inside->file->open(descriptor, QIODevice::ReadOnly, QFileDevice::AutoCloseHandle)) {
            tell([this] { take_playing(false); });
            return;
        }
        inside->player = std::make_unique<QMediaPlayer>();
        inside->sink = std::make_unique<QVideoSink>();
        QMediaPlayer* player = inside->player.get();
        // The FFmpeg backend of Qt 6.4 crashes with an output where there is no device.
        if (!QMediaDevices::audioOutputs().isEmpty()) {
            inside->audio = std::make_unique<QAudioOutput>();
            inside->audio->setVolume(volume);
            player->setAudioOutput(inside->audio.get());
        }
        player->setVideoSink(inside->sink.get());
        connect(
            inside->sink.get(), &QVideoSink::videoFrameChanged, inside->sink.get(),
            [this, inside, tell](const QVideoFrame& shown) {
                if (!shown.isValid() || inside->frames_waiting.load() > 1)
                    return;  // the window is behind: this frame would only be late
                QImage image = shown.toImage();
                const QSize most(inside->width, inside->height);
                if (image.width() > most.width() || image.height() > most.height())
                    image = image.scaled(most, Qt::KeepAspectRatio, Qt::SmoothTransformation);
                image = image.convertToFormat(QImage::Format_RGB32);
                ++inside->frames_waiting;
                QMetaObject::invokeMethod(this, [inside] { --inside->frames_waiting; });
                tell([this, image] { Q_EMIT frame(image); });
            },
            Qt::QueuedConnection);
        connect(player, &QMediaPlayer::mediaStatusChanged, player,
                [this, player, inside, tell](QMediaPlayer::MediaStatus status) {
                    if (status == QMediaPlayer::LoadedMedia && !player->hasVideo() && !inside->audio) {
                        // The backend's clock would stand still: better said than shown.
                        tell([this] {
                            take_playing(false);
                            loaded_ = false;
                            Q_EMIT failed({tr("Could not play: this computer has no sound output."), shown_path(file_),
                                           tr("Connect a loudspeaker or headphones, then play it again."), ErrorKind::NotFound});
                        });
                    } else if (status == QMediaPlayer::LoadedMedia || status == QMediaPlayer::BufferedMedia) {
                        if (inside->start > 0)
                            player->setPosition(qint64(inside->start * 1000));
                        inside->start = 0;
                    } else if (status == QMediaPlayer::EndOfMedia) {
                        tell([this] { take_playing(false); });
                    }
                });
        connect(player, &QMediaPlayer::positionChanged, player, [this, inside, tell](qint64 ms) {
            if (inside->start > 0)
                return;  // not there yet
            tell([this, ms] {
                position_ = double(ms) / 1000;
                Q_EMIT position_changed(position_);
            });
        });
        connect(player, &QMediaPlayer::playbackStateChanged, player, [this, tell](QMediaPlayer::PlaybackState state) {
            tell([this, state] { take_playing(state == QMediaPlayer::PlayingState); });
        });
        connect(player, &QMediaPlayer::errorOccurred, player, [this, tell, file](QMediaPlayer::Error, const QString& text) {
            tell([this, file, text] {
                take_playing(false);
                Q_EMIT failed({tr("Could not play: %1.").arg(text), shown_path(file),
                               tr("Open it with another program, or convert it to a common format."), ErrorKind::Unsupported});
            });
        });
        player->setSourceDevice(inside->file.get(), QUrl(QStringLiteral("file:///") + shown_name(file)));
        if (inside->start > 0 && player->mediaStatus() == QMediaPlayer::LoadedMedia) {
            player->setPosition(qint64(inside->start * 1000));
            inside->start = 0;
        }
        player->play();
    });
}

void Player::seek(double seconds)
{
    position_ = seconds;
    Q_EMIT position_changed(seconds);
    thread_.post([inside = inside_, seconds] {
        if (inside->player)
            inside->player->setPosition(qint64(seconds * 1000));
    });
}

void Player::set_paused(bool paused)
{
    if (!loaded_)
        return;
    thread_.post([inside = inside_, paused] {
        if (!inside->player)
            return;
        if (paused)
            inside->player->pause();
        else
            inside->player->play();
    });
}

void Player::stop()
{
    if (!loaded_)
        return;
    loaded_ = false;
    ++round_;
    take_playing(false);
    thread_.post([inside = inside_] { inside->close(); });
}

}  // namespace imprint::gui
