// SPDX-License-Identifier: Apache-2.0
// A poster comes from the engine's decoder; only playing uses the media player.
#include "app/gui/preview_panel.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QUrl>

#include "app/gui/figures.h"
#include "app/gui/flow_layout.h"
#include "app/gui/icons.h"
#include "app/gui/paths.h"
#include "app/gui/results_view.h"

namespace imprint::gui {
namespace {

constexpr int poster_side = 1024;
constexpr int details_height = 216;  // in the large preview: three moments are seen, the rest is scrolled to

QString facts_of(const index::FileHit& hit)
{
    QStringList facts{shown_name(hit.path.parent_path()), format_date(hit.probe.taken_at.value_or(hit.mtime))};
    if (hit.probe.width > 0)
        facts << (hit.probe.kind == media::Kind::Video ? QStringLiteral("%1p").arg(std::min(hit.probe.width, hit.probe.height))
                                                       : QStringLiteral("%1 × %2").arg(hit.probe.width).arg(hit.probe.height));
    if (hit.probe.duration > 0)
        facts << format_time(hit.probe.duration);
    return facts.join(QStringLiteral(" · "));
}

}  // namespace

PreviewPanel::PreviewPanel(const Theme& theme, Thumbnails& thumbnails, QWidget* parent)
    : QFrame(parent), theme_(theme), thumbnails_(thumbnails), surface_(new MediaSurface(theme)), heat_(new HeatStrip(theme)),
      name_(new QLabel), facts_(new QLabel), stars_(new StarRow(theme)), details_(new QWidget),
      more_(new QPushButton(tr("More like this"))), less_(new QPushButton(tr("Less"))),
      similar_(new QPushButton(tr("Find similar"))), expand_(new QPushButton), open_(new QPushButton),
      moments_title_(new FigureLabel(theme, metrics::caption, FigureLabel::Tone::Dim)), moments_(new MomentList(theme))
{
    setObjectName(QStringLiteral("previewPanel"));
    setAccessibleName(tr("Preview"));
    name_->setProperty("role", "card");
    facts_->setProperty("role", "dim");
    for (QLabel* label : {name_, facts_}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    moments_title_->set_weight(QFont::DemiBold);
    moments_title_->set_text(tr("MOMENTS"));
    more_->setToolTip(tr("This is what is looked for"));
    less_->setToolTip(tr("This is not what is looked for"));
    less_->setAccessibleName(tr("Less like this"));
    similar_->setToolTip(tr("Asks for this moment alone"));
    expand_->setProperty("role", "quiet");
    expand_->setToolTip(tr("Large (Enter), back with Esc"));
    expand_->setAccessibleName(tr("Large preview"));
    open_->setProperty("role", "quiet");
    open_->setToolTip(tr("Open with the system's program"));
    open_->setAccessibleName(tr("Open with the system's program"));

    auto* title = new QHBoxLayout;
    title->setSpacing(0);
    title->addWidget(name_, 1);
    title->addWidget(open_, 0, Qt::AlignTop);
    title->addWidget(expand_, 0, Qt::AlignTop);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    for (QPushButton* button : {more_, less_, similar_})
        buttons->addWidget(button);
    buttons->addStretch();
    auto* below = new QVBoxLayout(details_);
    below->setContentsMargins(0, 0, 0, 0);
    below->setSpacing(4);
    below->addLayout(title);
    below->addWidget(facts_);
    below->addWidget(stars_, 0, Qt::AlignLeft);
    below->addSpacing(8);
    below->addLayout(buttons);
    below->addSpacing(16);
    below->addWidget(moments_title_);
    below->addWidget(moments_, 1);
    below->addStretch();  // a picture has no list of moments

    surface_->setMinimumWidth(268);  // buttons with long words may ask for more
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 8);
    column->setSpacing(12);
    column->addWidget(surface_);
    column->addWidget(heat_);
    column->addWidget(details_, 1);

    connect(surface_, &MediaSurface::clicked, this, &PreviewPanel::toggle_play);
    connect(surface_, &MediaSurface::double_clicked, this, [this] { Q_EMIT expand_wanted(!expanded_); });
    connect(heat_, &HeatStrip::sought, this, [this](double seconds) { go_to(seconds, player_.playing()); });
    connect(heat_, &HeatStrip::dragged, this, &PreviewPanel::drag_out);
    connect(moments_, &MomentList::dragged, this,
            [this](int index) { drag_out(moments_->moments()[static_cast<size_t>(index)].moment); });
    connect(moments_, &MomentList::menu_wanted, this, [this](int index, const QPoint& global) {
        const index::Moment chosen = moments_->moments()[static_cast<size_t>(index)].moment;
        auto* menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        QAction* save = menu->addAction(tr("Save clip…"));
        save->setEnabled(chosen.start && chosen.end);
        connect(save, &QAction::triggered, this, [this, chosen, file = hit_->path] { Q_EMIT clip_wanted(file, chosen); });
        menu->popup(global);
    });
    connect(moments_, &MomentList::picked, this, [this](int index) {
        const auto& moment = moments_->moments()[static_cast<size_t>(index)].moment;
        if (moment.start)
            go_to(*moment.start, true);
    });
    connect(more_, &QPushButton::clicked, this, [this] { Q_EMIT more_wanted(hit_->path, moment()); });
    connect(less_, &QPushButton::clicked, this, [this] { Q_EMIT less_wanted(hit_->path, moment()); });
    connect(stars_, &StarRow::given, this, &PreviewPanel::stars_given);
    connect(similar_, &QPushButton::clicked, this, [this] { Q_EMIT similar_wanted(hit_->path, moment()); });
    connect(expand_, &QPushButton::clicked, this, [this] { Q_EMIT expand_wanted(!expanded_); });
    connect(open_, &QPushButton::clicked, this, [this] {
        const QByteArray url = "file://" + QByteArray::fromStdString(hit_->path.native()).toPercentEncoding("/");
        if (!QDesktopServices::openUrl(QUrl::fromEncoded(url)))
            Q_EMIT failed({tr("Could not open the file: the system has no program for it."),
                           shown_path(hit_->path),
                           tr("Choose a program for this kind of file in the system's settings."),
                           {}});
    });
    connect(&player_, &Player::frame, this, [this](const QImage& image) { surface_->show_picture(image); });
    connect(&player_, &Player::playing_changed, surface_, &MediaSurface::set_playing);
    connect(&player_, &Player::position_changed, this, [this](double seconds) {
        heat_->set_position(seconds);
        if (hit_ && hit_->probe.duration > 0)
            surface_->set_played(seconds / hit_->probe.duration);
    });
    connect(&player_, &Player::failed, this, &PreviewPanel::failed);
    connect(&thumbnails_, &Thumbnails::ready, this, [this] {
        if (wants_picture_)
            fetch_picture();
    });
    const auto tint = [this] {
        const QColor dim = theme_.colours().dim, ink = theme_.colours().ink;
        more_->setIcon(icon(QStringLiteral("plus"), ink, 12));
        less_->setIcon(icon(QStringLiteral("minus"), ink, 12));
        expand_->setIcon(icon(QStringLiteral("expand"), dim, 14));
        open_->setIcon(icon(QStringLiteral("open"), dim, 14));
        for (QPushButton* button : {more_, less_})
            button->setIconSize({12, 12});
        for (QPushButton* button : {expand_, open_})
            button->setIconSize({14, 14});
    };
    connect(&theme_, &Theme::changed, this, tint);
    tint();
    show_nothing();
}

double PreviewPanel::from() const { return start_; }

index::Moment PreviewPanel::moment() const
{
    if (const int row = moments_->currentRow(); row >= 0 && row < static_cast<int>(moments_->moments().size()))
        return moments_->moments()[static_cast<size_t>(row)].moment;
    return best_moment(*hit_).value_or(index::Moment{});
}

void PreviewPanel::show_nothing()
{
    player_.stop();
    hit_.reset();
    wants_picture_ = false;
    surface_->set_playable(false);
    surface_->show_nothing(tr("Choose a result to see it here."));
    heat_->hide();
    details_->setEnabled(false);
    details_->hide();
}

void PreviewPanel::show_hit(const index::FileHit& hit, std::vector<index::MomentHit> moments)
{
    player_.stop();
    hit_ = hit;
    const bool plays = hit.probe.kind != media::Kind::Image;
    const auto best = moments.empty() ? best_moment(hit) : std::optional(moments.front().moment);
    start_ = plays && best ? best->start.value_or(0) : 0;

    details_->show();
    details_->setEnabled(true);
    name_->setText(shown_name(hit.path));
    facts_->setText(facts_of(hit));
    facts_->setToolTip(shown_path(hit.path));
    stars_->show_stars(hit.stars);
    heat_->setVisible(plays && hit.probe.duration > 0);
    heat_->set_file(hit.probe.duration, moments);
    heat_->set_position(start_);
    const bool listed = plays && !moments.empty();
    moments_title_->setVisible(listed);
    moments_->setVisible(listed);
    moments_->set_moments(std::move(moments));
    surface_->set_playable(plays);
    surface_->set_playing(false);
    surface_->set_played(hit.probe.duration > 0 ? start_ / hit.probe.duration : 1);
    fetch_picture();
}

void PreviewPanel::show_stars(int stars)
{
    if (!hit_)
        return;
    hit_->stars = stars;
    stars_->show_stars(stars);
}

void PreviewPanel::show_relevance(const std::filesystem::path& file, const std::vector<index::MomentHit>& moments)
{
    if (!hit_ || hit_->path.native() != file.native())
        return;
    const double position = player_.loaded() ? player_.position() : start_;
    heat_->set_file(hit_->probe.duration, moments);
    heat_->set_position(position);
}

void PreviewPanel::fetch_picture()
{
    wants_picture_ = true;
    ThumbnailWish wish = ResultsView::wish_for(*hit_);
    if (hit_->probe.kind == media::Kind::Audio) {
        wish.time = 0;
        wish.length = 0;
    } else {
        // What the tile already has stands in until the larger one comes: the panel never flashes empty.
        if (const Thumbnail* small = thumbnails_.get(wish); small && !small->image.isNull() && !player_.loaded())
            surface_->show_picture(small->image);
        wish.max_side = poster_side;
        if (hit_->probe.kind == media::Kind::Video && start_ > 0)
            wish.time = start_;
    }
    const Thumbnail* thumbnail = thumbnails_.get(wish);
    if (!thumbnail) {
        if (hit_->probe.kind == media::Kind::Audio)
            surface_->show_nothing();
        return;
    }
    wants_picture_ = false;
    if (player_.loaded() && hit_->probe.kind == media::Kind::Video)
        return;  // frames are on their way already
    if (!thumbnail->image.isNull())
        surface_->show_picture(thumbnail->image);
    else if (!thumbnail->waveform.empty())
        surface_->show_waveform(thumbnail->waveform);
    else
        surface_->show_nothing(tr("This cannot be shown: %1.").arg(thumbnail->failure));
}

void PreviewPanel::go_to(double seconds, bool play)
{
    if (!hit_ || hit_->probe.kind == media::Kind::Image)
        return;
    start_ = seconds;
    heat_->set_position(seconds);
    if (player_.loaded()) {
        player_.seek(seconds);
        if (play && !player_.playing())
            player_.set_paused(false);
    } else if (play) {
        player_.play(hit_->path, seconds);
    } else {
        if (hit_->probe.duration > 0)
            surface_->set_played(seconds / hit_->probe.duration);
        fetch_picture();
    }
}

void PreviewPanel::toggle_play()
{
    if (!hit_ || hit_->probe.kind == media::Kind::Image)
        return;
    if (!player_.loaded())
        player_.play(hit_->path, from());
    else
        player_.set_paused(player_.playing());
}

void PreviewPanel::stop() { player_.stop(); }

void PreviewPanel::drag_out(const index::Moment& moment)
{
    if (hit_ && moment.start && moment.end)
        Q_EMIT clip_dragged(hit_->path, moment, surface_->grab().scaledToWidth(140, Qt::SmoothTransformation));
}

void PreviewPanel::walk_peak(int direction)
{
    const double now = player_.loaded() ? player_.position() : start_;
    const auto peak = direction > 0 ? heat_->peak_after(now) : heat_->peak_before(now);
    if (peak)
        go_to(*peak, player_.playing());
}

void PreviewPanel::set_expanded(bool expanded)
{
    expanded_ = expanded;
    surface_->set_free_height(expanded);
    static_cast<QVBoxLayout*>(layout())->setStretchFactor(surface_, expanded ? 1 : 0);
    details_->setMaximumHeight(expanded ? details_height : QWIDGETSIZE_MAX);
}

void PreviewPanel::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    player_.set_frame_size(surface_->size() * devicePixelRatioF());
}

void PreviewPanel::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_BracketLeft || event->key() == Qt::Key_BracketRight)
        walk_peak(event->key() == Qt::Key_BracketRight ? 1 : -1);
    else
        QFrame::keyPressEvent(event);
}

}  // namespace imprint::gui
