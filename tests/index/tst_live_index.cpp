// SPDX-License-Identifier: Apache-2.0
// The vector index in memory and on disk is never behind the catalog.
#include <fstream>

#include "tests/index/search_fixture.h"

namespace fs = std::filesystem;
using namespace imprint;
using namespace imprint::index;
using namespace imprint::test;

class TestLiveIndex : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { fixture_ = std::make_unique<SearchFixture>(); }
    void cleanup() { fixture_.reset(); }

    void follows_every_change_of_the_catalog();
    void follows_more_changes_than_one_transaction_takes();
    void a_new_active_space_is_searched_at_once();
    void another_library_in_the_same_folder_is_noticed();
    void reads_a_snapshot_and_catches_up();
    void a_wrong_snapshot_is_not_used_data();
    void a_wrong_snapshot_is_not_used();
    void a_restored_backup_is_not_answered_from_the_lost_history();
    void names_of_spaces_stay_inside_the_folder();

private:
    std::unique_ptr<SearchFixture> fixture_;
};

void TestLiveIndex::follows_every_change_of_the_catalog()
{
    QTemporaryDir media;
    const std::string root = media.path().toStdString() + "/";
    std::ofstream(root + "something") << "not an empty mount point";
    Library library = fixture_->writer();
    fixture_->fill(library, 1500, root);
    Searcher searcher(fixture_->folder());
    QVERIFY_SAME_AS_REFERENCE(searcher);

    fixture_->put(library, entry(fixture_->random, root + "new", media::Kind::Video, 9));
    QVERIFY_SAME_AS_REFERENCE(searcher);
    FileEntry changed = entry(fixture_->random, root + "1", media::Kind::Audio, 3);
    changed.facts.size = 4;
    fixture_->put(library, changed);
    QVERIFY_SAME_AS_REFERENCE(searcher);
    library.put_failure(facts(root + "2"), {root + "2", "malformed", "cut off", 1});
    fixture_->reference.drop(root + "2");
    QVERIFY_SAME_AS_REFERENCE(searcher);
    library.put_failure(facts(root + "4"), {root + "4", "malformed", "cut off", 1});
    fixture_->reference.drop(root + "4");
    library.forget_failures();
    QVERIFY_SAME_AS_REFERENCE(searcher);
    std::vector<std::string> seen;
    for (const FileRow& row : library.files(0, 100'000))
        if (row.id % 3 != 0)
            seen.push_back(row.facts.path.native());
        else
            fixture_->reference.drop(row.facts.path);
    QVERIFY(library.drop_vanished(root, seen) > 50);
    QVERIFY_SAME_AS_REFERENCE(searcher);
    fixture_->put(library, entry(fixture_->random, root + "3", media::Kind::Video, 2));
    QVERIFY_SAME_AS_REFERENCE(searcher);
    QCOMPARE(searcher.state().rebuilds, 1);
    QCOMPARE(searcher.state().moments, library.counts().moments);

    Searcher fresh(fixture_->folder());
    QVERIFY_SAME_AS_REFERENCE(fresh);
    QCOMPARE(fresh.state().moments, searcher.state().moments);
}

void TestLiveIndex::follows_more_changes_than_one_transaction_takes()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 10);
    Searcher searcher(fixture_->folder());
    QVERIFY_SAME_AS_REFERENCE(searcher);
    fixture_->fill(library, 12'000, "/n/");
    QVERIFY(library.counts().files > 1500);
    QVERIFY_SAME_AS_REFERENCE(searcher);
    QCOMPARE(searcher.state().rebuilds, 1);
}

void TestLiveIndex::a_new_active_space_is_searched_at_once()
{
    Library library = fixture_->writer();
    fixture_->fill(library, 100);
    Searcher searcher(fixture_->folder());
    QVERIFY_SAME_AS_REFERENCE(searcher);
    Vectors small_bank = random_vectors(fixture_->random, 64, 8);
    FileEntry other = entry(fixture_->random, "/m/0");
    other.facts = fixture_->reference.file("/m/0").facts;  // the same file, read by another model
    other.vectors = random_vectors(fixture_->random, 1, 8);
    library.put(other, "another/8", small_bank);
    library.use_space("another/8", 8);
    const Query any{.vector = random_vectors(fixture_->random, 1, 8).values, .filter = {}, .k = 10, .all = true};
    const std::vector<FileHit> hits = searcher.search(any, kBackground);
    QCOMPARE(hits.size(), size_t(1));
    QCOMPARE(hits[0].path.native(), std::string("/m/0"));
    library.use_space(kSpace, kDim);
    QVERIFY_SAME_AS_REFERENCE(searcher);
}

void TestLiveIndex::another_library_in_the_same_folder_is_noticed()
{
    {
        Library library = fixture_->writer();
        fixture_->fill(library, 100);
    }
    Searcher searcher(fixture_->folder());
    QVERIFY_SAME_AS_REFERENCE(searcher);
    fs::rename(fixture_->folder(), fixture_->folder().native() + "-old");
    fixture_->reference = {};
    Library library = fixture_->writer();
    fixture_->fill(library, 100, "/other/");
    QVERIFY_SAME_AS_REFERENCE(searcher);
}

void TestLiveIndex::reads_a_snapshot_and_catches_up()
{
    {
        Library library = fixture_->writer();
        fixture_->fill(library, 2000);
    }
    {
        Searcher first(fixture_->folder(), {.snapshot_from = 1000});
        QVERIFY_SAME_AS_REFERENCE(first);
        QCOMPARE(first.state().snapshots_written, 1);
    }
    {
        Searcher below(fixture_->folder(), {.snapshot_from = 1'000'000});
        QVERIFY_SAME_AS_REFERENCE(below);
        QCOMPARE(below.state().snapshots_written, 0);
    }
    Library library = fixture_->writer();
    fixture_->put(library, entry(fixture_->random, "/m/new", media::Kind::Video, 9));
    FileEntry changed = entry(fixture_->random, "/m/1", media::Kind::Audio, 3);
    changed.facts.size = 4;
    fixture_->put(library, changed);
    library.put_failure(facts("/m/2"), {"/m/2", "malformed", "cut off", 1});
    fixture_->reference.drop("/m/2");
    Searcher second(fixture_->folder(), {.snapshot_from = 1000});
    QVERIFY_SAME_AS_REFERENCE(second);
    QCOMPARE(second.state().snapshots_read, 1);
    QCOMPARE(second.state().rebuilds, 0);
    QCOMPARE(second.state().snapshots_written, 0);  // a few changes are not worth another one
    QCOMPARE(second.state().moments, library.counts().moments);
}

void TestLiveIndex::a_wrong_snapshot_is_not_used_data()
{
    QTest::addColumn<QString>("what");
    for (const char* what :
         {"empty", "header only", "cut off by one byte", "one byte more", "a flipped bit in the header",
          "a flipped bit in the numbers", "a flipped bit in the vectors", "text", "another library", "another space", "a folder"})
        QTest::newRow(what) << what;
}

void TestLiveIndex::a_wrong_snapshot_is_not_used()
{
    QFETCH(QString, what);
    Library library = fixture_->writer();
    fixture_->fill(library, 300);
    Searcher(fixture_->folder(), {.snapshot_from = 1}).refresh();
    const fs::path file = *fs::directory_iterator(fixture_->folder() / "faiss");
    const auto size = fs::file_size(file);
    const auto flip = [&](int64_t at) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(at);
        const char byte = static_cast<char>(stream.get() ^ 0x10);
        stream.seekp(at);
        stream.put(byte);
    };
    if (what == "empty")
        fs::resize_file(file, 0);
    else if (what == "header only")
        fs::resize_file(file, 120);
    else if (what == "cut off by one byte")
        fs::resize_file(file, size - 1);
    else if (what == "one byte more")
        fs::resize_file(file, size + 1);
    else if (what == "a flipped bit in the header")
        flip(50);
    else if (what == "a flipped bit in the numbers")
        flip(170);
    else if (what == "a flipped bit in the vectors")
        flip(static_cast<int64_t>(size) - 1000);
    else if (what == "text")
        std::ofstream(file, std::ios::trunc) << std::string(size, 'x');
    else if (what == "a folder") {
        fs::remove(file);
        fs::create_directory(file);
    } else if (what == "another library") {
        fs::copy_file(file, fixture_->beside("kept"));
        fs::rename(fixture_->folder(), fixture_->folder().native() + "-old");
        library = Library(fixture_->folder(), OpenMode::ReadWrite);
        library.use_space(kSpace, kDim);
        fixture_->reference = {};
        fixture_->fill(library, 300);
        fs::create_directories(file.parent_path());
        fs::copy_file(fixture_->beside("kept"), file);
    } else if (what == "another space") {
        const fs::path kept = fixture_->beside("kept");
        fs::copy_file(file, kept);
        library.use_space("a space of the same size", kDim);
        fixture_->reference = {};
        for (int i = 0; i < 300; ++i) {
            const FileEntry other = entry(fixture_->random, "/m/" + std::to_string(i));
            library.put(other, "a space of the same size", bank());
            fixture_->reference.put(other);
        }
        Searcher(fixture_->folder(), {.snapshot_from = 1}).refresh();
        for (const fs::path& each : fs::directory_iterator(fixture_->folder() / "faiss"))
            if (each != file)
                fs::copy_file(kept, each, fs::copy_options::overwrite_existing);
    }
    Searcher searcher(fixture_->folder(), {.snapshot_from = 1});
    QVERIFY_SAME_AS_REFERENCE(searcher);
    QCOMPARE(searcher.state().snapshots_read, 0);
    QCOMPARE(searcher.state().rebuilds, 1);
    if (what == "a folder")
        return;
    QCOMPARE(searcher.state().snapshots_written, 1);  // the next one finds a good one
    Searcher next(fixture_->folder(), {.snapshot_from = 1});
    QVERIFY_SAME_AS_REFERENCE(next);
    QCOMPARE(next.state().snapshots_read, 1);
}

