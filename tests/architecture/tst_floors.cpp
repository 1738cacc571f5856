// SPDX-License-Identifier: Apache-2.0
// The floors of ARCHITECTURE.md, read off every product source: no include climbs, Qt stays in the window, tensors stay
// below the library and the faces, and each file says its licence. A table of bad sources proves that the reader sees.
#include <QtTest>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace
{

struct Floor {
    std::string_view folder; // the longest match decides
    std::vector<std::string_view> may_include; // folders or files, from the repository root
};

const std::vector<Floor>& floors()
{
    static const std::vector<Floor> all = {
        {"core/base/", {"core/base/"}},
        {"kernels/", {"core/base/", "kernels/"}},
        {"core/media/", {"core/base/", "core/media/"}},
        {"core/tokens/",
            {"core/base/", "kernels/", "core/media/", "core/tokens/", "core/model/config.h"}}, // settings only
        {"core/model/", {"core/base/", "kernels/", "core/media/", "core/tokens/", "core/model/"}},
        {"core/", {"core/", "kernels/"}},
        {"index/", {"core/base/", "core/media/", "core/encoder.h", "index/"}},
        {"training/", {"core/", "kernels/", "training/"}},
        {"app/jobs/", {"core/", "index/", "training/", "app/jobs/"}},
        {"app/cli/", {"core/", "index/", "training/", "app/jobs/", "app/cli/"}},
        {"app/gui/", {"core/", "index/", "training/", "app/jobs/", "app/gui/"}},
    };
    return all;
}

const std::vector<std::string> product_folders = {"app", "core", "index", "kernels", "training"};
constexpr int torch_header_files_at_most = 5; // torch/torch.h costs 22 seconds of compiling in each

bool below(std::string_view path, std::string_view folder)
{
    return path.substr(0, folder.size()) == folder;
}

const Floor* floor_of(std::string_view path)
{
    const Floor* found = nullptr;
    for (const Floor& floor : floors())
        if (below(path, floor.folder) && (!found || floor.folder.size() > found->folder.size()))
            found = &floor;
    return found;
}

struct Include {
    int line;
    bool quoted;
    std::string target;
};

std::vector<Include> includes_of(const std::string& text)
{
    static const std::regex pattern(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
    std::vector<Include> found;
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        std::smatch match;
        if (std::regex_search(line, match, pattern))
            found.push_back({number, match[1] == "\"", match[2]});
    }
    return found;
}

bool is_qt(const std::string& target)
{
    static const std::regex pattern(R"re(^(Q[A-Z]\w*|Qt\w*)(/.*)?$|^q\w+\.h$)re");
    return std::regex_search(target, pattern);
}

bool is_torch(const std::string& target)
{
    return below(target, "torch/") || below(target, "ATen/") || below(target, "c10/");
}

bool is_sql(const std::string& target)
{
    return target == "sqlite3.h" || below(target, "SQLiteCpp/");
}

bool is_generated(const std::string& target)
{
    return target.ends_with(".moc") || below(target, "moc_") || below(target, "ui_");
}

bool has_licence_line(const std::string& text)
{
    std::istringstream lines(text);
    std::string line;
    for (int i = 0; i < 3 && std::getline(lines, line); ++i) // a script's first line is its interpreter
        if (line.find("SPDX-License-Identifier: Apache-2.0") != std::string::npos)
            return true;
    return false;
}

/// What is wrong with one C++ source, as "path:line: reason".
std::vector<std::string> violations(const std::string& path, const std::string& text)
{
    std::vector<std::string> wrong;
    if (!has_licence_line(text))
        wrong.push_back(path + ":1: no SPDX line");
    const Floor* floor = floor_of(path);
    if (!floor) {
        wrong.push_back(path + ":1: stands on no floor");
        return wrong;
    }
    const bool in_window = below(path, "app/gui/");
    const bool above_tensors = below(path, "app/") || below(path, "index/");
    const bool below_tensors = below(path, "core/base/") || below(path, "core/media/");
    const bool stores = below(path, "index/");
    for (const Include& include : includes_of(text)) {
        const auto add = [&](const std::string& reason) {
            wrong.push_back(path + ":" + std::to_string(include.line) + ": " + include.target + " " + reason);
        };
        if (is_qt(include.target) && !in_window)
            add("brings Qt outside app/gui");
        if (is_torch(include.target) && (above_tensors || below_tensors))
            add("brings tensors where none belong");
        if (is_sql(include.target) && !stores)
            add("brings SQL outside index");
        if (!include.quoted || is_generated(include.target))
            continue;
        if (!floor_of(include.target)) {
            add("is not written from the repository root");
            continue;
        }
        bool allowed = false;
        for (const std::string_view folder : floor->may_include)
            allowed = allowed || below(include.target, folder);
        if (!allowed)
            add("climbs: " + std::string(floor->folder) + " may not include it");
    }
    return wrong;
}

bool includes_torch_header(const std::string& text)
{
    for (const Include& include : includes_of(text))
        if (include.target == "torch/torch.h")
            return true;
    return false;
}

std::string read(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_with(const std::vector<std::string>& folders, const std::vector<std::string>& extensions)
{
    std::vector<fs::path> found;
    for (const std::string& folder : folders)
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(IMPRINT_SOURCE_DIR) / folder))
            if (entry.is_regular_file()
                && std::find(extensions.begin(), extensions.end(), entry.path().extension().string())
                    != extensions.end())
                found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

std::string from_root(const fs::path& file)
{
    return fs::relative(file, IMPRINT_SOURCE_DIR).generic_string();
}

QByteArray joined(const std::vector<std::string>& lines)
{
    QByteArray text;
    for (const std::string& line : lines)
        text += "\n" + QByteArray::fromStdString(line);
    return text;
}

} // namespace

