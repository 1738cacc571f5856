// SPDX-License-Identifier: Apache-2.0
// A shim over SQLite's own file system (https://sqlite.org/vfs.html).
#include "tests/index/power_loss.h"

#include <sqlite3.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <string>
#include <vector>

namespace imprint::test {
namespace {

/// One write or truncation, with what was there before.
struct Change {
    int64_t offset = 0, size_before = 0, size_after = 0;
    std::string before, after;
};

}  // namespace

struct PowerLoss::State {
    sqlite3_vfs shim{};
    sqlite3_vfs* real = nullptr;
    sqlite3_vfs* was_default = nullptr;
    std::map<std::string, std::vector<Change>> unsynced;  ///< by path
    int64_t writes = 0, syncs = 0;
    std::function<void()> hook;
};

namespace {

struct File {
    sqlite3_file base;
    PowerLoss::State* state;
    std::string* path;  ///< null for a temporary file
    sqlite3_file* real;
};

File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return of(file)->real; }

std::string read(sqlite3_file* file, int64_t offset, int64_t count)
{
    std::string bytes(static_cast<size_t>(count), '\0');
    if (count > 0)
        file->pMethods->xRead(file, bytes.data(), static_cast<int>(count), offset);
    return bytes;
}

int64_t size_of(sqlite3_file* file)
{
    sqlite3_int64 size = 0;
    file->pMethods->xFileSize(file, &size);
    return size;
}

int close_file(sqlite3_file* file)
{
    const int result = real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
    delete of(file)->path;
    return result;
}

int write_file(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset)
{
    sqlite3_file* disk = real(file);
    Change change;
    change.offset = offset;
    change.size_before = size_of(disk);
    change.before = read(disk, offset, std::max<int64_t>(0, std::min<int64_t>(count, change.size_before - offset)));
    const int result = disk->pMethods->xWrite(disk, data, count, offset);
    if (result == SQLITE_OK && of(file)->path) {
        change.after.assign(static_cast<const char*>(data), static_cast<size_t>(count));
        change.size_after = size_of(disk);
        of(file)->state->unsynced[*of(file)->path].push_back(std::move(change));
        ++of(file)->state->writes;
        if (of(file)->state->hook)
            of(file)->state->hook();
    }
    return result;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size)
{
    sqlite3_file* disk = real(file);
    Change change;
    change.offset = size;
    change.size_before = size_of(disk);
    change.before = read(disk, size, std::max<int64_t>(0, change.size_before - size));
    const int result = disk->pMethods->xTruncate(disk, size);
    if (result == SQLITE_OK && of(file)->path) {
        change.size_after = size;
        of(file)->state->unsynced[*of(file)->path].push_back(std::move(change));
    }
    return result;
}

int sync_file(sqlite3_file* file, int flags)
{
    if (of(file)->path) {
        of(file)->state->unsynced.erase(*of(file)->path);
        ++of(file)->state->syncs;
    }
    return real(file)->pMethods->xSync(real(file), flags);
}

// clang-format off
int read_file(sqlite3_file* f, void* data, int count, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), data, count, at); }
int file_size(sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); }
int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int check_lock(sqlite3_file* f, int* held) { return real(f)->pMethods->xCheckReservedLock(real(f), held); }
int control(sqlite3_file* f, int what, void* data) { return real(f)->pMethods->xFileControl(real(f), what, data); }
int sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int traits(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** at) { return real(f)->pMethods->xShmMap(real(f), page, size, extend, at); }
int shm_lock(sqlite3_file* f, int offset, int count, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, count, flags); }
void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int shm_unmap(sqlite3_file* f, int erase) { return real(f)->pMethods->xShmUnmap(real(f), erase); }
// clang-format on

// Version 2: shared memory for the write-ahead log, no memory-mapped pages, which would be written past this shim.
constexpr sqlite3_io_methods kMethods = {2,        close_file,  read_file,  write_file, truncate_file, sync_file, file_size,
                                         lock,     unlock,      check_lock, control,    sector,        traits,    shm_map,
                                         shm_lock, shm_barrier, shm_unmap,  nullptr,    nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out)
{
    auto* state = static_cast<PowerLoss::State*>(vfs->pAppData);
    File* shim = of(file);
    shim->state = state;
    shim->real = reinterpret_cast<sqlite3_file*>(shim + 1);
    const int result = state->real->xOpen(state->real, name, shim->real, flags, out);
    shim->path = name && result == SQLITE_OK ? new std::string(name) : nullptr;
    shim->base.pMethods = result == SQLITE_OK ? &kMethods : nullptr;
    return result;
}

int erase_file(sqlite3_vfs* vfs, const char* name, int sync)
{
    auto* state = static_cast<PowerLoss::State*>(vfs->pAppData);
    state->unsynced.erase(name);
    return state->real->xDelete(state->real, name, sync);
}

}  // namespace

PowerLoss::PowerLoss() : state_(new State)
{
    state_->real = state_->was_default = sqlite3_vfs_find(nullptr);
    state_->shim = *state_->real;
    state_->shim.zName = "power-loss";
    state_->shim.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
    state_->shim.pAppData = state_;
    state_->shim.xOpen = open_file;
    state_->shim.xDelete = erase_file;
    // The others read the file system's own data from the pointer that they are given.
    state_->shim.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* result) {
        sqlite3_vfs* real = static_cast<State*>(vfs->pAppData)->real;
        return real->xAccess(real, name, flags, result);
    };
    state_->shim.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
        sqlite3_vfs* real = static_cast<State*>(vfs->pAppData)->real;
        return real->xFullPathname(real, name, size, out);
    };
    sqlite3_vfs_register(&state_->shim, 1);
}

PowerLoss::~PowerLoss()
{
    sqlite3_vfs_unregister(&state_->shim);
    sqlite3_vfs_register(state_->was_default, 1);
    delete state_;
}

void PowerLoss::after_write(std::function<void()> hook) { state_->hook = std::move(hook); }
int64_t PowerLoss::writes() const { return state_->writes; }
int64_t PowerLoss::syncs() const { return state_->syncs; }

void PowerLoss::image(const std::filesystem::path& folder, const std::filesystem::path& target, std::mt19937& random) const
{
    std::filesystem::create_directories(target);
    for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-journal"}) {
        const std::filesystem::path file = folder / name;
        if (!std::filesystem::exists(file))
            continue;
        std::ifstream in(file, std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        if (const auto found = state_->unsynced.find(file.native()); found != state_->unsynced.end()) {
            const std::vector<Change>& changes = found->second;
            for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
                bytes.resize(static_cast<size_t>(change->size_before));
                bytes.replace(static_cast<size_t>(change->offset), change->before.size(), change->before);
            }
            for (const Change& change : changes) {
                if (random() % 2)
                    continue;  // never got there
                const size_t end = static_cast<size_t>(change.offset) + change.after.size();
                if (bytes.size() < end || change.after.empty())
                    bytes.resize(change.after.empty() ? static_cast<size_t>(change.size_after) : end);
                bytes.replace(static_cast<size_t>(change.offset), change.after.size(), change.after);
            }
        }
        std::ofstream(target / name, std::ios::binary) << bytes;
    }
}

}  // namespace imprint::test
