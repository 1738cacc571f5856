// SPDX-License-Identifier: Apache-2.0
// One thread that runs posted work in order, below the window's own priority, and is joined by its owner.
#pragma once

#include <QObject>
#include <QThread>
#include <functional>

namespace imprint::gui {

class WorkerThread {
public:
    /// `niceness` is added to the thread's own and inherited by every thread that its work starts, so that an encoder's
    /// threads never starve the event loop.
    WorkerThread(const QString& name, int niceness);
    /// Lets the running piece of work end, drops the rest, joins.
    ~WorkerThread();
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;

    void post(std::function<void()> work);
    /// Joins now; later posts are dropped.
    void stop();

private:
    QThread thread_;
    QObject* context_;  // lives in thread_
    bool stopped_ = false;
};

}  // namespace imprint::gui
