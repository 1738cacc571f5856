// SPDX-License-Identifier: Apache-2.0
// Palettes as in the design's table, and their way into Qt's palette and the one style sheet (style.qss).
#include "app/gui/theme.h"

#include <QApplication>
#include <QFile>
#include <QFontDatabase>
#include <QPalette>
#include <QRegularExpression>
#include <QStyleFactory>
#include <cmath>
#include <utility>

#include "app/gui/system_scheme.h"

namespace imprint::gui {
namespace {

double channel(double value) { return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& colour)
{
    return 0.2126 * channel(colour.redF()) + 0.7152 * channel(colour.greenF()) + 0.0722 * channel(colour.blueF());
}

QPalette qt_palette(const Palette& p)
{
    QPalette out;
    out.setColor(QPalette::Window, p.background);
    out.setColor(QPalette::WindowText, p.ink);
    out.setColor(QPalette::Base, p.panel);
    out.setColor(QPalette::AlternateBase, p.background);
    out.setColor(QPalette::Text, p.ink);
    out.setColor(QPalette::PlaceholderText, p.dim);
    out.setColor(QPalette::Button, p.panel);
    out.setColor(QPalette::ButtonText, p.ink);
    out.setColor(QPalette::Highlight, p.accent);
    out.setColor(QPalette::HighlightedText, p.on_accent);
    out.setColor(QPalette::Link, p.accent);
    out.setColor(QPalette::ToolTipBase, p.panel);
    out.setColor(QPalette::ToolTipText, p.ink);
    out.setColor(QPalette::Disabled, QPalette::Text, p.faint);
    out.setColor(QPalette::Disabled, QPalette::WindowText, p.faint);
    out.setColor(QPalette::Disabled, QPalette::ButtonText, p.faint);
    return out;
}

}  // namespace

Palette light_palette()
{
    Palette p;
    p.dark = false;
    p.background = "#F6F7F9";
    p.panel = "#FFFFFF";
    p.line = "#E3E6EB";
    p.ink = "#16191F";
    p.dim = "#667085";
    p.faint = "#98A2B3";
    p.accent = "#3D63DD";
    p.accent_soft = "#E7ECFD";
    p.on_accent = "#FFFFFF";
    p.accent_text = "#385BD0";
    p.likely = "#1E9E6A";
    p.maybe = "#D9931E";
    p.unlikely = "#B9C0CC";
    p.bad = "#D64545";
    p.well = "#E9ECF1";
    p.badge = QColor(16, 18, 22, 176);
    p.on_badge = "#FFFFFF";
    p.track = QColor(255, 255, 255, 90);
    p.edge = QColor(22, 25, 31, 22);
    p.series = {p.accent, p.likely, p.maybe, p.bad, "#8A5AC8", "#1B98A8", "#5B6472", "#B0487F"};
    return p;
}

Palette dark_palette()
{
    Palette p;
    p.dark = true;
    p.background = "#101216";
    p.panel = "#171A20";
    p.line = "#262B34";
    p.ink = "#ECEFF4";
    p.dim = "#9AA4B2";
    p.faint = "#667085";
    p.accent = "#7C9BFF";
    p.accent_soft = "#202A45";
    p.on_accent = "#101216";
    p.accent_text = p.accent;
    p.likely = "#3CC38A";
    p.maybe = "#E6AE4A";
    p.unlikely = "#4A5261";
    p.bad = "#F07070";
    p.well = "#20242C";
    p.badge = QColor(16, 18, 22, 190);
    p.on_badge = "#FFFFFF";
    p.track = QColor(255, 255, 255, 90);
    p.edge = QColor(255, 255, 255, 14);
    p.series = {p.accent, p.likely, p.maybe, p.bad, "#B795F2", "#4CC7D6", "#A7B0BF", "#EE8FC0"};
    return p;
}

QColor backdrop_shade() { return {16, 18, 22, 96}; }

double contrast(const QColor& a, const QColor& b)
{
    double one = luminance(a), other = luminance(b);
    if (one < other)
        std::swap(one, other);
    return (one + 0.05) / (other + 0.05);
}

QString style_sheet(const Palette& p, const QString& family)
{
    QFile file(QStringLiteral(":/style.qss"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QString sheet = QString::fromUtf8(file.readAll());
    // Longest names first: @accent_soft must not be taken for @accent.
    const std::pair<const char*, QColor> tokens[] = {{"@accent_soft", p.accent_soft},
                                                     {"@accent_text", p.accent_text},
                                                     {"@on_accent", p.on_accent},
                                                     {"@background", p.background},
                                                     {"@unlikely", p.unlikely},
                                                     {"@likely", p.likely},
                                                     {"@accent", p.accent},
                                                     {"@panel", p.panel},
                                                     {"@maybe", p.maybe},
                                                     {"@faint", p.faint},
                                                     {"@line", p.line},
                                                     {"@ink", p.ink},
                                                     {"@dim", p.dim},
                                                     {"@bad", p.bad},
                                                     {"@well", p.well}};
    for (const auto& [name, colour] : tokens)
        sheet.replace(QLatin1String(name), colour.name());
    const std::pair<const char*, int> sizes[] = {{"@control_radius", metrics::control_radius},
                                                 {"@tile_radius", metrics::tile_radius},
                                                 {"@caption", metrics::caption},
                                                 {"@title", metrics::title},
                                                 {"@card", metrics::card},
                                                 {"@text", metrics::text}};
    for (const auto& [name, size] : sizes)
        sheet.replace(QLatin1String(name), QString::number(size) + QStringLiteral("px"));
    sheet.replace(QLatin1String("@family"), family);
    sheet.replace(QLatin1String("@scheme"), p.dark ? QStringLiteral("dark") : QStringLiteral("light"));
    return sheet;
}

Theme::Theme(QApplication& application, ThemeMode mode) : application_(application), mode_(mode)
{
    family_ = QFontDatabase::hasFamily(QStringLiteral("Inter")) ? QStringLiteral("Inter")
                                                                : QFontDatabase::systemFont(QFontDatabase::GeneralFont).family();
    auto* scheme = new SystemScheme(application.palette(), this);
    system_dark_ = scheme->dark();
    connect(scheme, &SystemScheme::changed, this, [this](bool dark) {
        system_dark_ = dark;
        if (mode_ == ThemeMode::System)
            apply();
    });
    application_.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    apply();
}

void Theme::set_mode(ThemeMode mode)
{
    if (mode_ == mode)
        return;
    mode_ = mode;
    apply();
}

QFont Theme::font(int pixels, QFont::Weight weight) const
{
    QFont font(family_);
    font.setPixelSize(pixels);
    font.setWeight(weight);
    font.setHintingPreference(QFont::PreferNoHinting);  // hinted stems come out a weight too heavy
    return font;
}

QColor Theme::band(index::Band band) const
{
    switch (band) {
    case index::Band::Likely:
        return palette_.likely;
    case index::Band::Maybe:
        return palette_.maybe;
    case index::Band::Unlikely:
        return palette_.unlikely;
    }
    return palette_.unlikely;
}

void Theme::apply()
{
    const bool dark = mode_ == ThemeMode::Dark || (mode_ == ThemeMode::System && system_dark_);
    palette_ = dark ? dark_palette() : light_palette();
    application_.setPalette(qt_palette(palette_));
    application_.setFont(font());
    application_.setStyleSheet(style_sheet(palette_, family_));
    Q_EMIT changed();
}

}  // namespace imprint::gui
