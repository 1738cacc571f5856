// SPDX-License-Identifier: Apache-2.0
// Runs the real `imprint` program and keeps what it said.
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStringList>
#include <filesystem>
#include <memory>
#include <string>

namespace imprint::tests {

struct Said {
    int code = -1;
    QByteArray out, err;

    /// The one document on standard output; empty when standard output is anything else.
    QJsonObject json() const
    {
        QJsonParseError error{};
        const QJsonDocument document = QJsonDocument::fromJson(out, &error);
        return error.error == QJsonParseError::NoError ? document.object() : QJsonObject();
    }
};

/// The program with one library and one model.
class Command {
public:
    Command(const std::filesystem::path& library, const std::filesystem::path& model)
        : common_{"--library", QString::fromStdString(library.native()), "--model", QString::fromStdString(model.native())}
    {
    }

    /// As from a person's shell: the program must see to its environment itself.
    Command bare() const
    {
        Command copy = *this;
        copy.bare_ = true;
        return copy;
    }

    /// With so many bytes of address space at most, for it and its decoders.
    Command within(rlim_t memory) const
    {
        Command copy = *this;
        copy.memory_ = memory;
        return copy;
    }

    std::unique_ptr<QProcess> start(const QStringList& arguments, bool with_common = true) const
    {
        auto process = std::make_unique<QProcess>();
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        if (bare_) {
            environment.remove("OMP_WAIT_POLICY");
            environment.remove("OPENBLAS_NUM_THREADS");
        } else {  // spares each start the second loading of torch
            environment.insert("OMP_WAIT_POLICY", "passive");
            environment.insert("OPENBLAS_NUM_THREADS", "1");
        }
        environment.remove("IMPRINT_MODEL");
        process->setProcessEnvironment(environment);
        process->setChildProcessModifier([memory = memory_] {
            ::signal(SIGXFSZ, SIG_IGN);  // see fill_disk_of
            const rlimit limit{memory, memory};
            ::setrlimit(RLIMIT_AS, &limit);
        });
        process->start(IMPRINT_BIN_DIR "/imprint", with_common ? arguments + common_ : arguments);
        process->waitForStarted();
        return process;
    }

    Said operator()(const QStringList& arguments, bool with_common = true) const
    {
        return finish(*start(arguments, with_common));
    }

    /// From now on no file of the program's own can grow: its writes fail as on a full disk. Its decoders, which are running
    /// already, are spared.
    static bool fill_disk_of(const QProcess& process)
    {
        const rlimit none{4096, 4096};
        return ::prlimit(static_cast<pid_t>(process.processId()), RLIMIT_FSIZE, &none, nullptr) == 0;
    }

    static Said finish(QProcess& process)
    {
        process.waitForFinished(120'000);
        const int code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
        return {code, process.readAllStandardOutput(), process.readAllStandardError()};
    }

private:
    QStringList common_;
    bool bare_ = false;
    rlim_t memory_ = RLIM_INFINITY;
};

inline QString text_of(const std::filesystem::path& path) { return QString::fromUtf8(path.native().c_str()); }

}  // namespace imprint::tests
