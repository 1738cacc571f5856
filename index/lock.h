// SPDX-License-Identifier: Apache-2.0
// The one-writer rule of a library folder.
#pragma once

#include <filesystem>

namespace imprint::index {

/// Holds `writer.lock` of a library folder, an OS lock that ends with the process however it ends. The file also carries
/// who holds it. Throws Error: Busy with the holder's pid and program; Permission; DiskFull.
class WriterLock {
public:
    explicit WriterLock(const std::filesystem::path& folder);
    ~WriterLock();
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

private:
    int descriptor_ = -1;
};

}  // namespace imprint::index
