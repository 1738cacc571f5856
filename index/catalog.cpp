// SPDX-License-Identifier: Apache-2.0
// Opening the catalog and saying what went wrong with it.
#include "index/catalog.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "core/base/error.h"
#include "index/checksum.h"

namespace imprint::index {
namespace {

constexpr int kBusyMilliseconds = 10'000;

bool access_denied(int error_number)
{
    return error_number == EACCES || error_number == EPERM || error_number == EROFS;
}

/// file: URI of a path of any bytes, for a catalog on a medium that nobody can write.
std::string immutable_uri(const std::filesystem::path& file)
{
    static constexpr char kHex[] = "0123456789ABCDEF";
    const std::string bytes = std::filesystem::absolute(file).native();
    std::string uri = "file:";
    for (const unsigned char c : bytes) {
        if (std::isalnum(c) || c == '/' || c == '.' || c == '-' || c == '_')
            uri += static_cast<char>(c);
        else
            (uri += '%').append({kHex[c >> 4], kHex[c & 15]});
    }
    return uri + "?immutable=1";
}

}  // namespace

bool wal_works_on(long type)
{
    switch (static_cast<unsigned long>(type) & 0xfffffffful) {
    case 0x6969:      // NFS
    case 0x517b:      // SMB
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB2
    case 0x65735546:  // FUSE
    case 0x01021997:  // 9P
    case 0x5346414f:  // AFS
    case 0x73757245:  // Coda
    case 0x00c36400:  // Ceph
    case 0x0bd00bd0:  // Lustre
    case 0x786f4256:  // VirtualBox's shared folders
    case 0xbacbacbc:  // VMware's
        return false;
    default: return true;
    }
}

Catalog::Use::~Use()
{
    statement_.tryReset();  // an error of the last step was thrown when it happened
    busy_ = false;
}

Catalog::Catalog(const std::filesystem::path& folder, OpenMode mode, std::span<const Migration> migrations)
    : folder_(folder), file_(folder / "catalog.sqlite"), mode_(mode)
{
    guarded([&] { open(migrations); });
    struct stat facts {};
    if (::stat(file_.c_str(), &facts) != 0)
        throw_errno(errno, file_.native(), "look at the catalog");
    device_ = facts.st_dev;
    inode_ = facts.st_ino;
}

void Catalog::open(std::span<const Migration> migrations)
{
    struct stat facts {};
    const bool exists = ::stat(file_.c_str(), &facts) == 0;
    const int why = errno;
    if (mode_ == OpenMode::ReadOnly && !exists) {
        if (why != ENOENT && why != ENOTDIR)
            throw_errno(why, folder_.native(), "read the library");
        throw Error(ErrorKind::NotFound, folder_.native(), "there is no library in this folder", "Index something first");
    }
    if (exists && ::access(file_.c_str(), R_OK) != 0)
        throw_errno(errno, file_.native(), "read the catalog");
    if (exists && mode_ == OpenMode::ReadWrite && ::access(file_.c_str(), W_OK) != 0)
        throw_errno(errno, file_.native(), "write the catalog");

    // A reader that may write opens so, and forbids itself to: only such a connection can roll back what a killed writer
    // left behind. Where nobody can write, a catalog without a journal beside it cannot change either.
    const bool writable = ::access(folder_.c_str(), W_OK) == 0 && (!exists || ::access(file_.c_str(), W_OK) == 0);
    struct stat journal {};
    const bool has_wal = ::stat((file_.native() + "-wal").c_str(), &journal) == 0 && journal.st_size > 0;
    if (mode_ == OpenMode::ReadWrite)
        database_ = std::make_unique<SQLite::Database>(file_.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                                       kBusyMilliseconds);
    else if (writable)
        database_ = std::make_unique<SQLite::Database>(file_.native(), SQLite::OPEN_READWRITE, kBusyMilliseconds);
    else if (has_wal)
        database_ = std::make_unique<SQLite::Database>(file_.native(), SQLite::OPEN_READONLY, kBusyMilliseconds);
    else
        database_ = std::make_unique<SQLite::Database>(immutable_uri(file_), SQLite::OPEN_READONLY | SQLite::OPEN_URI,
                                                       kBusyMilliseconds);
    database_->exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;");
    add_checksum_function(*database_);

    if (mode_ == OpenMode::ReadOnly) {
        const int version = schema_version(*database_, file_, migrations);
        if (version == 0)
            throw Error(ErrorKind::NotFound, folder_.native(), "there is no library in this folder yet",
                        "Index something first");
        if (version < migrations.back().number)
            throw Error(ErrorKind::Unsupported, file_.native(), "this library was made by an older Imprint",
                        "Index once with this program to update it");
        if (writable)
            database_->exec("PRAGMA query_only = ON;");
        return;
    }
    schema_version(*database_, file_, migrations);  // refuse a foreign or newer file before anything in it changes
    struct statfs system {};
    if (::statfs(folder_.c_str(), &system) != 0)
        throw_errno(errno, folder_.native(), "ask for the file system");
    if (wal_works_on(system.f_type)) {
        // NORMAL: a power cut may take the last commits, each whole, and those files are simply indexed again; a killed
        // process loses nothing. FULL would wait for the disk once a file.
        database_->exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    } else {
        // Exclusive while changing over: leaving WAL there must not need the shared memory that does not work.
        database_->exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL;"
                        "PRAGMA synchronous = FULL; SELECT count(*) FROM sqlite_schema;");
    }
    migrate(*database_, file_, migrations);
}

