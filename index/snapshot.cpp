// SPDX-License-Identifier: Apache-2.0
// Layout: header, then name of the space, then for each modality the file numbers of its rows and FAISS's own bytes.
#include "index/snapshot.h"

#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
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
    uint64_t index_size[2];
    uint64_t header_checksum;  ///< XXH64 of all fields above
};
static_assert(sizeof(Header) == 120 && std::is_trivially_copyable_v<Header>);

constexpr char kMagic[8] = {'I', 'M', 'P', 'R', 'I', 'D', 'X', '\n'};
constexpr uint32_t kVersion = 1;

uint64_t own_checksum(const Header& header)
{
    return XXH64(&header, offsetof(Header, header_checksum), 0);
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct FreeHash {
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
};

class Writer : public faiss::IOWriter {
public:
    explicit Writer(std::FILE* file) : file_(file), hash_(XXH64_createState()) { XXH64_reset(hash_.get(), 0); }
    size_t operator()(const void* data, size_t size, size_t count) override
    {
        if (size * count == 0)
            return count;  // an empty vector has no address
        XXH64_update(hash_.get(), data, size * count);
        written_ += size * count;
        return std::fwrite(data, size, count, file_);
    }
    uint64_t written() const { return written_; }
    uint64_t checksum() const { return XXH64_digest(hash_.get()); }

private:
    std::FILE* file_;
    std::unique_ptr<XXH64_state_t, FreeHash> hash_;
    uint64_t written_ = 0;
};

/// Never reads past its share of the file.
class Reader : public faiss::IOReader {
public:
    Reader(std::FILE* file, uint64_t left) : file_(file), left_(left) {}
    size_t operator()(void* data, size_t size, size_t count) override
    {
        if (size * count == 0)
            return count;
        const size_t whole = std::min<uint64_t>(count, left_ / size);
        left_ -= whole * size;
        return std::fread(data, size, whole, file_);
    }
    uint64_t left() const { return left_; }

private:
    std::FILE* file_;
    uint64_t left_;
};

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
    return XXH64_digest(hash.get()) == header.checksum
           && std::fseek(file, static_cast<long>(sizeof(Header)), SEEK_SET) == 0;
}

bool header_is_right(std::FILE* file, const Header& header, const Provenance& wanted)
{
    struct stat facts {};
    const uint64_t row_bytes = header.rows[0] * 8 + header.rows[1] * 8;
    return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 && header.header_checksum == own_checksum(header)
           && header.version == kVersion && header.dim == static_cast<uint32_t>(wanted.dim)
           && std::memcmp(header.library, wanted.library.data(), sizeof header.library) == 0
           && header.space_size == wanted.space.size() && ::fstat(::fileno(file), &facts) == 0
           && static_cast<uint64_t>(facts.st_size) == header.file_size
           && header.file_size == sizeof(Header) + header.space_size + row_bytes + header.index_size[0] + header.index_size[1];
}

std::unique_ptr<VectorIndex> parse(std::FILE* file, const Header& header, const Provenance& wanted)
{
    std::string space(header.space_size, '\0');
    if (std::fread(space.data(), 1, space.size(), file) != space.size() || space != wanted.space)
        return nullptr;
    auto index = std::make_unique<VectorIndex>(wanted.dim);
    for (const int m : {0, 1}) {
        std::vector<int64_t> files(header.rows[m]);
        if (!files.empty() && std::fread(files.data(), 8, files.size(), file) != files.size())
            return nullptr;
        if (!files.empty() && *std::max_element(files.begin(), files.end()) > header.highest_file)
            return nullptr;
        Reader reader(file, header.index_size[m]);
        const std::unique_ptr<faiss::Index> parsed(faiss::read_index(&reader));
        auto* flat = dynamic_cast<faiss::IndexFlatIP*>(parsed.get());
        if (!flat || flat->metric_type != faiss::METRIC_INNER_PRODUCT || reader.left() != 0
            || !index->restore(static_cast<Modality>(m), std::move(*flat), std::move(files)))
            return nullptr;
    }
    return index;
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
    if (writer(provenance.space.data(), 1, provenance.space.size()) != provenance.space.size())
        return false;
    for (const int m : {0, 1}) {
        const std::vector<int64_t>& files = index.files(static_cast<Modality>(m));
        header.rows[m] = files.size();
        if (!files.empty())
            header.highest_file = std::max(header.highest_file, *std::max_element(files.begin(), files.end()));
        if (writer(files.data(), 8, files.size()) != files.size())
            return false;
        const uint64_t before = writer.written();
        faiss::write_index(&index.rows(static_cast<Modality>(m)), &writer);
        header.index_size[m] = writer.written() - before;
    }
    header.file_size = sizeof header + writer.written();
    header.checksum = writer.checksum();
    header.header_checksum = own_checksum(header);
    return std::fseek(file, 0, SEEK_SET) == 0 && std::fwrite(&header, sizeof header, 1, file) == 1
           && std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
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
    if (const File out{std::fopen(part.c_str(), "wbe")}) {
        try {
            good = write_all(out.get(), index, provenance);
        } catch (const faiss::FaissException&) {
            good = false;  // how FAISS reports a short write
        }
    }
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
    std::unique_ptr<VectorIndex> index;
    try {
        index = parse(in.get(), header, provenance);
    } catch (const faiss::FaissException&) {
        return nullptr;  // written by a FAISS whose format this one does not read
    }
    provenance.revision = header.revision;
    provenance.era = header.era;
    return index;
}

}  // namespace imprint::index
