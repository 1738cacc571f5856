// SPDX-License-Identifier: Apache-2.0
// Where each file of a tar archive lies, so that any of them can be read at once and in any order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace imprint::training {

/// An open archive. const methods may be called from any thread.
class TarIndex {
public:
    struct Entry {
        std::string path;
        int64_t offset = 0, size = 0;  ///< of its content, in bytes
    };

    /// Reads all headers. A compressed archive is unpacked to an unnamed file in the system's folder for temporary files first.
    /// Only regular files are kept. Error(NotFound, Permission) for a file that cannot be opened, Error(Malformed) for one that
    /// is no tar archive, is damaged or cut off: it says how many files before that are whole.
    explicit TarIndex(const std::filesystem::path& archive);
    ~TarIndex();
    TarIndex(TarIndex&& other) noexcept;
    TarIndex& operator=(TarIndex&&) = delete;

    const std::filesystem::path& path() const { return path_; }
    const std::vector<Entry>& entries() const { return entries_; }
    /// The content of a file. Error(Io, Malformed) when it has changed under us.
    std::string read(const Entry& entry) const;

private:
    void index();

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::vector<Entry> entries_;
};

}  // namespace imprint::training
