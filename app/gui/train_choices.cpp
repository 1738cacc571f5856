// SPDX-License-Identifier: Apache-2.0
// The Train page's menus and dialogs. Menus are filled when they open: recipes, runs and models come and go as files do.
#include <QFileDialog>
#include <QMenu>
#include <algorithm>

#include "app/gui/paths.h"
#include "app/gui/train_page.h"
#include "app/jobs/resources.h"

namespace imprint::gui {
namespace {

constexpr size_t most_recent = 8;

std::vector<std::filesystem::path> shipped_recipes()
{
    std::vector<std::filesystem::path> recipes;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(jobs::resource_folder("recipes"), none))
        if (entry.path().extension() == ".toml")
            recipes.push_back(entry.path());
    std::sort(recipes.begin(), recipes.end());
    return recipes;
}

}  // namespace

void TrainPage::fill_start_menu()
{
    QMenu* menu = start_->menu();
    menu->clear();
    try {
        for (const auto& recipe : shipped_recipes())
            connect(menu->addAction(shown_name(recipe.stem())), &QAction::triggered, this, [this, recipe] { start(recipe); });
    } catch (const Error& error) {
        Q_EMIT failed(problem_of(tr("find the recipes"), error));
    }
    menu->addSeparator();
    connect(menu->addAction(tr("Choose a recipe…")), &QAction::triggered, this, &TrainPage::choose_recipe);
}

void TrainPage::fill_open_menu()
{
    QMenu* menu = open_->menu();
    menu->clear();
    auto recent = session_.runs.recent();
    recent.resize(std::min(recent.size(), most_recent));
    for (const auto& run : recent)
        connect(menu->addAction(shown_name(run)), &QAction::triggered, this, [this, run] { open_run(run); });
    menu->addSeparator();
    connect(menu->addAction(tr("Choose a folder…")), &QAction::triggered, this, &TrainPage::choose_run);
}

void TrainPage::fill_learn_menu()
{
    QMenu* menu = learn_->menu();
    menu->clear();
    connect(menu->addAction(tr("Choose a folder…")), &QAction::triggered, this, &TrainPage::choose_folder);
    menu->addSeparator();
    menu->addAction(tr("What you reviewed"))->setEnabled(false);  // a style sheet hides a section's title
    for (const LabelChoice& set : session_.labels.choices())
        connect(menu->addAction(set.name), &QAction::triggered, this, [this, set] { learn_reviewed(set); });
}

void TrainPage::fill_model_menu()
{
    QMenu* menu = model_->menu();
    menu->clear();
    const auto current = session_.learn.current_model();
    for (const auto& model : session_.learn.models()) {
        QAction* action = menu->addAction(shown_name(model.stem()));
        action->setToolTip(shown_path(model));
        action->setCheckable(true);
        action->setChecked(model == current);
        action->setEnabled(model != current);
        connect(action, &QAction::triggered, this, [this, model] { Q_EMIT use_model_wanted(model); });
    }
}

void TrainPage::choose_folder()
{
    auto* dialog = new QFileDialog(this, tr("Learn from a folder of folders"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) { learn_folder(path_of(folder)); });
    dialog->open();
}

void TrainPage::choose_recipe()
{
    auto* dialog = new QFileDialog(this, tr("Start from a recipe"), {}, tr("Recipes (*.toml)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) { start(path_of(file)); });
    dialog->open();
}

void TrainPage::choose_run()
{
    auto* dialog = new QFileDialog(this, tr("Open the folder of a run"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) { open_run(path_of(folder)); });
    dialog->open();
}

}  // namespace imprint::gui