class TestFloors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void no_product_source_climbs();
    void the_costly_torch_header_stays_rare();
    void every_source_says_its_licence();
    void the_reader_sees_a_bad_source_data();
    void the_reader_sees_a_bad_source();
    void the_reader_lets_a_good_source_pass_data();
    void the_reader_lets_a_good_source_pass();
};

void TestFloors::no_product_source_climbs()
{
    const auto sources = files_with(product_folders, {".h", ".cpp", ".cu", ".cuh"});
    QVERIFY2(sources.size() > 10, "the sources were not found");
    std::vector<std::string> wrong;
    for (const fs::path& file : sources)
        for (std::string& line : violations(from_root(file), read(file)))
            wrong.push_back(std::move(line));
    QVERIFY2(wrong.empty(), joined(wrong).constData());
}

void TestFloors::the_costly_torch_header_stays_rare()
{
    std::vector<std::string> users;
    for (const fs::path& file : files_with({"app", "core", "index", "kernels", "training", "tests"}, {".h", ".cpp"}))
        if (includes_torch_header(read(file)))
            users.push_back(from_root(file));
    QVERIFY2(users.size() <= torch_header_files_at_most, joined(users).constData());
}

void TestFloors::every_source_says_its_licence()
{
    std::vector<std::string> silent;
    for (const fs::path& file :
        files_with({"app", "core", "index", "kernels", "training", "tests", "packaging", "resources"},
            {".h", ".cpp", ".cu", ".cuh", ".py", ".sh", ".cmake", ".sql", ".qss"}))
        if (!has_licence_line(read(file)))
            silent.push_back(from_root(file));
    QVERIFY2(silent.empty(), joined(silent).constData());
}

