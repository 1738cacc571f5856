// SPDX-License-Identifier: Apache-2.0
// A writer killed at any moment: each file is in with everything or not at all, and the next writer goes on at once.
#include <QTemporaryDir>
#include <QtTest>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

#include "core/base/error.h"
#include "index/search.h"
#include "tests/index/library_fixture.h"

using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

namespace {

/// File i of the test has 1 + i % 7 moments of either modality; its vectors depend on i alone.
FileEntry numbered(int i, const std::string& root)
{
    std::mt19937 random(static_cast<unsigned>(i));
    return entry(random, root + "/" + std::to_string(i), media::Kind::Video, 1 + i % 7);
}

/// Puts, replaces, fails and drops files for ever, saying how far it came.
int write_for_ever(const std::string& folder, const std::string& root, int from)
{
    Library library(folder, OpenMode::ReadWrite);
    library.use_space(kSpace, kDim);
    for (int i = from;; ++i) {
        library.put(numbered(i, root), kSpace, bank());
        if (i % 5 == 4)
            library.put_failure(facts(root + "/" + std::to_string(i - 2)), {"", "malformed", "cut off", 1});
        if (i % 50 == 49)
            library.drop_vanished(root + "/none", {});
        std::cout << i << '\n' << std::flush;
    }
}

/// The last number that the child said it had committed.
int last_said(int output)
{
    std::string text;
    char buffer[4096];
    for (ssize_t size; (size = ::read(output, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<size_t>(size));
    const size_t end = text.rfind('\n');
    if (end == std::string::npos)
        return -1;
    const size_t begin = text.rfind('\n', end - 1);
    return std::stoi(text.substr(begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

class TestCrash : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a_file_is_in_with_everything_or_not_at_all();
};

void TestCrash::a_file_is_in_with_everything_or_not_at_all()
{
    QTemporaryDir folder;
    const std::string library_folder = folder.path().toStdString() + "/library", root = "/made-up";
    std::mt19937 random(20);
    int next = 0;
    for (int round = 0; round < 20; ++round) {
        int output = -1;
        const int child = start_self({"--write", library_folder, root, std::to_string(next)}, &output);
        QVERIFY(child > 0);
        std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random() % 150'000));
        ::kill(child, SIGKILL);
        QCOMPARE(wait_for(child), -SIGKILL);
        const int said = last_said(output);
        ::close(output);

        Library library(library_folder, OpenMode::ReadWrite);  // the lock is free
        const std::vector<std::string> problems = library.check();
        QVERIFY2(problems.empty(), problems.empty() ? "" : problems.front().c_str());
        const int committed = std::max(said + 1, next);
        int64_t moments = 0;
        int there = 0;
        for (int i = 0; i <= committed; ++i) {
            const FileEntry wanted = numbered(i, root);
            const auto row = library.find(wanted.facts.path);
            const bool failed = !row && library.unchanged(wanted.facts, "no such space");
            // What the child said it had committed is there; of the one after that, all or nothing.
            if (i < committed)
                QVERIFY2(row || (failed && i % 5 == 2), qPrintable(QString::number(i)));
            if (!row)
                continue;
            ++there;
            QCOMPARE(row->moments, static_cast<int64_t>(wanted.moments.size()));
            QCOMPARE(library.moments(row->id).size(), wanted.moments.size());
            QVERIFY(library.unchanged(wanted.facts, kSpace));
            moments += row->moments;
        }
        QCOMPARE(library.counts().files, there);
        QCOMPARE(library.counts().moments, moments);
        if (there > 0) {
            Searcher searcher(library_folder);
            searcher.refresh();
            QCOMPARE(searcher.state().moments, moments);
        }
        next = committed;
    }
    QVERIFY2(next > 100, "the children hardly wrote anything");
}

int main(int argc, char** argv)
{
    if (argc == 5 && std::string(argv[1]) == "--write") {
        try {
            return write_for_ever(argv[2], argv[3], std::stoi(argv[4]));
        } catch (const Error& error) {
            std::cerr << error.what() << '\n';
            return 1;
        }
    }
    TestCrash test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_crash.moc"
