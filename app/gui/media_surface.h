// SPDX-License-Identifier: Apache-2.0
// Where the preview shows a picture, a playing frame or a waveform. It paints frames itself: a video widget would be
// black in a screenshot.
#pragma once

#include <QImage>
#include <QWidget>
#include <vector>

#include "app/gui/theme.h"

namespace imprint::gui {

class MediaSurface : public QWidget {
    Q_OBJECT

public:
    explicit MediaSurface(const Theme& theme, QWidget* parent = nullptr);

    void show_picture(const QImage& image);
    void show_waveform(const std::vector<float>& bars);
    void show_nothing(const QString& why = {});
    void set_playable(bool playable);
    void set_playing(bool playing);
    void set_played(double share);    ///< 0 to 1, for the waveform
    void set_free_height(bool free);  ///< take all the room instead of 16:9
    const QImage& picture() const { return picture_; }

    bool hasHeightForWidth() const override { return !free_; }
    int heightForWidth(int width) const override { return width * 9 / 16; }
    QSize sizeHint() const override { return {340, 191}; }

Q_SIGNALS:
    void clicked();
    void double_clicked();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    const Theme& theme_;
    QImage picture_, fitted_;
    QSize fitted_for_;
    std::vector<float> bars_;
    QString why_;
    bool playable_ = false, playing_ = false, free_ = false;
    double played_ = 1;
};

}  // namespace imprint::gui
