// SPDX-License-Identifier: Apache-2.0
// What is known of a file into the catalog: its row, moments and vectors, or its failure.
#include <bit>
#include <cmath>

#include "index/background.h"
#include "index/checksum.h"
#include "index/half.h"
#include "index/library_impl.h"

namespace imprint::index {
namespace {

static_assert(std::endian::native == std::endian::little, "the catalog's blobs are little endian");

void assert_sound(const FileEntry& entry, const Vectors& bank)
{
    IMPRINT_ASSERT(bank.dim > 0);
    IMPRINT_ASSERT(entry.vectors.count() == static_cast<int>(entry.moments.size()));
    IMPRINT_ASSERT(entry.moments.empty() || entry.vectors.dim == bank.dim);
    for (int i = 0; i < entry.vectors.count(); ++i) {
        double squares = 0;
        for (const float value : entry.vectors.row(i))
            squares += static_cast<double>(value) * value;
        IMPRINT_ASSERT(std::isfinite(squares) && std::abs(squares - 1.0) < 1e-2);
    }
}

/// The stored form of a file's vectors of one modality.
struct Packed {
    int64_t count = 0;
    std::vector<uint16_t> half;
    std::vector<float> stats;
};

Packed pack(const FileEntry& entry, Modality modality, const Vectors& bank)
{
    Packed packed;
    std::vector<float> stored(static_cast<size_t>(entry.vectors.dim));
    for (int i = 0; i < entry.vectors.count(); ++i) {
        if (entry.moments[static_cast<size_t>(i)].modality != modality)
            continue;
        const std::vector<uint16_t> half = to_half(entry.vectors.row(i));
        from_half(half, stored);  // the statistics are of what is stored, not of what it was rounded from
        const BankStats stats = bank_stats(stored, bank);
        packed.half.insert(packed.half.end(), half.begin(), half.end());
        packed.stats.insert(packed.stats.end(), {stats.mean, stats.deviation});
        ++packed.count;
    }
    return packed;
}

template <typename T>
void bind_blob(SQLite::Statement& statement, int index, const std::vector<T>& values)
{
    statement.bind(index, static_cast<const void*>(values.data()), static_cast<int>(values.size() * sizeof(T)));
}

void bind_seconds(SQLite::Statement& statement, int index, const std::optional<double>& seconds)
{
    if (seconds)
        statement.bind(index, *seconds);
}

bool same_moments(const std::vector<Moment>& a, const std::vector<Moment>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Moment& x, const Moment& y) {
        return x.modality == y.modality && x.start == y.start && x.end == y.end;
    });
}

}  // namespace

int64_t Library::Impl::put_file(const FileFacts& facts, const media::Probe* probe, int64_t moments, int64_t revision)
{
    auto upsert = catalog.use(
        "INSERT INTO files (path, size, mtime_ns, inode, device, state, kind, width, height, duration, has_sound, format,"
        " taken_at, moments, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
        " device = excluded.device, state = excluded.state, kind = excluded.kind, width = excluded.width,"
        " height = excluded.height, duration = excluded.duration, has_sound = excluded.has_sound,"
        " format = excluded.format, taken_at = excluded.taken_at, moments = excluded.moments,"
        " revision = excluded.revision, fingerprint = NULL RETURNING id");
    const media::Probe nothing;
    const media::Probe& known = probe ? *probe : nothing;
    bind_path(*upsert, 1, facts.path);
    upsert->bind(2, facts.size);
    upsert->bind(3, facts.mtime_ns);
    upsert->bind(4, signed_bits(facts.inode));
    upsert->bind(5, signed_bits(facts.device));
    upsert->bind(6, probe ? 0 : 1);
    if (probe)
        upsert->bind(7, static_cast<int>(known.kind));
    upsert->bind(8, known.width);
    upsert->bind(9, known.height);
    upsert->bind(10, known.duration);
    upsert->bind(11, known.has_sound ? 1 : 0);
    upsert->bind(12, known.format);
    if (known.taken_at)
        upsert->bind(13, *known.taken_at);
    upsert->bind(14, moments);
    upsert->bind(15, revision);
    upsert->executeStep();
    return upsert->getColumn(0).getInt64();
}

void Library::Impl::seal(int64_t file)
{
    auto update = catalog.use("UPDATE files SET xxh64 = " IMPRINT_FILE_CHECKSUM " WHERE id = ?");
    update->bind(1, file);
    update->exec();
}

