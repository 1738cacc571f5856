// SPDX-License-Identifier: Apache-2.0
// QCommandLineParser with the few options that scripts, tests and the README's picture need.
#include "app/gui/app_options.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QTextStream>
#include <cstdlib>

#include "app/gui/paths.h"

namespace imprint::gui {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(AppOptions)
};

[[noreturn]] void refuse(const QString& why)
{
    QTextStream(stderr) << "imprint-app: " << why << "\nTry: imprint-app --help\n";
    std::exit(2);
}

}  // namespace

AppOptions parse_options(const QStringList& arguments)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(Words::tr("Finds moments in your own pictures, videos and sounds by what they mean."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions(
        {{QStringLiteral("library"), Words::tr("Open the library in this folder."), QStringLiteral("DIR")},
         {QStringLiteral("model"), Words::tr("Use this checkpoint."), QStringLiteral("FILE")},
         {QStringLiteral("add"), Words::tr("Add a folder or file to the library; may be repeated."), QStringLiteral("PATH")},
         {QStringLiteral("search"), Words::tr("Search for this at once."), QStringLiteral("TEXT")},
         {QStringLiteral("open"), Words::tr("Open the N-th result."), QStringLiteral("N")},
         {QStringLiteral("page"), Words::tr("Start on this page: search, library, label or train."), QStringLiteral("PAGE")},
         {QStringLiteral("labels"), Words::tr("Label with this set at once."), QStringLiteral("NAME")},
         {QStringLiteral("run"), Words::tr("Open the training run in this folder."), QStringLiteral("DIR")},
         {QStringLiteral("theme"), Words::tr("Appearance: system, light or dark."), QStringLiteral("THEME")},
         {QStringLiteral("screenshot"), Words::tr("Write the window to a PNG file and quit."), QStringLiteral("FILE")},
         {QStringLiteral("after"),
          Words::tr("Take the screenshot after so many milliseconds instead of when everything has arrived."),
          QStringLiteral("MS")}});
    parser.process(arguments);
    if (!parser.positionalArguments().isEmpty())
        refuse(Words::tr("unexpected argument: %1 (folders are added with --add)").arg(parser.positionalArguments().first()));

    AppOptions options;
    options.library = path_of(parser.value(QStringLiteral("library")));
    options.model = path_of(parser.value(QStringLiteral("model")));
    for (const QString& path : parser.values(QStringLiteral("add")))
        options.add.push_back(std::filesystem::absolute(path_of(path)));
    options.search = parser.value(QStringLiteral("search"));
    options.page = parser.value(QStringLiteral("page"));
    const QStringList pages{QStringLiteral("search"), QStringLiteral("library"), QStringLiteral("label"),
                            QStringLiteral("train")};
    if (!options.page.isEmpty() && !pages.contains(options.page))
        refuse(Words::tr("--page is one of %1, not %2").arg(pages.join(QStringLiteral(", ")), options.page));
    options.labels = parser.value(QStringLiteral("labels"));
    options.run = path_of(parser.value(QStringLiteral("run")));
    options.screenshot = parser.value(QStringLiteral("screenshot"));
    const auto number = [&](const QString& name, int least) {
        bool good = false;
        const int value = parser.value(name).toInt(&good);
        if (!good || value < least)
            refuse(Words::tr("--%1 needs a whole number of at least %2").arg(name).arg(least));
        return value;
    };
    if (parser.isSet(QStringLiteral("open")))
        options.open = number(QStringLiteral("open"), 1);
    if (parser.isSet(QStringLiteral("after")))
        options.after_ms = number(QStringLiteral("after"), 0);
    if (parser.isSet(QStringLiteral("theme"))) {
        const QString theme = parser.value(QStringLiteral("theme"));
        if (theme == QLatin1String("light"))
            options.theme = ThemeMode::Light;
        else if (theme == QLatin1String("dark"))
            options.theme = ThemeMode::Dark;
        else if (theme == QLatin1String("system"))
            options.theme = ThemeMode::System;
        else
            refuse(Words::tr("--theme is system, light or dark, not %1").arg(theme));
    }
    return options;
}

}  // namespace imprint::gui
