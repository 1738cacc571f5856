// SPDX-License-Identifier: Apache-2.0
// What the parts of Library share. Private to this folder.
#pragma once

#include <bit>
#include <memory>

#include "core/base/error.h"
#include "index/catalog.h"
#include "index/lock.h"
#include "index/names.h"

namespace imprint::index {

/// SQLite has signed integers only.
inline int64_t signed_bits(uint64_t value) { return std::bit_cast<int64_t>(value); }

class Library::Impl {
public:
    Impl(const std::filesystem::path& folder, OpenMode mode);

    /// A write transaction that moves the revision on; `f` gets the new one.
    template <typename F>
    void write_revision(F&& f)
    {
        write([&] { f(next_revision()); });
        era_written = true;
    }
    /// A write transaction that ends with the words of all files it touched brought up to date.
    template <typename F>
    void write(F&& f)
    {
        catalog.write([&] {
            f();
            settle_words(catalog);
        });
    }
    int64_t revision() const;

    // Within a write transaction:
    int64_t space_id(const std::string& space, int dim);
    /// Inserts or replaces the row of a path; no probe means failed. Returns its id, which a replaced row keeps.
    int64_t put_file(const FileFacts& facts, const media::Probe* probe, int64_t moments, int64_t revision);
    void forget_contents(int64_t file);
    /// To be called last: the checksum of the file's row with its moments.
    void seal(int64_t file);
    /// Of an indexed file. Throws Error(NotFound).
    int64_t file_id(const std::filesystem::path& path) const;

    std::unique_ptr<WriterLock> lock;  // first: held before the catalog is touched
    Catalog catalog;

private:
    int64_t next_revision();
    void prune_dropped();

    bool era_written = false;
};

}  // namespace imprint::index
