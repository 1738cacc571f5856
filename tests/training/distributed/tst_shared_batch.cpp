// SPDX-License-Identifier: Apache-2.0
// Ranks that read a batch together: each decodes its own items alone, and all have the batch that one rank would have read.
// The test starts itself once for each rank.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QCoreApplication>
#include <QTest>

#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/training/data/files.h"
#include "tests/training/distributed/rank_process.h"
#include "training/data/dataset.h"
#include "training/data/prefetcher.h"
#include "training/inputs.h"
#include "training/shared_batch.h"

using namespace imprint;
using namespace imprint::training;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kBatch = 5, kDraws = 6;

void require(bool good, const std::string& what)
{
    if (!good)
        throw std::runtime_error(what);
}

/// Four pictures and a file that is none.
void write_data(const fs::path& folder)
{
    std::ofstream(folder / "broken.jpg") << "no picture";
    std::ofstream manifest(folder / "media.jsonl");
    for (const char* name : {"cat", "coffee", "pagoda", "raccoon"})
        manifest << nlohmann::json{{"path", std::string(IMPRINT_SOURCE_DIR "/resources/samples/") + name + ".jpg"},
                                   {"text", std::string("a ") + name},
                                   {"kind", name[0] == 'c' ? "c" : "other"}}
                 << "\n";
    manifest << nlohmann::json{{"path", (folder / "broken.jpg").string()}, {"text", "nothing"}, {"kind", "c"}} << "\n";
}

struct Data {
    explicit Data(const fs::path& folder)
    {
        source = open_source({.name = "media",
                              .kind = DatasetKind::Manifest,
                              .paths = {(folder / "media.jsonl").string()},
                              .texts = {"text"},
                              .label = "kind",
                              .classes = {"c", "other"}});
    }
    BatchReader reader()
    {
        BatchOptions options;
        options.seed = 7;
        options.objective = "shared";
        options.batch = kBatch;
        options.resolutions = {{1, 32, 32, 0}, {4, 32, 32, 0.5}};
        options.example.pictures = options.example.text = options.example.label = true;
        options.example.clips = 3;  // fifteen clips: two ranks share the third item's
        return BatchReader({{"media", source.get(), {}, nullptr}}, options, decoder);
    }

    media::Decoder decoder;
    std::unique_ptr<Source> source;
};

bool same_words(const Example& a, const Example& b)
{
    return a.name == b.name && a.sample == b.sample && a.label == b.label && a.texts == b.texts && a.teacher == b.teacher;
}

void they_have_the_batch_of_one(const Ranks& ranks, const fs::path& folder)
{
    Data data(folder);
    const BatchReader alone = data.reader(), shared = data.reader();
    const PassList::Share share{ranks.rank(), ranks.world()};
    const ItemRange own = items_of(share, kBatch, 3);
    Prefetcher prefetcher([&](int64_t step) { return std::vector<Prefetcher::Order>{{&shared, step, own}}; }, 2, 0);
    model::ModelConfig config;
    config.vision_stem = model::VisionStem::Patch;
    config.standardise_sound = false;
    const tokens::LogMel log_mel(config);
    const InputMaker maker(config, nullptr, log_mel, at::kCPU);
    Wanted wanted;
    wanted.add("vision", "vectors");
    for (int64_t draw = 0; draw < kDraws; ++draw) {
        Batch batch = std::move(prefetcher.take(draw).front());
        complete_batch(batch, shared, ranks);
        const Batch whole = alone.read(draw);
        require(batch.examples.size() == whole.examples.size(), "items are missing");
        for (int64_t i = 0; i < kBatch; ++i) {
            const auto& item = batch.examples[static_cast<size_t>(i)];
            require(same_words(item, whole.examples[static_cast<size_t>(i)]), "an item says something else");
            require((i >= own.first && i < own.end) != item.clips.empty(), "an item is decoded by another rank, or by none");
        }
        const Inputs part = maker.inputs(batch, &shared, wanted, {}), all = maker.inputs(whole, &alone, wanted, {});
        require(part.all == kBatch * 3 && part.before == own.first * 3, "its place in the batch is lost");
        require(at::equal(part.pixels, all.pixels.narrow(0, part.before, own.count() * 3)), "other pixels");
        require(part.kept.defined() == all.kept.defined(), "other tokens");
        if (all.kept.defined())
            require(at::equal(part.kept, all.kept.narrow(0, part.before, own.count() * 3)), "other tokens");
    }
    require(alone.unreadable().at("media").size() == 1, "the broken file was never drawn");
    require(shared.unreadable() == alone.unreadable(), "what one rank could not read, another does not know");
}

int work(const fs::path& folder)
{
    at::set_num_threads(1);
    try {
        const Ranks ranks(read_launch());
        they_have_the_batch_of_one(ranks, folder);
        return 0;
    } catch (const std::exception& error) {
        std::printf("failed: %s\n", error.what());
        return 1;
    }
}

}  // namespace

class TestSharedBatch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { qputenv("IMPRINT_DECODE", IMPRINT_BIN_DIR "/imprint-decode"); }

    void every_row_is_read_by_the_rank_whose_passes_take_it()
    {
        for (const int64_t batch : {1, 2, 5, 64})
            for (const int64_t each : {1, 3})
                for (const int world : {1, 2, 3, 8})
                    for (int rank = 0; rank < world; ++rank) {
                        const PassList::Share share{rank, world};
                        const ItemRange own = items_of(share, batch, each);
                        QVERIFY(own.first >= 0 && own.count() > 0 && own.end <= batch);
                        const int64_t begin = share.begin(batch * each, rank), end = share.begin(batch * each, rank + 1);
                        QVERIFY(begin == end || (own.first * each <= begin && end <= own.end * each));
                        QVERIFY(own.count() <= std::max<int64_t>(1, (end - begin) / each + 2));
                    }
    }

    void together_they_have_the_batch_of_one_data()
    {
        QTest::addColumn<int>("world");
        QTest::newRow("two") << 2;
        QTest::newRow("three") << 3;
    }
    void together_they_have_the_batch_of_one()
    {
        QFETCH(int, world);
        QTemporaryDir dir;
        write_data(dir.path().toStdString());
        tests::RankProcesses ranks(QCoreApplication::applicationFilePath(), {"--work", dir.path()}, world, world);
        const bool done = ranks.all_done();
        QVERIFY2(done, ranks.said().constData());
    }
};

int main(int argc, char** argv)
{
    if (argc == 3 && std::string(argv[1]) == "--work")
        return work(argv[2]);
    const QCoreApplication application(argc, argv);
    TestSharedBatch test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_shared_batch.moc"
