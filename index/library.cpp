// SPDX-License-Identifier: Apache-2.0
// Files, moments, vectors and failures in and out of the catalog.
#include <pwd.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>

#include "index/background.h"
#include "index/half.h"
#include "index/library_impl.h"

namespace imprint::index {
namespace {

static_assert(std::endian::native == std::endian::little, "the catalog's blobs are little endian");

/// Forgotten drops beyond this number make vector indexes that lag that far behind start anew.
constexpr int64_t kDroppedKept = 200'000;

int64_t signed_bits(uint64_t value)
{
    return std::bit_cast<int64_t>(value);
}

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

std::filesystem::path without_trailing_slash(const std::filesystem::path& path)
{
    std::string bytes = path.native();
    while (bytes.size() > 1 && bytes.back() == '/')
        bytes.pop_back();
    return bytes;
}

std::filesystem::path prepared_folder(const std::filesystem::path& folder, OpenMode mode)
{
    const std::filesystem::path absolute = without_trailing_slash(std::filesystem::absolute(folder));
    if (mode == OpenMode::ReadOnly)
        return absolute;
    std::error_code error;
    std::filesystem::create_directories(absolute, error);
    if (error)
        throw_errno(error.value(), absolute.native(), "create the library folder");
    return absolute;
}

bool same_moments(const std::vector<Moment>& a, const std::vector<Moment>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Moment& x, const Moment& y) {
        return x.modality == y.modality && x.start == y.start && x.end == y.end;
    });
}

}  // namespace

Library::Impl::Impl(const std::filesystem::path& folder, OpenMode mode)
    : lock(mode == OpenMode::ReadWrite ? std::make_unique<WriterLock>(folder) : nullptr), catalog(folder, mode)
{
    if (mode == OpenMode::ReadWrite)
        prune_dropped();
}

int64_t Library::Impl::next_revision()
{
    catalog.use("UPDATE library SET revision = revision + 1")->exec();
    const int64_t revision = this->revision();
    if (!era_written) {
        // A revision that a lost history reached before belongs to this one from here on.
        auto insert = catalog.use("INSERT OR REPLACE INTO eras VALUES (?, ?)");
        insert->bind(1, revision);
        std::random_device random;
        insert->bind(2, signed_bits(static_cast<uint64_t>(random()) << 32 | random()));
        insert->exec();
    }
    return revision;
}

int64_t Library::Impl::revision() const
{
    auto select = catalog.use("SELECT revision FROM library");
    select->executeStep();
    return select->getColumn(0).getInt64();
}

int64_t Library::Impl::space_id(const std::string& space, int dim)
{
    {
        auto select = catalog.use("SELECT id, dim FROM spaces WHERE name = ?");
        select->bind(1, space);
        if (select->executeStep()) {
            IMPRINT_ASSERT(select->getColumn(1).getInt() == dim);
            return select->getColumn(0).getInt64();
        }
    }
    auto insert = catalog.use("INSERT INTO spaces (name, dim) VALUES (?, ?) RETURNING id");
    insert->bind(1, space);
    insert->bind(2, dim);
    insert->executeStep();
    return insert->getColumn(0).getInt64();
}

