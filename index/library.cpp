// SPDX-License-Identifier: Apache-2.0
// Opening a library, its roots and vector spaces, and its revisions.
#include <pwd.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <random>

#include "index/library_impl.h"

namespace imprint::index {
namespace {

/// Forgotten drops beyond this number make vector indexes that lag that far behind start anew.
constexpr int64_t kDroppedKept = 200'000;

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
            if (select->getColumn(1).getInt() != dim)
                throw Error(ErrorKind::Malformed, catalog.folder().native(),
                            "the catalog gives vectors of " + space + " another length than the model", "Run 'imprint repair'");
            return select->getColumn(0).getInt64();
        }
    }
    auto insert = catalog.use("INSERT INTO spaces (name, dim) VALUES (?, ?) RETURNING id");
    insert->bind(1, space);
    insert->bind(2, dim);
    insert->executeStep();
    return insert->getColumn(0).getInt64();
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

std::vector<Root> Library::root_places() const
{
    return impl_->catalog.guarded([&] {
        std::vector<Root> roots;
        auto select = impl_->catalog.use("SELECT path, volume, place FROM roots ORDER BY id");
        while (select->executeStep()) {
            roots.push_back({path_column(*select, 0), {}});
            if (!select->getColumn(1).isNull())
                roots.back().place = {select->getColumn(1).getString(), path_column(*select, 2)};
        }
        return roots;
    });
}

void Library::set_place(const std::filesystem::path& root, const std::optional<VolumePlace>& place)
{
    impl_->catalog.write([&] {
        auto update = impl_->catalog.use("UPDATE roots SET volume = ?2, place = ?3 WHERE path = ?1");
        bind_path(*update, 1, root);
        if (place) {
            update->bind(2, place->volume);
            bind_path(*update, 3, place->place);
        }
        update->exec();
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

void Library::use_space(const std::string& space, int dim, const std::filesystem::path& checkpoint)
{
    IMPRINT_ASSERT(!space.empty() && dim > 0);
    impl_->catalog.write([&] {
        const int64_t id = impl_->space_id(space, dim);
        auto update = impl_->catalog.use("UPDATE library SET active_space = ?1 WHERE active_space IS NOT ?1");
        update->bind(1, id);
        update->exec();
        auto name = impl_->catalog.use("UPDATE spaces SET checkpoint = ?2 WHERE id = ?1 AND checkpoint IS NOT ?2");
        name->bind(1, id);
        if (!checkpoint.empty())
            bind_path(*name, 2, checkpoint);
        name->exec();
    });
}

std::filesystem::path Library::active_checkpoint() const
{
    return impl_->catalog.guarded([&]() -> std::filesystem::path {
        auto select = impl_->catalog.use("SELECT checkpoint FROM spaces JOIN library ON active_space = spaces.id");
        if (!select->executeStep() || select->getColumn(0).isNull())
            return {};
        return path_column(*select, 0);
    });
}

int64_t Library::missing(const std::string& from, const std::string& to) const
{
    return impl_->catalog.guarded([&] {
        auto select = impl_->catalog.use("SELECT count(*) FROM embedded AS old JOIN spaces ON spaces.id = old.space"
                                         " WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM embedded JOIN spaces ON spaces.id = space"
                                         " WHERE file = old.file AND name = ?2)");
        select->bind(1, from);
        select->bind(2, to);
        select->executeStep();
        return select->getColumn(0).getInt64();
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

int64_t Library::revision() const
{
    return impl_->catalog.guarded([&] { return impl_->revision(); });
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
