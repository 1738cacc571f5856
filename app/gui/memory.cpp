// SPDX-License-Identifier: Apache-2.0
// Paths are bytes here too: a settings file keeps byte arrays as they are.
#include "app/gui/memory.h"

#include <QSettings>

namespace imprint::gui {
namespace {

const QString key_library = QStringLiteral("session/library");
const QString key_page = QStringLiteral("session/page");
const QString key_question = QStringLiteral("session/question");
const QString key_run = QStringLiteral("session/run");
const QString key_labels = QStringLiteral("session/labels");
const QString key_unfinished = QStringLiteral("session/unfinished");

QByteArray bytes_of(const std::filesystem::path& path) { return QByteArray::fromStdString(path.native()); }

std::filesystem::path path_from(const QVariant& value) { return value.toByteArray().toStdString(); }

QVariantMap written(const jobs::QueryPart& part)
{
    QVariantMap map{{QStringLiteral("text"), QByteArray::fromStdString(part.text)},
                    {QStringLiteral("file"), bytes_of(part.file)},
                    {QStringLiteral("concept"), QByteArray::fromStdString(part.concept_name)},
                    {QStringLiteral("weight"), part.weight},
                    {QStringLiteral("role"), static_cast<int>(part.role)}};
    if (part.from && part.to) {
        map[QStringLiteral("from")] = *part.from;
        map[QStringLiteral("to")] = *part.to;
    }
    return map;
}

jobs::QueryPart read(const QVariantMap& map)
{
    jobs::QueryPart part;
    part.text = map.value(QStringLiteral("text")).toByteArray().toStdString();
    part.file = path_from(map.value(QStringLiteral("file")));
    part.concept_name = map.value(QStringLiteral("concept")).toByteArray().toStdString();
    part.weight = map.value(QStringLiteral("weight"), 1.0).toDouble();
    part.role = static_cast<jobs::QueryPart::Role>(std::clamp(map.value(QStringLiteral("role")).toInt(), 0, 2));
    if (map.contains(QStringLiteral("from"))) {
        part.from = map.value(QStringLiteral("from")).toDouble();
        part.to = map.value(QStringLiteral("to")).toDouble();
    }
    return part;
}

bool can_be_asked(const jobs::QueryPart& part)
{
    std::error_code unseen;  // a picture that was pasted is gone
    return !part.text.empty() || !part.concept_name.empty() || (!part.file.empty() && std::filesystem::exists(part.file, unseen));
}

}  // namespace

void remember(QSettings& settings, MainWindow& window, Session& session)
{
    QVariantList question, unfinished;
    for (const jobs::QueryPart& part : window.search_page().box().parts())
        question << written(part);
    for (const auto& path : session.index.unfinished())
        unfinished << bytes_of(path);
    settings.setValue(key_library, bytes_of(session.engine->library_folder()));
    settings.setValue(key_page, static_cast<int>(window.page()));
    settings.setValue(key_question, question);
    settings.setValue(key_unfinished, unfinished);
    settings.setValue(key_run, bytes_of(session.runs.picture().folder));
    settings.setValue(key_labels, window.label_page().set_name());
}

void remember_indexing(QSettings& settings, MainWindow& window, Session& session)
{
    QObject::connect(&session.index, &IndexService::state_changed, &window, [&settings, &window, &session] {
        remember(settings, window, session);
        settings.sync();
    });
}

void recall(const QSettings& settings, MainWindow& window, Session& session)
{
    if (path_from(settings.value(key_library)) != session.engine->library_folder())
        return;
    std::vector<std::filesystem::path> unfinished;
    for (const QVariant& path : settings.value(key_unfinished).toList())
        unfinished.push_back(path_from(path));
    if (!unfinished.empty())
        session.index.add(unfinished);
    for (const QVariant& part : settings.value(key_question).toList())
        if (const jobs::QueryPart asked = read(part.toMap()); can_be_asked(asked))
            window.search_page().box().add(asked);
    std::error_code unseen;
    const std::filesystem::path run = path_from(settings.value(key_run));
    if (!run.empty() && std::filesystem::is_directory(run, unseen))
        window.train_page().open_run(run);
    const auto page = static_cast<Page>(std::clamp(settings.value(key_page).toInt(), 0, static_cast<int>(Page::Train)));
    if (const QString labels = settings.value(key_labels).toString(); page == Page::Label && !labels.isEmpty())
        window.label_page().use_set_named(labels);
    window.show_page(page);
}

}  // namespace imprint::gui
