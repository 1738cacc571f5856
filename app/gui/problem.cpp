// SPDX-License-Identifier: Apache-2.0
// Every kind of error gets a way out, also where the engine offers none.
#include "app/gui/problem.h"

#include <QCoreApplication>
#include <QStringList>

namespace imprint::gui {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(Problem)
};

QString way_out(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::NotFound:
        return Words::tr("Check that it is still there and that its disk is connected.");
    case ErrorKind::Permission:
        return Words::tr("Give yourself permission to read it, then try again.");
    case ErrorKind::Unsupported:
        return Words::tr("Convert it to a common format, then try again.");
    case ErrorKind::Malformed:
        return Words::tr("The file seems to be damaged: try another copy of it.");
    case ErrorKind::LimitExceeded:
        return Words::tr("It is larger than what is read safely: make a smaller copy.");
    case ErrorKind::Busy:
        return Words::tr("Close the other program that uses it, then try again.");
    case ErrorKind::DiskFull:
        return Words::tr("Free some space on the disk, then try again. Nothing was lost.");
    case ErrorKind::Crashed:
        return Words::tr("Only this file is affected. Try another copy of it.");
    default:
        return Words::tr("Try again; copy this message if it happens again.");
    }
}

}  // namespace

QString Problem::all() const
{
    QStringList parts;
    for (const QString& part : {title, subject, remedy})
        if (!part.isEmpty())
            parts << part;
    return parts.join(QLatin1Char('\n'));
}

Problem problem_of(const QString& doing, const std::exception& error)
{
    Problem problem;
    if (const auto* known = dynamic_cast<const Error*>(&error)) {
        problem.kind = known->kind();
        problem.title = Words::tr("Could not %1: %2.").arg(doing, QString::fromStdString(known->reason()));
        problem.subject = QString::fromStdString(known->subject());
        problem.remedy = QString::fromStdString(known->remedy());
        if (problem.remedy.isEmpty())
            problem.remedy = way_out(known->kind());
    } else {
        problem.title = Words::tr("Could not %1: %2.").arg(doing, QString::fromLocal8Bit(error.what()));
        problem.remedy = way_out(ErrorKind::Io);
    }
    return problem;
}

}  // namespace imprint::gui
