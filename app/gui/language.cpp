// SPDX-License-Identifier: Apache-2.0
// English is what the sources are written in: a person who reads it needs no translation even where one is there.
#include "app/gui/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>

namespace imprint::gui {

Language::Language(const QLocale& locale)
    : translated_(locale.language() != QLocale::English
                  && own_.load(locale, QStringLiteral("imprint"), QStringLiteral("_"), QStringLiteral(":/translations")))
{
    QLocale::setDefault(translated_ ? locale : QLocale(QLocale::English));
    if (!translated_)
        return;
    QCoreApplication::installTranslator(&own_);
    if (qt_.load(locale, QStringLiteral("qtbase"), QStringLiteral("_"), QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(&qt_);
}

Language::~Language()
{
    QCoreApplication::removeTranslator(&own_);
    QCoreApplication::removeTranslator(&qt_);
    QLocale::setDefault(before_);
}

}  // namespace imprint::gui