void TestLiveIndex::a_restored_backup_is_not_answered_from_the_lost_history()
{
    const fs::path catalog = fixture_->folder() / "catalog.sqlite", backup = fixture_->beside("backup");
    {
        Library library = fixture_->writer();
        fixture_->fill(library, 200);
    }
    fs::copy_file(catalog, backup);
    {
        Library library = fixture_->writer();
        library.put(entry(fixture_->random, "/lost/1"), kSpace, bank());
        library.put(entry(fixture_->random, "/lost/2"), kSpace, bank());
        Searcher(fixture_->folder(), {.snapshot_from = 1}).refresh();
    }
    fs::copy_file(backup, catalog, fs::copy_options::overwrite_existing);
    Searcher behind(fixture_->folder(), {.snapshot_from = 100'000});
    QVERIFY_SAME_AS_REFERENCE(behind);
    // The same revision numbers again, for other files.
    Library library = fixture_->writer();
    for (const char* path : {"/found/1", "/found/2", "/found/3"})
        fixture_->put(library, entry(fixture_->random, path));
    Searcher searcher(fixture_->folder(), {.snapshot_from = 100'000});
    QVERIFY_SAME_AS_REFERENCE(searcher);
    QCOMPARE(searcher.state().snapshots_read, 0);
}

void TestLiveIndex::names_of_spaces_stay_inside_the_folder()
{
    Library library(fixture_->folder(), OpenMode::ReadWrite);
    for (const std::string& space : {std::string("../../evil"), std::string("a/b"), std::string("a_b"), std::string("."),
                                     std::string(5000, 'n'), std::string("caf\xc3\xa9 \n")}) {
        library.use_space(space, kDim);
        library.put(entry(fixture_->random, "/m/a"), space, bank());
        Searcher searcher(fixture_->folder(), {.snapshot_from = 1});
        searcher.refresh();
        QCOMPARE(searcher.state().snapshots_written, 1);
    }
    const auto files = std::distance(fs::directory_iterator(fixture_->folder() / "faiss"), fs::directory_iterator());
    QCOMPARE(files, 6);
}

QTEST_APPLESS_MAIN(TestLiveIndex)
#include "tst_live_index.moc"
