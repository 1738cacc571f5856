// SPDX-License-Identifier: Apache-2.0
// Layout: header, then name of the space, then for each modality the file numbers, statistics and half floats of its rows,
// and of its inverted file the centres and each row's list.
#include "index/snapshot.h"

#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/base/error.h"

namespace imprint::index {
namespace {

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t dim;
    uint64_t file_size;
    uint64_t checksum;  ///< XXH64 of all that follows the header
    uint8_t library[16];
    int64_t revision;
    int64_t era;
    int64_t highest_file;
    uint64_t space_size;
    uint64_t rows[2];
    uint32_t lists[2];  ///< 0: no inverted file
    uint32_t probes[2];
    float recall[2];
    uint64_t header_checksum;  ///< XXH64 of all fields above
};
static_assert(sizeof(Header) == 128 && std::is_trivially_copyable_v<Header>);

constexpr char kMagic[8] = {'I', 'M', 'P', 'R', 'I', 'D', 'X', '\n'};
constexpr uint32_t kVersion = 3;

uint64_t own_checksum(const Header& header) { return XXH64(&header, offsetof(Header, header_checksum), 0); }

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct FreeHash {
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
};

class Writer {
public:
    explicit Writer(std::FILE* file) : file_(file), hash_(XXH64_createState()) { XXH64_reset(hash_.get(), 0); }
    template <typename T>
    void put(std::span<const T> values)
    {
        if (values.empty())
            return;  // an empty vector has no address
        XXH64_update(hash_.get(), values.data(), values.size_bytes());
        written_ += values.size_bytes();
        good_ = good_ && std::fwrite(values.data(), sizeof(T), values.size(), file_) == values.size();
    }
    bool good() const { return good_; }
    uint64_t written() const { return written_; }
    uint64_t checksum() const { return XXH64_digest(hash_.get()); }

private:
    std::FILE* file_;
    std::unique_ptr<XXH64_state_t, FreeHash> hash_;
    uint64_t written_ = 0;
    bool good_ = true;
};

/// The header has said how much there is, and the file is as long as that.
template <typename T>
bool get(std::FILE* file, std::span<T> values)
{
    return values.empty() || std::fread(values.data(), sizeof(T), values.size(), file) == values.size();
}

bool bytes_are_right(std::FILE* file, const Header& header)
{
    const std::unique_ptr<XXH64_state_t, FreeHash> hash(XXH64_createState());
    XXH64_reset(hash.get(), 0);
    std::vector<char> buffer(1 << 20);
    uint64_t left = header.file_size - sizeof(Header);
    while (left > 0) {
        const size_t size = std::fread(buffer.data(), 1, std::min<uint64_t>(left, buffer.size()), file);
        if (size == 0)
            return false;
        XXH64_update(hash.get(), buffer.data(), size);
        left -= size;
    }
    return XXH64_digest(hash.get()) == header.checksum && std::fseek(file, static_cast<long>(sizeof(Header)), SEEK_SET) == 0;
}

bool header_is_right(std::FILE* file, const Header& header, const Provenance& wanted)
{
    struct stat facts { };
    uint64_t body = header.space_size;
    for (const int m : {0, 1}) {
        const uint64_t lists = header.lists[m], dim = header.dim;
        body += header.rows[m] * (sizeof(int64_t) + 2 * sizeof(float) + dim * sizeof(uint16_t));
        body += lists > 0 ? lists * (dim + 1) * sizeof(float) + header.rows[m] * sizeof(int32_t) : 0;
    }
    return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 && header.header_checksum == own_checksum(header)
        && header.version == kVersion && header.dim == static_cast<uint32_t>(wanted.dim)
        && std::memcmp(header.library, wanted.library.data(), sizeof header.library) == 0
        && header.space_size == wanted.space.size() && ::fstat(::fileno(file), &facts) == 0
        && static_cast<uint64_t>(facts.st_size) == header.file_size && header.rows[0] <= header.file_size
        && header.rows[1] <= header.file_size  // so that the sum cannot overflow
        && header.file_size == sizeof(Header) + body;
}

bool read_shelf(std::FILE* file, const Header& header, Modality modality, VectorIndex& index)
{
    constexpr size_t kStretch = 4096;
    const auto m = static_cast<size_t>(modality);
    const size_t count = header.rows[m], dim = header.dim;
    std::vector<int64_t> files(count);
    std::vector<float> stats(2 * count);
    if (!get(file, std::span(files)) || !get(file, std::span(stats))
        || (count > 0 && *std::max_element(files.begin(), files.end()) > header.highest_file))
        return false;
    HalfRows rows(static_cast<int>(dim));
    std::vector<uint16_t> halves;
    for (size_t first = 0; first < count; first += kStretch) {
        const size_t now = std::min(kStretch, count - first);
        halves.resize(now * dim);
        if (!get(file, std::span(halves)))
            return false;
        rows.append(halves, std::span(stats).subspan(2 * first, 2 * now));
    }
    std::unique_ptr<Coarse> coarse;
    if (header.lists[m] > 0) {
        std::vector<float> centres(header.lists[m] * (dim + 1));
        std::vector<int32_t> list_of(count);
        if (!get(file, std::span(centres)) || !get(file, std::span(list_of)))
            return false;
        coarse = Coarse::of_parts(std::move(centres), std::move(list_of), static_cast<int>(dim),
                                  static_cast<int>(header.probes[m]), header.recall[m]);
        if (!coarse)
            return false;
    }
    return index.restore(modality, std::move(rows), std::move(files), std::move(coarse));
}

std::unique_ptr<VectorIndex> parse(std::FILE* file, const Header& header, const Provenance& wanted)
{
    std::string space(header.space_size, '\0');
    if (!get(file, std::span(space)) || space != wanted.space)
        return nullptr;
    auto index = std::make_unique<VectorIndex>(wanted.dim);
    for (const Modality modality : {Modality::Picture, Modality::Sound})
        if (!read_shelf(file, header, modality, *index))
            return nullptr;
    return index;
}

void write_shelf(Writer& writer, const VectorIndex& index, Modality modality, Header& header)
{
    const auto m = static_cast<size_t>(modality);
    const std::vector<int64_t>& files = index.files(modality);
    const HalfRows rows = index.rows(modality);
    header.rows[m] = files.size();
    for (const int64_t file : files)
        header.highest_file = std::max(header.highest_file, file);
    writer.put(std::span(files));
    for (int64_t row = 0; row < rows.size(); ++row)
        writer.put(rows.stats(row));
    for (int64_t row = 0; row < rows.size(); ++row)
        writer.put(rows.half(row));
    if (const Coarse* coarse = index.coarse(modality); coarse && rows.size() > 0) {
        header.lists[m] = static_cast<uint32_t>(coarse->lists());
        header.probes[m] = static_cast<uint32_t>(coarse->probes());
        header.recall[m] = coarse->recall();
        writer.put(std::span(coarse->centres()));
        writer.put(std::span(coarse->list_of()));
    }
}

bool write_all(std::FILE* file, const VectorIndex& index, const Provenance& provenance)
{
    Header header{};
    if (std::fwrite(&header, sizeof header, 1, file) != 1)
        return false;
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kVersion;
    header.dim = static_cast<uint32_t>(provenance.dim);
    std::copy(provenance.library.begin(), provenance.library.end(), header.library);
    header.revision = provenance.revision;
    header.era = provenance.era;
    header.space_size = provenance.space.size();
    Writer writer(file);
    writer.put(std::span<const char>(provenance.space));
    for (const Modality modality : {Modality::Picture, Modality::Sound})
        write_shelf(writer, index, modality, header);
    if (!writer.good())
        return false;
    header.file_size = sizeof header + writer.written();
    header.checksum = writer.checksum();
    header.header_checksum = own_checksum(header);
    return std::fseek(file, 0, SEEK_SET) == 0 && std::fwrite(&header, sizeof header, 1, file) == 1 && std::fflush(file) == 0
        && ::fsync(::fileno(file)) == 0;
}

}  // namespace