int64_t Library::Impl::put_file(const FileFacts& facts, const media::Probe* probe, int64_t moments, int64_t revision)
{
    auto upsert = catalog.use(
        "INSERT INTO files (path, size, mtime_ns, inode, device, state, kind, width, height, duration, has_sound, format,"
        " taken_at, moments, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
        " device = excluded.device, state = excluded.state, kind = excluded.kind, width = excluded.width,"
        " height = excluded.height, duration = excluded.duration, has_sound = excluded.has_sound,"
        " format = excluded.format, taken_at = excluded.taken_at, moments = excluded.moments,"
        " revision = excluded.revision RETURNING id");
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

void Library::Impl::forget_contents(int64_t file)
{
    for (const char* sql : {"DELETE FROM vectors WHERE file = ?", "DELETE FROM embedded WHERE file = ?",
                            "DELETE FROM moments WHERE file = ?", "DELETE FROM failures WHERE file = ?"}) {
        auto erase = catalog.use(sql);
        erase->bind(1, file);
        erase->exec();
    }
}

void Library::Impl::prune_dropped()
{
    // Looked at before writing, so that opening a library writes nothing.
    const auto dropped = catalog.guarded([&] {
        auto select = catalog.use("SELECT count(*) FROM dropped");
        select->executeStep();
        return select->getColumn(0).getInt64();
    });
    if (dropped <= kDroppedKept)
        return;
    catalog.write([&] {
        catalog.use("UPDATE library SET drop_floor = (SELECT max(revision) FROM dropped)")->exec();
        catalog.use("DELETE FROM dropped")->exec();
    });
}

Library::Library(const std::filesystem::path& folder, OpenMode mode)
    : impl_(std::make_unique<Impl>(prepared_folder(folder, mode), mode))
{
}
Library::~Library() = default;
Library::Library(Library&&) noexcept = default;
Library& Library::operator=(Library&&) noexcept = default;

const std::filesystem::path& Library::folder() const
{
    return impl_->catalog.folder();
}

void Library::add_root(const std::filesystem::path& path)
{
    impl_->catalog.write([&] {
        auto insert = impl_->catalog.use("INSERT OR IGNORE INTO roots (path) VALUES (?)");
        bind_path(*insert, 1, without_trailing_slash(path));
        insert->exec();
    });
}

std::vector<std::filesystem::path> Library::roots() const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::filesystem::path> roots;
        auto select = impl_->catalog.use("SELECT path FROM roots ORDER BY id");
        while (select->executeStep())
            roots.push_back(path_column(*select, 0));
        return roots;
    });
}

std::optional<std::string> Library::active_space() const
{
    return impl_->catalog.guarded([&]() -> std::optional<std::string> {
        auto select = impl_->catalog.use("SELECT name FROM spaces JOIN library ON active_space = spaces.id");
        if (!select->executeStep())
            return std::nullopt;
        return select->getColumn(0).getString();
    });
}

void Library::use_space(const std::string& space, int dim)
{
    IMPRINT_ASSERT(!space.empty() && dim > 0);
    impl_->catalog.write([&] {
        const int64_t id = impl_->space_id(space, dim);
        auto update = impl_->catalog.use("UPDATE library SET active_space = ?1 WHERE active_space IS NOT ?1");
        update->bind(1, id);
        update->exec();
    });
}

bool Library::unchanged(const FileFacts& facts, const std::string& space) const
{
    return impl_->catalog.guarded([&] {
        auto select = impl_->catalog.use(
            "SELECT size, mtime_ns, inode, state = 1 OR EXISTS (SELECT 1 FROM embedded JOIN spaces ON spaces.id = space"
            " WHERE file = files.id AND name = ?2) FROM files WHERE path = ?1");
        bind_path(*select, 1, facts.path);
        select->bind(2, space);
        return select->executeStep() && select->getColumn(0).getInt64() == facts.size
               && select->getColumn(1).getInt64() == facts.mtime_ns
               && select->getColumn(2).getInt64() == signed_bits(facts.inode) && select->getColumn(3).getInt() != 0;
    });
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
        }
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
    });
}

Counts Library::counts() const
{
    return impl_->catalog.guarded([&] {
        Counts counts;
        auto select = impl_->catalog.use("SELECT state, kind, count(*), sum(moments) FROM files GROUP BY state, kind");
        while (select->executeStep()) {
            const int64_t files = select->getColumn(2).getInt64();
            if (select->getColumn(0).getInt() == 1) {
                counts.failed += files;
                continue;
            }
            counts.files += files;
            counts.moments += select->getColumn(3).getInt64();
            switch (static_cast<media::Kind>(select->getColumn(1).getInt())) {
            case media::Kind::Image: counts.images += files; break;
            case media::Kind::Video: counts.videos += files; break;
            case media::Kind::Audio: counts.sounds += files; break;
            }
        }
        return counts;
    });
}

