// SPDX-License-Identifier: Apache-2.0
// Parsing is the engine's (jobs::parse_query); here only chips come and go.
#include "app/gui/query_box.h"

#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QStyle>
#include <algorithm>

#include "app/gui/clips.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"

namespace imprint::gui {

QueryBox::QueryBox(const Theme& theme, Thumbnails& thumbnails, QWidget* parent)
    : QFrame(parent), theme_(theme), thumbnails_(thumbnails), flow_(new FlowLayout(this, 8, 220)), line_(new QLineEdit)
{
    setObjectName(QStringLiteral("queryBox"));
    setAcceptDrops(true);
    flow_->setContentsMargins(10, 9, 10, 9);
    line_->setObjectName(QStringLiteral("queryLine"));
    line_->setFixedHeight(28);
    line_->setFrame(false);
    line_->setAcceptDrops(false);
    line_->setAccessibleName(tr("Search for"));
    line_->setAccessibleDescription(tr("Words; − before a word excludes it, *2 behind it doubles its weight"));
    line_->installEventFilter(this);
    flow_->insert(0, line_);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Minimum);
    connect(line_, &QLineEdit::textEdited, this, &QueryBox::edited);
    connect(&thumbnails_, &Thumbnails::ready, this, &QueryBox::fetch_pictures);
    retell();
}

std::vector<jobs::QueryPart> QueryBox::parts() const
{
    std::vector<jobs::QueryPart> parts;
    for (const Chip* chip : chips_)
        parts.push_back(chip->part());
    for (auto& part : typed_parts())
        parts.push_back(std::move(part));
    return parts;
}

std::vector<jobs::QueryPart> QueryBox::typed_parts() const
{
    try {
        auto parts = jobs::parse_query(line_->text().toStdString());
        line_->setToolTip({});
        return parts;
    } catch (const Error& error) {
        // What stands there may be half typed ("dog*0"): it waits, and says why when asked.
        line_->setToolTip(QString::fromLocal8Bit(error.what()));
        return {};
    }
}

void QueryBox::insert(const jobs::QueryPart& part)
{
    auto* chip = new Chip(theme_, part, this);
    flow_->insert(static_cast<int>(chips_.size()), chip);
    chips_.push_back(chip);
    // The first call brings the chip to where the line is, the second the line behind it.
    setTabOrder(line_, chip);
    setTabOrder(chip, line_);
    connect(chip, &Chip::changed, this, &QueryBox::edited);
    connect(chip, &Chip::removed, this, [this, chip] {
        remove(chip);
        line_->setFocus();
        Q_EMIT edited();
    });
    connect(chip, &Chip::edit_wanted, this, [this, chip] {
        if (!is_words(chip->part()))
            return;
        const QString words = typed_form(chip->part());
        remove(chip);
        line_->setText((line_->text().trimmed() + QLatin1Char(' ') + words).trimmed());
        line_->setFocus();
        Q_EMIT edited();
    });
    connect(chip, &Chip::step_wanted, this, [this, chip](int direction) {
        const auto at = std::find(chips_.begin(), chips_.end(), chip) - chips_.begin() + direction;
        if (at >= static_cast<long>(chips_.size()))
            line_->setFocus();
        else if (at >= 0)
            chips_[at]->setFocus();
    });
    fetch_pictures();
    retell();
}

void QueryBox::remove(Chip* chip)
{
    const auto at = std::find(chips_.begin(), chips_.end(), chip);
    if (at == chips_.end())
        return;
    delete flow_->takeAt(static_cast<int>(at - chips_.begin()));
    chips_.erase(at);
    chip->hide();
    chip->deleteLater();
    flow_->invalidate();
    updateGeometry();
    retell();
}

void QueryBox::add(const jobs::QueryPart& part)
{
    insert(part);
    Q_EMIT edited();
}

void QueryBox::replace(const jobs::QueryPart& part)
{
    while (!chips_.empty())
        remove(chips_.back());
    line_->clear();
    add(part);
}

void QueryBox::set_typed(const QString& text)
{
    line_->setText(text);
    Q_EMIT edited();
}

void QueryBox::clear()
{
    while (!chips_.empty())
        remove(chips_.back());
    line_->clear();
    Q_EMIT edited();
}

void QueryBox::commit()
{
    const auto parts = typed_parts();
    if (parts.empty())
        return;
    line_->clear();
    for (const auto& part : parts)
        insert(part);
    Q_EMIT edited();
}

void QueryBox::take_literally()
{
    for (const auto& part : typed_parts())
        insert(part);
    line_->clear();
    for (Chip* chip : chips_)
        if (is_words(chip->part()))
            chip->set_literal();
    Q_EMIT edited();
}