Catalog::Use Catalog::use(const char* sql) const
{
    Prepared& prepared = prepared_[sql];
    if (!prepared.statement)
        prepared.statement = std::make_unique<SQLite::Statement>(*database_, sql);
    IMPRINT_ASSERT(!prepared.busy);
    prepared.statement->clearBindings();
    return Use(*prepared.statement, prepared.busy);
}

std::shared_ptr<void> Catalog::stop_on(const CancelToken& cancel) const
{
    constexpr int kSteps = 20'000;  // of SQLite's machine: some milliseconds
    sqlite3* handle = database_->getHandle();
    const std::shared_ptr<CancelToken> token(new CancelToken(cancel), [handle](CancelToken* held) {
        sqlite3_progress_handler(handle, 0, nullptr, nullptr);
        delete held;
    });
    sqlite3_progress_handler(
        handle, kSteps, [](void* held) { return static_cast<CancelToken*>(held)->cancelled() ? 1 : 0; }, token.get());
    return token;
}

int64_t Catalog::bytes() const
{
    return guarded([&] {
        return database_->execAndGet("PRAGMA page_count").getInt64() * database_->execAndGet("PRAGMA page_size").getInt64();
    });
}

bool Catalog::still_there() const
{
    struct stat facts {};
    return ::stat(file_.c_str(), &facts) == 0 && facts.st_dev == device_ && facts.st_ino == inode_;
}

bool found_no_room(SQLite::Database& database)
{
    // A commit that fails does not pass its errno on to the connection; the files know it.
    sqlite3* handle = database.getHandle();
    int errors[3] = {sqlite3_system_errno(handle), 0, 0};
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &errors[1]);
    sqlite3_file* journal = nullptr;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal) == SQLITE_OK && journal
        && journal->pMethods)
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &errors[2]);
    return std::any_of(std::begin(errors), std::end(errors),
                       [](int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; });
}

bool Catalog::out_of_room() const
{
    if (database_ && found_no_room(*database_))
        return true;
    struct statvfs room {};
    return ::statvfs(folder_.c_str(), &room) == 0 && room.f_bavail * room.f_frsize < 64 * 1024;
}

std::string Catalog::backups() const
{
    std::error_code ignored;  // this only words a remedy; the error itself is already on its way
    for (int version = known_migrations().back().number; version > 0; --version)
        if (const auto copy = backup_path(file_, version); std::filesystem::exists(copy, ignored))
            return "put back the copy " + copy.native() + ", or move";
    return "move";
}