std::filesystem::path snapshot_path(const std::filesystem::path& folder, const std::string& space)
{
    std::string name;
    for (const char c : space.substr(0, 100))
        name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || (c == '.' && !name.empty()) ? c : '_';
    if (name != space) {
        char hash[20];
        std::snprintf(hash, sizeof hash, "-%016llx", static_cast<unsigned long long>(XXH64(space.data(), space.size(), 0)));
        name += hash;
    }
    return folder / "faiss" / (name + ".index");
}

bool write_snapshot(const std::filesystem::path& file, const VectorIndex& index, const Provenance& provenance)
{
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    const std::string part = file.native() + "." + std::to_string(::getpid()) + ".part";
    bool good = false;
    if (const File out{std::fopen(part.c_str(), "wbe")})
        good = write_all(out.get(), index, provenance);
    good = good && ::rename(part.c_str(), file.c_str()) == 0;
    if (!good)
        ::unlink(part.c_str());
    return good;
}

std::unique_ptr<VectorIndex> read_snapshot(const std::filesystem::path& file, Provenance& provenance)
{
    const File in{std::fopen(file.c_str(), "rbe")};
    Header header{};
    if (!in || std::fread(&header, sizeof header, 1, in.get()) != 1 || !header_is_right(in.get(), header, provenance)
        || !bytes_are_right(in.get(), header))
        return nullptr;
    std::unique_ptr<VectorIndex> index = parse(in.get(), header, provenance);
    provenance.revision = header.revision;
    provenance.era = header.era;
    return index;
}

}  // namespace imprint::index
