// SPDX-License-Identifier: Apache-2.0
// A disk whose unsynced writes can be lost: what the library's files would be if the power went right now.
#pragma once

#include <filesystem>
#include <functional>
#include <random>

namespace imprint::test {

/// While it lives, it is SQLite's default file system: it passes everything on to the real one and remembers what was written
/// since each file was last synced. For files opened meanwhile, by this process, of one thread.
class PowerLoss {
public:
    PowerLoss();
    ~PowerLoss();
    PowerLoss(const PowerLoss&) = delete;
    PowerLoss& operator=(const PowerLoss&) = delete;

    /// Copies the catalog and its journals to another folder as a power cut would leave them: each write since its file's last
    /// sync got to the disk, or did not, as chance has it; `random` decides for each.
    void image(const std::filesystem::path& folder, const std::filesystem::path& target, std::mt19937& random) const;

    /// Called after each write, within it: nothing may be opened there, but an image can be taken.
    void after_write(std::function<void()> hook);

    int64_t writes() const;  ///< so far
    int64_t syncs() const;

    struct State;

private:
    State* state_;
};

}  // namespace imprint::test
