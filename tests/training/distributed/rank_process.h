// SPDX-License-Identifier: Apache-2.0
// Ranks of one run as processes of their own, started by hand as a person would.
#pragma once

#include <QProcess>
#include <QProcessEnvironment>
#include <QStringList>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <vector>

namespace imprint::tests {

/// A port that was free a moment ago.
inline int free_port()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0
        || ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        address.sin_port = 0;
    ::close(socket);
    return ntohs(address.sin_port);
}

/// Starts `program` once for each of the ranks from 0 to `start` − 1 of `world`; kills what is left at the end.
class RankProcesses {
public:
    RankProcesses(const QString& program, const QStringList& arguments, int world, int start,
                  const QProcessEnvironment& more = {})
    {
        const int port = free_port();
        for (int rank = 0; rank < start; ++rank) {
            auto& process = processes_.emplace_back(std::make_unique<QProcess>());
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert(more);
            environment.insert("RANK", QString::number(rank));
            environment.insert("WORLD_SIZE", QString::number(world));
            environment.insert("MASTER_ADDR", "127.0.0.1");
            environment.insert("MASTER_PORT", QString::number(port));
            process->setProcessEnvironment(environment);
            process->setProcessChannelMode(QProcess::MergedChannels);
            process->start(program, arguments);
        }
    }
    ~RankProcesses()
    {
        for (auto& process : processes_)
            if (process->state() != QProcess::NotRunning) {
                process->kill();
                process->waitForFinished();
            }
    }

    QProcess& operator[](int rank) { return *processes_[static_cast<size_t>(rank)]; }
    /// Whether all have ended well; what they said is in said().
    bool all_done(int seconds = 200)
    {
        bool good = true;
        for (auto& process : processes_) {
            good = process->waitForFinished(seconds * 1000) && process->exitStatus() == QProcess::NormalExit
                && process->exitCode() == 0 && good;
            said_ += process->readAll();
        }
        return good;
    }
    QByteArray said() const { return said_; }

private:
    std::vector<std::unique_ptr<QProcess>> processes_;
    QByteArray said_;
};

}  // namespace imprint::tests
