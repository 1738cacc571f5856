// SPDX-License-Identifier: Apache-2.0
// What every test of the whole window starts from: a folder, an empty library in it, the tiny model, a theme.
#pragma once

#include <QApplication>
#include <QDir>
#include <QTemporaryDir>

#include "app/gui/theme.h"
#include "tests/app/gui/gui_fixture.h"
#include "tests/support/tiny_checkpoint.h"

namespace imprint::tests {

/// A base beside QObject. Members are named as a test class names its own.
class WindowLibrary {
protected:
    void make_library(gui::ThemeMode mode)
    {
        options_.library = folder_.filePath(QStringLiteral("library")).toStdString();
        options_.checkpoint = make_tiny_checkpoint(folder_.path().toStdString());
        options_.encoder.threads = 1;
        options_.decoder = decoder_options();
        theme_ = std::make_unique<gui::Theme>(*qApp, mode);
    }

    /// Discs of all colours and a clip of six seconds, in media_.
    void make_media(int discs)
    {
        media_ = folder_.filePath(QStringLiteral("media"));
        QDir().mkpath(media_);
        for (int i = 0; i < discs; ++i)
            make_picture(media_, QStringLiteral("disc%1.png").arg(i), QColor::fromHsv(i * 360 / discs, 220, 210));
        make_video(media_, QStringLiteral("clip.mp4"), 6);
    }
    void make_broken_picture() const { write(media_ + QStringLiteral("/broken.jpg"), "this is no picture"); }

    static void write(const QString& file, const QByteArray& bytes)
    {
        QFile out(file);
        if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size())
            qFatal("cannot write %s", qPrintable(file));
    }

    QTemporaryDir folder_;
    QString media_;
    jobs::EngineOptions options_;
    std::unique_ptr<gui::Theme> theme_;
};

}  // namespace imprint::tests
