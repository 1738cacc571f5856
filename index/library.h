// SPDX-License-Identifier: Apache-2.0
// The library store: one SQLite catalog that is the only truth about files, moments and their vectors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/encoder.h"
#include "core/media/media.h"
#include "index/filter.h"

namespace imprint::index {

/// What the file system said about a file when it was looked at; equal facts mean "unchanged".
struct FileFacts {
    std::filesystem::path path;  ///< absolute, as bytes; need not be UTF-8
    int64_t size = 0;            ///< bytes
    int64_t mtime_ns = 0;        ///< nanoseconds since 1970
    uint64_t inode = 0;
    uint64_t device = 0;
    bool operator==(const FileFacts&) const = default;
};

/// What a file holds, whatever its name: a hash over size and content.
using Fingerprint = std::array<uint8_t, 16>;

/// A path by the disk that it lies on.
struct VolumePlace {
    std::string volume;           ///< the file system's UUID
    std::filesystem::path place;  ///< absolute within that file system
    bool operator==(const VolumePlace&) const = default;
};

/// A span of one file in one modality: the unit that carries a vector. A still image has no times.
struct Moment {
    Modality modality = Modality::Picture;
    std::optional<double> start, end;  ///< seconds
};

/// Everything that enters the catalog for one good file, in one transaction.
struct FileEntry {
    FileFacts facts;
    media::Probe probe;
    std::vector<Moment> moments;
    Vectors vectors;  ///< one unit vector per moment, in the order of `moments`
    std::optional<Fingerprint> fingerprint = {};
};

/// A root that the user added.
struct Root {
    std::filesystem::path path;
    std::optional<VolumePlace> place;  ///< as last seen; nothing where its file system has no name
};

struct Relinked {
    int64_t files = 0, roots = 0;
};

struct Failure {
    std::filesystem::path path;
    std::string kind;  ///< error_kind_name()
    std::string reason;
    int64_t at = 0;  ///< seconds since 1970
};

struct Counts {
    int64_t files = 0, images = 0, videos = 0, sounds = 0, moments = 0, failed = 0;
};

/// A file as the catalog knows it.
struct FileRow {
    int64_t id = 0;
    FileFacts facts;
    media::Probe probe;
    int64_t moments = 0;
};

/// What is said of a whole file, or of a span of it in seconds.
struct Label {
    std::string name;                            ///< not empty
    std::optional<double> start = {}, end = {};  ///< both or none
    bool guessed = false;                        ///< by a model; a person's word otherwise
    bool operator==(const Label&) const = default;
};

/// A search that was given a name.
struct Concept {
    std::string name;
    std::string parts;          ///< JSON: how it was made, in the words of who made it
    std::string space;          ///< of `vector`
    std::vector<float> vector;  ///< unit length
};

/// What a person thinks of a file: 1 to 5 stars, 0 for none.
struct Rating {
    std::filesystem::path path;
    int stars = 0;
};

enum class OpenMode { ReadWrite, ReadOnly };

/// An open library. ReadWrite takes the writer's lock of the folder (Error(Busy) says which process holds it) and creates
/// or migrates the catalog; ReadOnly never waits for a writer and needs the library to exist (Error(NotFound)).
/// A Library object belongs to one thread at a time; open another for another thread.
/// Every writing method is one transaction: after a crash a file is in with everything, or not at all.
class Library {
public:
    Library(const std::filesystem::path& folder, OpenMode mode);
    ~Library();
    Library(Library&&) noexcept;
    Library& operator=(Library&&) noexcept;

    const std::filesystem::path& folder() const;

    /// Roots: the folders and files that the user added, kept in the order they came.
    void add_root(const std::filesystem::path& path);
    std::vector<std::filesystem::path> roots() const;
    std::vector<Root> root_places() const;
    void set_place(const std::filesystem::path& root, const std::optional<VolumePlace>& place);

    /// The vector space that search uses; set on first use. Several may be stored side by side.
    std::optional<std::string> active_space() const;
    /// `checkpoint`: the file of the model that makes these vectors; empty for the shipped one.
    void use_space(const std::string& space, int dim, const std::filesystem::path& checkpoint = {});
    std::filesystem::path active_checkpoint() const;  ///< of the active space; empty for the shipped one, or without a space
    /// Files that are complete in the space `from` and not in `to`: what a switch loses sight of.
    int64_t missing(const std::string& from, const std::string& to) const;

