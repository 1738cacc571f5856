// SPDX-License-Identifier: Apache-2.0
// One SQLite connection to a library's catalog: how it is opened, prepared statements, transactions, typed errors.
// Private to this folder.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/base/cancel.h"
#include "core/base/error.h"
#include "index/library.h"
#include "index/schema.h"

namespace imprint::index {

/// catalog.sqlite of a library folder. Every method throws Error; nothing of SQLite leaves `guarded`.
/// One thread at a time. Only stat() may touch the file elsewhere in this process: closing any other descriptor of it
/// would drop SQLite's locks.
class Catalog {
public:
    /// ReadWrite creates and migrates; ReadOnly throws NotFound where there is no library, Unsupported where its schema
    /// is older or newer than this program's.
    Catalog(const std::filesystem::path& folder, OpenMode mode,
            std::span<const Migration> migrations = known_migrations());

    const std::filesystem::path& folder() const { return folder_; }
    OpenMode mode() const { return mode_; }

    /// A prepared statement, kept for the next use. `sql` must be a literal. Ends its read when it goes out of scope.
    class Use {
    public:
        Use(SQLite::Statement& statement, bool& busy) : statement_(statement), busy_(busy) { busy_ = true; }
        ~Use();
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        SQLite::Statement* operator->() { return &statement_; }
        SQLite::Statement& operator*() { return statement_; }

    private:
        SQLite::Statement& statement_;
        bool& busy_;
    };
    Use use(const char* sql) const;
    /// A statement that is put together at run time and used once.
    template <typename F>
    auto dynamic(const std::string& sql, F&& f) const
    {
        SQLite::Statement statement(*database_, sql);
        return f(statement);
    }

    /// Runs `f`, turning what SQLite throws into Error.
    template <typename F>
    auto guarded(F&& f) const
    {
        try {
            return f();
        } catch (const SQLite::Exception& exception) {
            fail(exception);
        }
    }
    /// A write transaction around `f`: all or nothing.
    template <typename F>
    void write(F&& f) const
    {
        IMPRINT_ASSERT(mode_ == OpenMode::ReadWrite);
        guarded([&] {
            SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
            guarded([&] {  // the reason is asked for before the roll-back covers it
                f();
                transaction.commit();
            });
        });
    }
    /// A read transaction around `f`: one unchanging view.
    template <typename F>
    auto read(F&& f) const
    {
        return guarded([&] {
            SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::DEFERRED);
            return f();
        });
    }

    /// While the result lives, a long statement ends with Error(Cancelled) soon after `cancel` was called.
    [[nodiscard]] std::shared_ptr<void> stop_on(const CancelToken& cancel) const;

    /// Size of the catalog, as its pages count.
    int64_t bytes() const;

    /// Which file this connection reads; differs from what is in the folder once someone put another catalog there.
    bool still_there() const;

private:
    [[noreturn]] void fail(const SQLite::Exception& exception) const;
    bool out_of_room() const;
    void open(std::span<const Migration> migrations);
    std::string backups() const;

    struct Prepared {
        std::unique_ptr<SQLite::Statement> statement;
        bool busy = false;
    };

    std::filesystem::path folder_, file_;
    OpenMode mode_;
    std::unique_ptr<SQLite::Database> database_;
    mutable std::map<const char*, Prepared> prepared_;
    uint64_t device_ = 0, inode_ = 0;
};

/// False on network file systems and on FUSE, where shared memory between processes, which WAL needs, cannot be relied on.
/// `type` is statfs's f_type.
bool wal_works_on(long type);

/// Whether the last write of this connection found no room: disk, quota or file size. Asked right after the error.
bool found_no_room(SQLite::Database& database);

// Small things that catalog readers share.
void bind_path(SQLite::Statement& statement, int index, const std::filesystem::path& path);
std::filesystem::path path_column(SQLite::Statement& statement, int index);
/// Moments of a file, in their order.
std::vector<Moment> read_moments(const Catalog& catalog, int64_t file);
/// Labels of a file: those of the whole first, then in time order.
std::vector<Label> read_labels(const Catalog& catalog, int64_t file);
/// What file_columns reads, in its order.
inline constexpr const char* kFileColumnList =
    "id, path, size, mtime_ns, inode, device, kind, width, height, duration, has_sound, format, taken_at, moments";
FileRow file_columns(SQLite::Statement& statement);

}  // namespace imprint::index
