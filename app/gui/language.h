// SPDX-License-Identifier: Apache-2.0
// The window's language: that of the system where there is a translation (resources/translations), else English.
#pragma once

#include <QLocale>
#include <QTranslator>

namespace imprint::gui {

/// While it lives, the application speaks the locale's language, and numbers and dates are written as there.
class Language {
public:
    explicit Language(const QLocale& locale);
    ~Language();
    Language(const Language&) = delete;
    Language& operator=(const Language&) = delete;
    bool translated() const { return translated_; }

private:
    QTranslator own_, qt_;  // ours; Qt's own dialogs
    QLocale before_;
    bool translated_;
};

}  // namespace imprint::gui