std::vector<Failure> Library::failures() const
{
    return impl_->catalog.guarded([&] {
        std::vector<Failure> failures;
        auto select = impl_->catalog.use("SELECT path, failures.kind, reason, at FROM failures"
                                         " JOIN files ON files.id = file ORDER BY path");
        while (select->executeStep())
            failures.push_back({path_column(*select, 0), select->getColumn(1).getString(),
                                select->getColumn(2).getString(), select->getColumn(3).getInt64()});
        return failures;
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

std::optional<FileRow> Library::find(const std::filesystem::path& path) const
{
    return impl_->catalog.guarded([&]() -> std::optional<FileRow> {
        static const std::string sql =
            std::string("SELECT ") + kFileColumnList + " FROM files WHERE state = 0 AND path = ?";
        auto select = impl_->catalog.use(sql.c_str());
        bind_path(*select, 1, path);
        if (!select->executeStep())
            return std::nullopt;
        return file_columns(*select);
    });
}

std::vector<FileRow> Library::files(int64_t offset, int64_t limit) const
{
    return impl_->catalog.guarded([&] {
        static const std::string sql =
            std::string("SELECT ") + kFileColumnList + " FROM files WHERE state = 0 ORDER BY id LIMIT ? OFFSET ?";
        std::vector<FileRow> rows;
        auto select = impl_->catalog.use(sql.c_str());
        select->bind(1, limit);
        select->bind(2, offset);
        while (select->executeStep())
            rows.push_back(file_columns(*select));
        return rows;
    });
}

std::vector<Moment> Library::moments(int64_t file) const
{
    return impl_->catalog.guarded([&] { return read_moments(impl_->catalog, file); });
}

int64_t Library::revision() const
{
    return impl_->catalog.guarded([&] { return impl_->revision(); });
}

std::vector<std::string> Library::check() const
{
    return impl_->catalog.guarded([&] {
        std::vector<std::string> problems;
        const auto collect = [&](const char* sql, const char* prefix) {
            auto select = impl_->catalog.use(sql);
            while (select->executeStep())
                if (const std::string line = select->getColumn(0).getString(); line != "ok")
                    problems.push_back(prefix + line);
        };
        collect("PRAGMA integrity_check(20)", "structure: ");
        collect("SELECT \"table\" || ' row ' || rowid FROM pragma_foreign_key_check LIMIT 20", "dangling reference: ");
        collect("SELECT file FROM vectors JOIN spaces ON spaces.id = space"
                " WHERE length(half) <> 2 * dim * count OR length(stats) <> 8 * count LIMIT 20",
                "vectors of the wrong size, file ");
        collect("SELECT vectors.file FROM vectors WHERE count <> (SELECT count(*) FROM moments"
                " WHERE moments.file = vectors.file AND moments.modality = vectors.modality) LIMIT 20",
                "vectors that do not match the moments, file ");
        collect("SELECT id FROM files WHERE moments <> (SELECT count(*) FROM moments WHERE file = files.id) LIMIT 20",
                "moments missing, file ");
        collect("SELECT file FROM embedded JOIN files ON id = file WHERE moments <>"
                " (SELECT coalesce(sum(count), 0) FROM vectors WHERE vectors.file = embedded.file"
                " AND vectors.space = embedded.space) LIMIT 20",
                "vectors missing, file ");
        return problems;
    });
}

std::filesystem::path default_library_folder()
{
    if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data == '/')
        return std::filesystem::path(data) / "imprint/library";
    const char* home = std::getenv("HOME");
    if (!home || *home != '/') {
        const passwd* user = ::getpwuid(::getuid());
        home = user ? user->pw_dir : nullptr;
    }
    if (!home || *home != '/')
        throw Error(ErrorKind::NotFound, "library folder", "neither XDG_DATA_HOME nor HOME names a folder",
                    "Give the library's folder with --library");
    return std::filesystem::path(home) / ".local/share/imprint/library";
}

}  // namespace imprint::index