void QueryBox::focus_line()
{
    line_->setFocus(Qt::ShortcutFocusReason);
    line_->selectAll();
}

bool QueryBox::take(const QMimeData& data)
{
    if (const auto* clips = qobject_cast<const ClipData*>(&data)) {  // of this window: nothing need be cut for it
        for (const ClipWish& wish : clips->wishes())
            insert({{}, wish.file, wish.start, wish.end, 1.0});
        Q_EMIT edited();
        return true;
    }
    const auto files = files_from_others(data);
    std::vector<std::filesystem::path> folders;
    for (const auto& file : files) {
        std::error_code ignored;  // what cannot be looked at is no folder; searching with it will say why not
        if (std::filesystem::is_directory(file, ignored))
            folders.push_back(file);
        else
            insert({{}, file, {}, {}, 1.0});
    }
    if (!folders.empty())
        Q_EMIT folders_dropped(folders);
    if (files.empty() && data.hasImage()) {
        const QImage image = qvariant_cast<QImage>(data.imageData());
        if (!pasted_)
            pasted_ = std::make_unique<QTemporaryDir>();
        const QString name = pasted_->filePath(tr("pasted %1.png").arg(++pasted_count_));
        if (image.isNull() || !image.save(name))
            return false;
        insert({{}, path_of(name), {}, {}, 1.0});
    } else if (files.empty() && data.hasText()) {
        line_->insert(data.text().simplified());
    } else if (files.empty()) {
        return false;
    }
    Q_EMIT edited();
    return true;
}

void QueryBox::fetch_pictures()
{
    for (Chip* chip : chips_) {
        const jobs::QueryPart& part = chip->part();
        if (part.file.empty() || chip->property("pictured").toBool())
            continue;
        ThumbnailWish wish{part.file, media::Kind::Image, part.from.value_or(0), 0, 128, true};
        if (part.from && part.to)
            wish.time = (*part.from + *part.to) / 2;
        if (const Thumbnail* thumbnail = thumbnails_.get(wish)) {
            chip->setProperty("pictured", true);
            if (!thumbnail->image.isNull())
                chip->set_thumbnail(thumbnail->image);
            else
                chip->set_thumbnail(
                    icon_pixmap(thumbnail->failure.isEmpty() ? QStringLiteral("sound") : QStringLiteral("warning"),
                                theme_.colours().accent, 44)
                        .toImage());
        }
    }
}

void QueryBox::retell()
{
    line_->setPlaceholderText(chips_.empty() ? tr("Describe a moment, or drop a picture, a clip, a sound…")
                                             : tr("add words, or drop a picture, a clip, a sound…"));
}

void QueryBox::mark(const char* property, bool on)
{
    setProperty(property, on);
    style()->unpolish(this);
    style()->polish(this);
}

void QueryBox::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls() || event->mimeData()->hasImage() || event->mimeData()->hasText()) {
        event->acceptProposedAction();
        mark("dropping", true);
    }
}

void QueryBox::dragLeaveEvent(QDragLeaveEvent*) { mark("dropping", false); }

void QueryBox::dropEvent(QDropEvent* event)
{
    mark("dropping", false);
    if (take(*event->mimeData()))
        event->acceptProposedAction();
}

void QueryBox::mousePressEvent(QMouseEvent*) { line_->setFocus(); }

bool QueryBox::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != line_)
        return QFrame::eventFilter(watched, event);
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
        mark("focused", event->type() == QEvent::FocusIn);
        return false;
    }
    if (event->type() != QEvent::KeyPress)
        return false;
    auto* key = static_cast<QKeyEvent*>(event);
    if (key->matches(QKeySequence::Paste)) {
        const QMimeData* data = QApplication::clipboard()->mimeData();
        return data && (data->hasUrls() || data->hasImage()) && take(*data);
    }
    const bool at_start = line_->cursorPosition() == 0 && !line_->hasSelectedText();
    switch (key->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
        commit();
        Q_EMIT submitted();
        return true;
    case Qt::Key_Backspace:
        if (!at_start || chips_.empty())
            return false;
        remove(chips_.back());
        Q_EMIT edited();
        return true;
    case Qt::Key_Left:
        if (!at_start || chips_.empty())
            return false;
        chips_.back()->setFocus();
        return true;
    case Qt::Key_Down:
        Q_EMIT left_down();
        return true;
    case Qt::Key_Escape:
        if (line_->text().isEmpty() && chips_.empty())
            return false;
        if (line_->text().isEmpty())
            clear();
        else
            set_typed({});
        return true;
    default:
        return false;
    }
}

}  // namespace imprint::gui
