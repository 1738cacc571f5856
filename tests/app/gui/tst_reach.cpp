// SPDX-License-Identifier: Apache-2.0
// Every control of every page has a name that a screen reader can say, and the keyboard reaches it.
#include <QAbstractItemView>
#include <QAbstractSlider>
#include <QAccessible>
#include <QApplication>
#include <QButtonGroup>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSet>
#include <QTest>

#include "app/gui/main_window.h"
#include "tests/support/window_library.h"

using namespace imprint;
using namespace imprint::gui;

namespace {

/// What a person does something with.
bool is_control(const QWidget* widget)
{
    if (qobject_cast<const QScrollBar*>(widget) || widget->focusPolicy() == Qt::NoFocus)
        return false;
    return qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QLineEdit*>(widget)
        || qobject_cast<const QAbstractItemView*>(widget) || qobject_cast<const QAbstractSlider*>(widget)
        || (widget->focusPolicy() & Qt::TabFocus);
}

QString name_of(QWidget* widget)
{
    QAccessibleInterface* face = QAccessible::queryAccessibleInterface(widget);
    return face ? face->text(QAccessible::Name) : QString();
}

QString told(QWidget* widget) { return QStringLiteral("%1 \"%2\"").arg(widget->metaObject()->className(), name_of(widget)); }

}  // namespace

class ReachTest : public QObject, tests::WindowLibrary {
    Q_OBJECT

    std::unique_ptr<Session> session_;
    std::unique_ptr<MainWindow> window_;

    QList<QWidget*> controls() const
    {
        QList<QWidget*> found;
        for (QWidget* widget : window_->findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && is_control(widget))
                found << widget;
        return found;
    }

    void show(const QString& page)
    {
        const QStringList pages{"search", "library", "label", "train"};
        window_->show_page(static_cast<Page>(pages.indexOf(page.section(' ', 0, 0))));
        if (page == "train learned")
            window_->train_page().learn_folder(folder_.filePath("classes").toStdString());
        else
            window_->train_page().open_run(folder_.filePath("run").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled(), 30000);
        QCOMPARE(window_->train_page().learn().model().rowCount() > 0 && page == "train learned", page == "train learned");
    }

    static void pages()
    {
        QTest::addColumn<QString>("page");
        for (const char* page : {"search", "library", "label", "train", "train learned"})
            QTest::newRow(page) << QString(page);
    }

public:
    static void initMain() { qputenv("QT_MEDIA_BACKEND", "ffmpeg"); }

private Q_SLOTS:
    void initTestCase()
    {
        make_media(6);
        for (const char* name : {"red", "blue"}) {
            const QString folder = folder_.filePath(QStringLiteral("classes/") + name);
            QDir().mkpath(folder);
            for (int i = 0; i < 4; ++i)
                tests::make_picture(folder, QStringLiteral("%1.png").arg(i), QColor(QLatin1String(name)).darker(100 + 10 * i));
        }
        make_broken_picture();
        write(folder_.filePath("discs.toml"), "[[label]]\nname = \"red\"\n[[label]]\nname = \"blue\"\n");
        QDir().mkpath(folder_.filePath("run/checkpoints/step-2"));
        QFile metrics(folder_.filePath("run/metrics.jsonl"));
        QVERIFY(metrics.open(QIODevice::WriteOnly));
        metrics.write("{\"step\":0,\"objective\":\"a\",\"loss\":2,\"seconds\":1}\n{\"step\":1,\"objective\":\"a\",\"loss\":1,"
                      "\"seconds\":1}\n");
        metrics.close();

        make_library(ThemeMode::Light);
        session_ = std::make_unique<Session>(options_);
        window_ = std::make_unique<MainWindow>(*theme_, *session_);
        window_->resize(1300, 850);
        window_->show();
        window_->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(window_.get()));
        window_->add({media_.toStdString()});
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && window_->search_page().results().rowCount() == 7, 60000);
        window_->search_for("a red disc");
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled() && !window_->search_page().results().answer().browsing, 30000);
        window_->search_page().cut().setValue(window_->search_page().cut().maximum());
        window_->search_page().open_row(window_->search_page().results().row_of((media_ + "/clip.mp4").toStdString()));
        window_->search_page().preview().stop();
        window_->label_page().use_set({"Discs", folder_.filePath("discs.toml").toStdString(), true});
        window_->train_page().open_run(folder_.filePath("run").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(window_->settled(), 30000);
    }
    void cleanupTestCase()
    {
        window_.reset();
        session_.reset();
    }

    void every_control_has_a_name_data() { pages(); }
    void every_control_has_a_name()
    {
        QFETCH(QString, page);
        show(page);
        const auto all = controls();
        QVERIFY(all.size() > 10);
        for (QWidget* widget : all)
            QVERIFY2(!name_of(widget).trimmed().isEmpty(),
                     qPrintable(QStringLiteral("%1 in %2").arg(told(widget), widget->parentWidget()->metaObject()->className())));
    }

    void tab_reaches_every_control_data() { pages(); }
    void tab_reaches_every_control()
    {
        QFETCH(QString, page);
        show(page);
        QWidget* first = controls().front();
        first->setFocus(Qt::TabFocusReason);
        QSet<QWidget*> reached;
        for (int i = 0; i < 200 && !reached.contains(QApplication::focusWidget()); ++i) {
            QVERIFY(QApplication::focusWidget());
            reached.insert(QApplication::focusWidget());
            // A text box may keep Tab for itself; Backtab and Control-Tab are no way out for people.
            QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        }
        for (QWidget* widget : controls()) {
            bool there = reached.contains(widget) || (widget->focusProxy() && reached.contains(widget->focusProxy()));
            // Of buttons of which one is chosen, arrow keys reach the others.
            if (const auto* button = qobject_cast<QAbstractButton*>(widget); !there && button)
                for (QAbstractButton* other : widget->parentWidget()->findChildren<QAbstractButton*>(Qt::FindDirectChildrenOnly))
                    there = there || (reached.contains(other) && button->autoExclusive() && other->autoExclusive())
                        || (reached.contains(other) && button->group() && other->group() == button->group());
            QVERIFY2(there,
                     qPrintable(QStringLiteral("%1 in %2").arg(told(widget), widget->parentWidget()->metaObject()->className())));
        }
    }

    void what_is_pressed_by_mouse_is_pressed_by_space()
    {
        show("library");
        auto buttons = window_->library_page().findChildren<QPushButton*>();
        QVERIFY(!buttons.isEmpty());
        for (QPushButton* button : buttons) {
            if (!button->isVisible() || !button->isEnabled())
                continue;
            QVERIFY(!button->signalsBlocked());
            button->blockSignals(true);
            button->setFocus();
            QVERIFY2(button->hasFocus(), qPrintable(told(button)));
            QTest::keyPress(button, Qt::Key_Space);
            QVERIFY2(button->isDown(), qPrintable(told(button)));
            QTest::keyRelease(button, Qt::Key_Space);
            button->blockSignals(false);
        }
    }
};

QTEST_MAIN(ReachTest)
#include "tst_reach.moc"
