// SPDX-License-Identifier: Apache-2.0
// imprint-app: sets what libraries read while they load, then opens the window.
#include <unistd.h>

#include <QApplication>
#include <QLoggingCategory>
#include <cstdio>
#include <cstdlib>

#include "app/gui/app_options.h"
#include "app/gui/language.h"
#include "app/gui/run.h"

namespace {

// OpenMP and OpenBLAS read these when they are loaded, which is before main: set them and start over, once.
void set_threads_and_restart(char** arguments)
{
    if (std::getenv("OMP_WAIT_POLICY") && std::getenv("OPENBLAS_NUM_THREADS"))
        return;
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
    ::execv("/proc/self/exe", arguments);
    std::perror("imprint-app: cannot start over with its thread settings (it goes on, only slower)");
}

// Qt ends the process when it finds no display; this way it says so in words of its own, without a core dump.
void say_that_there_is_no_display(QtMsgType type, const QMessageLogContext& context, const QString& message)
{
    static QString why;  // the first that the platform says; what follows repeats it
    const bool of_the_platform = QLatin1String(context.category).startsWith(QLatin1String("qt.qpa"));
    if (of_the_platform && why.isEmpty())
        why = message.trimmed();
    if (type == QtFatalMsg) {
        std::fprintf(stderr,
                     "imprint-app: no window can be opened: %s\nStart it in a desktop session, or use the command imprint.\n",
                     qUtf8Printable(why.isEmpty() ? message.section(QLatin1Char('\n'), 0, 0) : why));
        ::_exit(3);
    }
    if (!of_the_platform)
        std::fprintf(stderr, "%s\n", qUtf8Printable(message));
}

}  // namespace

int main(int argc, char** argv)
{
    set_threads_and_restart(argv);
    // GStreamer's backend crashes without its plugins; FFmpeg's needs none.
    qputenv("QT_MEDIA_BACKEND", "ffmpeg");
    // The media back end tells every codec that it knows; warnings are kept.
    QLoggingCategory::setFilterRules(QStringLiteral("qt.multimedia.*.debug=false\nqt.multimedia.*.info=false\ndefault.debug=false"));
    const auto usual = qInstallMessageHandler(say_that_there_is_no_display);
    QApplication application(argc, argv);
    qInstallMessageHandler(usual);
    QApplication::setOrganizationName(QStringLiteral("imprint"));
    QApplication::setApplicationName(QStringLiteral("imprint-app"));
    QApplication::setApplicationDisplayName(QStringLiteral("Imprint"));
    QApplication::setApplicationVersion(QStringLiteral(IMPRINT_VERSION));
    const imprint::gui::Language language(QLocale::system());
    return imprint::gui::run(application, imprint::gui::parse_options(QApplication::arguments()));
}
