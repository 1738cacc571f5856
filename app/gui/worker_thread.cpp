// SPDX-License-Identifier: Apache-2.0
// A QThread with an event loop and one object inside it to post to.
#include "app/gui/worker_thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace imprint::gui {

WorkerThread::WorkerThread(const QString& name, int niceness) : context_(new QObject)
{
    thread_.setObjectName(name);
    context_->moveToThread(&thread_);
    QObject::connect(&thread_, &QThread::finished, context_, &QObject::deleteLater);
    thread_.start();
    post([niceness] {
        // Linux keeps niceness per thread. Being refused costs smoothness only.
        const auto self = static_cast<id_t>(::syscall(SYS_gettid));
        errno = 0;
        const int now = ::getpriority(PRIO_PROCESS, self);
        if (errno == 0)
            ::setpriority(PRIO_PROCESS, self, now + niceness);
    });
}

WorkerThread::~WorkerThread() { stop(); }

void WorkerThread::post(std::function<void()> work)
{
    if (!stopped_)
        QMetaObject::invokeMethod(context_, std::move(work), Qt::QueuedConnection);
}

void WorkerThread::stop()
{
    if (stopped_)
        return;
    stopped_ = true;
    thread_.quit();
    thread_.wait();
}

}  // namespace imprint::gui
