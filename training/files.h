// SPDX-License-Identifier: Apache-2.0
// Files that are on the disk when the call returns.
#pragma once

#include <filesystem>
#include <string_view>

namespace imprint::training {

/// Creates or replaces a file and syncs it. Error(DiskFull), Error(Permission), … naming it.
void write_file_synced(const std::filesystem::path& path, std::string_view bytes);

/// Syncs a folder's names: a rename in it then survives a loss of power.
void sync_folder(const std::filesystem::path& folder);

/// A lock on `folder`/lock that ends with the process however it ends; the file says who holds it. Error(Busy) naming the
/// holder while another program, or another lock of this one, has it.
class FolderLock {
public:
    explicit FolderLock(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int descriptor_ = -1;
};

}  // namespace imprint::training
