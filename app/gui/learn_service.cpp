// SPDX-License-Identifier: Apache-2.0
// The engine's encoder serves searches meanwhile: it may be asked from any thread.
#include "app/gui/learn_service.h"

#include <algorithm>

#include "app/jobs/run_status.h"

namespace imprint::gui {

LearnService::LearnService(std::shared_ptr<jobs::Engine> engine, QObject* parent)
    : QObject(parent), engine_(std::move(engine)), worker_(QStringLiteral("learn"), 8)
{
}

LearnService::~LearnService()
{
    cancel_.cancel();
    worker_.stop();
}

void LearnService::learn(const jobs::FinetuneOptions& options)
{
    if (busy_)
        return;
    busy_ = true;
    cancel_ = CancelToken();
    worker_.post([this, options, cancel = cancel_] {
        const auto end = [this](auto tell) {
            QMetaObject::invokeMethod(this, [this, tell] {
                busy_ = false;
                tell();
            });
        };
        try {
            const auto progress = [this](const jobs::FinetuneProgress& progress) {
                QMetaObject::invokeMethod(this, [this, progress] { Q_EMIT progressed(progress); });
            };
            const auto report = std::make_shared<const jobs::FinetuneReport>(jobs::finetune(*engine_, options, progress, cancel));
            end([this, report] { Q_EMIT learned(report); });
        } catch (const std::exception& error) {
            const auto* known = dynamic_cast<const Error*>(&error);
            if (known && known->kind() == ErrorKind::Cancelled)
                end([this] { Q_EMIT stopped(); });
            else
                end([this, problem = problem_of(tr("learn these classes"), error)] { Q_EMIT failed(problem); });
        }
    });
}

std::vector<std::filesystem::path> LearnService::models() const
{
    std::vector<std::filesystem::path> models;
    const auto add = [&](const std::filesystem::path& file) {
        if (!file.empty() && std::find(models.begin(), models.end(), file) == models.end())
            models.push_back(file);
    };
    try {
        add(jobs::default_checkpoint());
    } catch (const Error&) {
        // A library may live on a model of its own.
    }
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(jobs::learned_folder(*engine_), none))
        if (const auto& file = entry.path(); file.extension() == ".safetensors" && !file.stem().native().ends_with(".layer")
            && !file.stem().native().ends_with(".weights"))
            add(file);
    for (const auto& run : jobs::runs_in(engine_->library_folder() / "runs"))
        add(jobs::run_status(run).checkpoint);
    add(current_model());
    return models;
}

std::filesystem::path LearnService::current_model() const
{
    try {
        return engine_->checkpoint();
    } catch (const Error&) {
        return {};  // said elsewhere: without a model no window opens
    }
}

}  // namespace imprint::gui