    /// True when the catalog holds this file with equal facts: indexed with vectors in `space`, or failed. The device is
    /// recorded but not compared: its number changes when a disk is plugged in again.
    bool unchanged(const FileFacts& facts, const std::string& space) const;
    /// Adds or replaces a file. `bank` is the encoder's text bank: mean and deviation of each moment against it are stored.
    void put(const FileEntry& entry, const std::string& space, const Vectors& bank);
    /// Records that a file could not be read (replacing what was known of it).
    void put_failure(const FileFacts& facts, const Failure& failure);
    /// Drops everything known about files below `root` whose path is not in `seen` (sorted or not). Returns how many went.
    /// A root that itself is missing (an unplugged disk) drops nothing, nor does an empty mount point that files on
    /// another device used to stand under. Works in bounded transactions: a crash leaves some for the next call.
    int64_t drop_vanished(const std::filesystem::path& root, const std::vector<std::string>& seen);

    /// Content that moved. True when the catalog knows the content of some file of this size; only then is a fingerprint worth
    /// its reading.
    bool knows_size(int64_t size) const;
    /// Where an indexed file with this content was: `path` itself, or a place that it is gone from. A file on a disk that is
    /// away is not gone.
    std::optional<std::filesystem::path> was_at(const std::filesystem::path& path, const Fingerprint& fingerprint) const;
    /// The indexed file at `from` is now what `facts` say: same content, perhaps another path. What the catalog knew of the
    /// new path goes. False where `from` is not indexed.
    bool move_file(const std::filesystem::path& from, const FileFacts& facts);
    /// Everything at and below `from`, roots included, lies at and below `to` now; what the catalog knew there goes. One
    /// transaction; no vector is touched. Nothing is looked at on disk.
    Relinked relink(const std::filesystem::path& from, const std::filesystem::path& to);
    /// Indexed files whose content has no fingerprint yet, at most `limit`, from `after` on in the order of paths.
    std::vector<std::filesystem::path> without_fingerprint(const std::filesystem::path& after, int64_t limit) const;
    void set_fingerprint(const std::filesystem::path& path, const Fingerprint& fingerprint);

    Counts counts() const;
    std::vector<Failure> failures() const;
    /// Forgets recorded failures so that the next run tries those files again. Returns how many.
    int64_t forget_failures();
    std::optional<FileRow> find(const std::filesystem::path& path) const;  ///< indexed files only
    std::vector<FileRow> files(int64_t offset, int64_t limit) const;       ///< indexed files, ordered by id
    std::vector<Moment> moments(int64_t file) const;                       ///< of a FileRow's id, in their order

    /// Labels and stars survive when a file is indexed again. All of these throw Error(NotFound) for a file that is not
    /// indexed. Giving a label twice is giving it once; what a person says replaces a guess.
    void add_label(const std::filesystem::path& path, const Label& label);
    /// From the file and all its spans. False when it had none of that name.
    bool remove_label(const std::filesystem::path& path, const std::string& name);
    std::vector<Label> labels(int64_t file) const;            ///< of a FileRow's id; whole files first, then in time order
    void rate(const std::filesystem::path& path, int stars);  ///< 1 to 5; 0 takes the stars away
    void rate(const std::vector<Rating>& ratings);            ///< all of them, or none where one throws
    int rating(int64_t file) const;                           ///< 0: none
    std::vector<std::pair<int64_t, int>> ratings() const;     ///< file and stars of all that have any, ascending
    /// Files with a label or stars that pass the filter (its modalities do not count), by path.
    std::vector<FileRow> labelled(const Filter& filter) const;

    std::vector<std::string> label_names() const;  ///< of all files, in order
    /// Whether a word stands in the name or a label of a file, inflected or not.
    bool names(const std::string& word) const;
    /// Numbers of the indexed files that pass (modalities of the filter do not count), ascending.
    std::vector<int64_t> matching(const Filter& filter) const;

    /// Replaces the one of that name.
    void put_concept(const Concept& named);
    std::optional<Concept> find_concept(const std::string& name) const;
    std::vector<Concept> concepts() const;       ///< by name
    bool drop_concept(const std::string& name);  ///< false when there is none

    /// Reads everything once: page structure, references, counts, checksums and norms of vectors. What is wrong, one line
    /// each, at most twenty of a kind; empty is good. index/verify.h looks at the vector index too, and repairs.
    std::vector<std::string> check() const;

    /// A number that grows with every change of vectors; the vector index compares it.
    int64_t revision() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Default library folder: $XDG_DATA_HOME/imprint/library, else ~/.local/share/imprint/library.
std::filesystem::path default_library_folder();

}  // namespace imprint::index