void TestFloors::the_reader_sees_a_bad_source_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("reason");
    const auto row = [](const char* name, const char* path, const char* line, const char* reason) {
        QTest::newRow(name) << path << line << reason;
    };
    row("base looks at media", "core/base/a.h", "#include \"core/media/media.h\"", "climbs");
    row("a kernel looks at the model", "kernels/a.cpp", "#include \"core/model/imp.h\"", "climbs");
    row("a kernel knows files", "kernels/a.cpp", "#include \"core/media/media.h\"", "climbs");
    row("media looks at the model", "core/media/a.cpp", "#include \"core/model/imp.h\"", "climbs");
    row("media looks at the encoder", "core/media/a.h", "#include \"core/encoder.h\"", "climbs");
    row("tokens look at the model", "core/tokens/a.cpp", "#include \"core/model/network.h\"", "climbs");
    row("the model looks at its door", "core/model/a.cpp", "#include \"core/encoder.h\"", "climbs");
    row("core looks at the library", "core/encoder.cpp", "#include \"index/library.h\"", "climbs");
    row("core looks at training", "core/model/a.cpp", "#include \"training/trainer.h\"", "climbs");
    row("the library goes round the door", "index/a.cpp", "#include \"core/model/imp.h\"", "climbs");
    row("the library looks at training", "index/a.cpp", "#include \"training/trainer.h\"", "climbs");
    row("training looks at the library", "training/a.cpp", "#include \"index/library.h\"", "climbs");
    row("training looks at the faces", "training/a.cpp", "#include \"app/jobs/jobs.h\"", "climbs");
    row("a use case looks at a face", "app/jobs/a.cpp", "#include \"app/cli/print.h\"", "climbs");
    row("the command looks at the window", "app/cli/a.cpp", "#include \"app/gui/theme.h\"", "climbs");
    row("the window looks at the command", "app/gui/a.cpp", "#include \"app/cli/print.h\"", "climbs");
    row("spaces hide nothing", "core/base/a.h", "  #  include   \"index/library.h\"", "climbs");
    row("a product file looks at a test", "index/a.cpp", "#include \"tests/index/x.h\"", "repository root");
    row("a path beside the file", "index/a.cpp", "#include \"library.h\"", "repository root");
    row("a path through the parent", "index/a.cpp", "#include \"../core/encoder.h\"", "repository root");
    row("Qt in the engine", "index/a.cpp", "#include <QString>", "Qt");
    row("a Qt module in a use case", "app/jobs/a.h", "#include <QtCore/QObject>", "Qt");
    row("Qt in the command", "app/cli/a.cpp", "#include <QCoreApplication>", "Qt");
    row("an old Qt header", "core/a.cpp", "#include <qglobal.h>", "Qt");
    row("tensors in the window", "app/gui/a.cpp", "#include <ATen/ATen.h>", "tensors");
    row("tensors in a use case", "app/jobs/a.cpp", "#include <torch/torch.h>", "tensors");
    row("tensors in the library", "index/a.h", "#include <c10/util/Half.h>", "tensors");
    row("tensors at the media door", "core/media/a.h", "#include <ATen/ATen.h>", "tensors");
    row("SQL in the engine", "core/encoder.cpp", "#include <sqlite3.h>", "SQL");
    row("SQL in a use case", "app/jobs/a.cpp", "#include <SQLiteCpp/Database.h>", "SQL");
    row("a folder without a floor", "misc/a.cpp", "#include <vector>", "no floor");
}

void TestFloors::the_reader_sees_a_bad_source()
{
    QFETCH(QString, path);
    QFETCH(QString, line);
    QFETCH(QString, reason);
    const std::string text = "// SPDX-License-Identifier: Apache-2.0\n// What it does.\n" + line.toStdString() + "\n";
    const auto wrong = violations(path.toStdString(), text);
    QCOMPARE(wrong.size(), size_t(1));
    QVERIFY2(QString::fromStdString(wrong[0]).contains(reason), wrong[0].c_str());

    const auto unlicensed = violations(path.toStdString(), line.toStdString() + "\n");
    QCOMPARE(unlicensed.size(), size_t(2));
    QVERIFY2(QString::fromStdString(unlicensed[0]).contains("SPDX"), unlicensed[0].c_str());
}

void TestFloors::the_reader_lets_a_good_source_pass_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("line");
    const auto row = [](const char* name, const char* path, const char* line) { QTest::newRow(name) << path << line; };
    row("the window shows jobs", "app/gui/a.cpp",
        "#include \"app/jobs/jobs.h\"\n#include <QWidget>\n#include \"a.moc\"");
    row("jobs join library and training", "app/jobs/a.cpp", "#include \"index/library.h\"\n#include \"training/a.h\"");
    row("the library asks the door", "index/a.cpp", "#include \"core/encoder.h\"\n#include <sqlite3.h>");
    row("the model computes", "core/model/a.cpp", "#include \"kernels/route.h\"\n#include <ATen/ATen.h>");
    row("a Q that is not Qt", "index/a.cpp", "#include <queue>\n#include <quotes/a.h>");
    row("words about an include", "core/base/a.h", "// nobody here writes #include \"index/library.h\"");
}

void TestFloors::the_reader_lets_a_good_source_pass()
{
    QFETCH(QString, path);
    QFETCH(QString, line);
    const auto wrong = violations(
        path.toStdString(), "// SPDX-License-Identifier: Apache-2.0\n// What it does.\n" + line.toStdString() + "\n");
    QVERIFY2(wrong.empty(), joined(wrong).constData());
}

QTEST_APPLESS_MAIN(TestFloors)
#include "tst_floors.moc"