void Catalog::fail(const SQLite::Exception& exception) const
{
    int code = exception.getErrorCode() & 0xff;
    const int why = database_ ? sqlite3_system_errno(database_->getHandle()) : errno;
    const std::string detail = exception.what();
    // A header that names a format unknown to SQLite makes a catalog read-only that nobody has closed.
    if (exception.getExtendedErrorCode() == SQLITE_READONLY && mode_ == OpenMode::ReadWrite
        && ::access(file_.c_str(), W_OK) == 0 && ::access(folder_.c_str(), W_OK) == 0)
        code = SQLITE_CORRUPT;
    switch (code) {
    case SQLITE_FULL:
        throw Error(ErrorKind::DiskFull, folder_.native(), "no room to write the library",
                    "Everything committed is kept. Make room on that disk and run again");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        throw Error(ErrorKind::Permission, folder_.native(), "the library cannot be written (" + detail + ")",
                    "Check the folder's permissions");
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        if (out_of_room())
            throw Error(ErrorKind::DiskFull, folder_.native(), "no room to write the library",
                        "Everything committed is kept. Make room on that disk and run again");
        if (access_denied(why))
            throw Error(ErrorKind::Permission, folder_.native(),
                        std::string("the library cannot be opened (") + std::strerror(why) + ")",
                        "Check the folder's permissions");
        throw Error(ErrorKind::Io, file_.native(),
                    detail + (why ? std::string(" (") + std::strerror(why) + ")" : std::string()),
                    "Check the disk that holds the library");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        throw Error(ErrorKind::Busy, folder_.native(), "the catalog stayed locked by another program",
                    "Try again when that program is done");
    case SQLITE_INTERRUPT: throw Error(ErrorKind::Cancelled, folder_.native(), "stopped on request");
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: throw Error(ErrorKind::LimitExceeded, file_.native(), detail);
    case SQLITE_MISUSE:
    case SQLITE_RANGE: assertion_failed(detail.c_str(), __FILE__, __LINE__);
    default:
        throw Error(ErrorKind::Malformed, file_.native(), "the catalog is damaged (" + detail + ")",
                    "Run 'imprint repair'. Or: " + backups() + " the library folder away and index again; nothing was "
                    "deleted, and your media files are not touched");
    }
}

void bind_path(SQLite::Statement& statement, int index, const std::filesystem::path& path)
{
    statement.bind(index, static_cast<const void*>(path.native().data()), static_cast<int>(path.native().size()));
}

std::filesystem::path path_column(SQLite::Statement& statement, int index)
{
    const SQLite::Column column = statement.getColumn(index);
    return std::string(static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes()));
}

FileRow file_columns(SQLite::Statement& statement)
{
    FileRow row;
    row.id = statement.getColumn(0).getInt64();
    row.facts.path = path_column(statement, 1);
    row.facts.size = statement.getColumn(2).getInt64();
    row.facts.mtime_ns = statement.getColumn(3).getInt64();
    row.facts.inode = std::bit_cast<uint64_t>(static_cast<int64_t>(statement.getColumn(4).getInt64()));
    row.facts.device = std::bit_cast<uint64_t>(static_cast<int64_t>(statement.getColumn(5).getInt64()));
    row.probe.kind = static_cast<media::Kind>(statement.getColumn(6).getInt());
    row.probe.width = statement.getColumn(7).getInt();
    row.probe.height = statement.getColumn(8).getInt();
    row.probe.duration = statement.getColumn(9).getDouble();
    row.probe.has_sound = statement.getColumn(10).getInt() != 0;
    row.probe.format = statement.getColumn(11).getString();
    if (!statement.getColumn(12).isNull())
        row.probe.taken_at = statement.getColumn(12).getInt64();
    row.moments = statement.getColumn(13).getInt64();
    return row;
}

std::vector<Moment> read_moments(const Catalog& catalog, int64_t file)
{
    std::vector<Moment> moments;
    auto select = catalog.use("SELECT modality, start_s, end_s FROM moments WHERE file = ? ORDER BY ordinal");
    select->bind(1, file);
    while (select->executeStep()) {
        Moment& moment = moments.emplace_back();
        moment.modality = static_cast<Modality>(select->getColumn(0).getInt());
        if (!select->getColumn(1).isNull())
            moment.start = select->getColumn(1).getDouble();
        if (!select->getColumn(2).isNull())
            moment.end = select->getColumn(2).getDouble();
    }
    return moments;
}

}  // namespace imprint::index