void Library::Impl::forget_contents(int64_t file)
{
    for (const char* sql : {"DELETE FROM vectors WHERE file = ?", "DELETE FROM embedded WHERE file = ?",
                            "DELETE FROM moments WHERE file = ?", "DELETE FROM failures WHERE file = ?"}) {
        auto erase = catalog.use(sql);
        erase->bind(1, file);
        erase->exec();
    }
}

void Library::put(const FileEntry& entry, const std::string& space, const Vectors& bank)
{
    assert_sound(entry, bank);
    const Packed packed[2] = {pack(entry, Modality::Picture, bank), pack(entry, Modality::Sound, bank)};
    Catalog& catalog = impl_->catalog;
    impl_->write_revision([&](int64_t revision) {
        const int64_t space_id = impl_->space_id(space, bank.dim);
        const std::optional<FileRow> known = find(entry.facts.path);
        const int64_t file =
            impl_->put_file(entry.facts, &entry.probe, static_cast<int64_t>(entry.moments.size()), revision);
        // The same file read by another model keeps what older models made of it, so that search can go on meanwhile.
        const bool same = known && known->facts.size == entry.facts.size && known->facts.mtime_ns == entry.facts.mtime_ns
                          && known->facts.inode == entry.facts.inode
                          && same_moments(read_moments(catalog, file), entry.moments);
        if (same) {
            for (const char* sql : {"DELETE FROM vectors WHERE file = ? AND space = ?",
                                    "DELETE FROM embedded WHERE file = ? AND space = ?"}) {
                auto erase = catalog.use(sql);
                erase->bind(1, file);
                erase->bind(2, space_id);
                erase->exec();
            }
        } else {
            impl_->forget_contents(file);
            for (size_t i = 0; i < entry.moments.size(); ++i) {
                auto insert = catalog.use("INSERT INTO moments VALUES (?, ?, ?, ?, ?)");
                insert->bind(1, file);
                insert->bind(2, static_cast<int64_t>(i));
                insert->bind(3, static_cast<int>(entry.moments[i].modality));
                bind_seconds(*insert, 4, entry.moments[i].start);
                bind_seconds(*insert, 5, entry.moments[i].end);
                insert->exec();
            }
        }
        auto mark = catalog.use("INSERT INTO embedded VALUES (?, ?)");
        mark->bind(1, file);
        mark->bind(2, space_id);
        mark->exec();
        for (const int modality : {0, 1}) {
            if (packed[modality].count == 0)
                continue;
            auto insert = catalog.use(
                "INSERT INTO vectors (file, space, modality, count, half, stats) VALUES (?, ?, ?, ?, ?, ?)");
            insert->bind(1, file);
            insert->bind(2, space_id);
            insert->bind(3, modality);
            insert->bind(4, packed[modality].count);
            bind_blob(*insert, 5, packed[modality].half);
            bind_blob(*insert, 6, packed[modality].stats);
            insert->exec();
            catalog.use("INSERT INTO checksums SELECT id, " IMPRINT_VECTORS_CHECKSUM
                        " FROM vectors WHERE id = last_insert_rowid()")->exec();
        }
        auto print = catalog.use("UPDATE files SET fingerprint = ?2 WHERE id = ?1");
        print->bind(1, file);
        if (entry.fingerprint)
            print->bind(2, static_cast<const void*>(entry.fingerprint->data()), static_cast<int>(entry.fingerprint->size()));
        print->exec();
        impl_->seal(file);
    });
}

void Library::put_failure(const FileFacts& facts, const Failure& failure)
{
    impl_->write_revision([&](int64_t revision) {
        const int64_t file = impl_->put_file(facts, nullptr, 0, revision);
        impl_->forget_contents(file);
        auto insert = impl_->catalog.use("INSERT INTO failures VALUES (?, ?, ?, ?)");
        insert->bind(1, file);
        insert->bind(2, failure.kind);
        insert->bind(3, failure.reason);
        insert->bind(4, failure.at);
        insert->exec();
        impl_->seal(file);
    });
}

int64_t Library::forget_failures()
{
    int64_t forgotten = 0;
    impl_->write_revision([&](int64_t) {
        forgotten = impl_->catalog.use("DELETE FROM files WHERE state = 1")->exec();
    });
    return forgotten;
}

}  // namespace imprint::index
