// SPDX-License-Identifier: Apache-2.0
// The use cases that both faces (command line and window) share. Nothing here knows how results are shown.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/jobs/control.h"
#include "app/jobs/watcher.h"
#include "core/base/cancel.h"
#include "core/encoder.h"
#include "core/lexicon.h"
#include "core/media/decoder.h"
#include "index/library.h"
#include "index/search.h"

namespace imprint::jobs {

// ---------------------------------------------------------------- engine

struct EngineOptions {
    std::filesystem::path library;     ///< empty: index::default_library_folder()
    std::filesystem::path checkpoint;  ///< empty: default_checkpoint()
    EncoderOptions encoder;
    media::DecoderOptions decoder;
};

/// The shipped model: $IMPRINT_MODEL, else resources/models/imprint-small.safetensors beside the program or in its
/// installed data folder. Error(NotFound) with the places that were tried.
std::filesystem::path default_checkpoint();

/// What every job needs, opened once: the encoder is loaded when first asked for, the decoder pool likewise.
/// Safe to share between threads.
class Engine {
public:
    explicit Engine(EngineOptions options);
    ~Engine();
    const EngineOptions& options() const;
    const std::filesystem::path& library_folder() const;
    /// The checkpoint that encoder() reads: the one named in the options, else $IMPRINT_MODEL, else the one that the library
    /// uses, else the shipped one. Error(NotFound) when there is none.
    std::filesystem::path checkpoint() const;
    Encoder& encoder();
    media::Decoder& decoder();
    /// The encoder's background, standardised once, and what the file beside the checkpoint says of its scores: what a query's
    /// scores are judged by. Error(Malformed) naming that file.
    const index::BackgroundModel& background();
    /// What nouns mean, for queries. Error(NotFound) where the installation is broken.
    const Lexicon& lexicon();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------- index

struct IndexProgress {
    std::string stage;  ///< "scanning", "indexing", "paused", "done"
    int64_t found = 0;  ///< files seen so far
    int64_t done = 0;   ///< files finished (indexed, unchanged or failed)
    int64_t indexed = 0, unchanged = 0, failed = 0;
    int64_t moments = 0;          ///< encoded in this run, those of files under way included until it is done
    double seconds = 0;           ///< since the start
    double files_per_second = 0;  ///< over the last seconds
    std::filesystem::path current;
};

struct IndexReport {
    int64_t files = 0, indexed = 0, unchanged = 0, dropped = 0, moments = 0;
    int64_t moved = 0;  ///< of the unchanged: known by their content under another path
    std::vector<std::pair<std::filesystem::path, std::filesystem::path>> relinked;  ///< roots whose disk is mounted elsewhere
    std::vector<index::Failure> failed;  ///< below the given paths: found in this run, or known and unchanged since
    int64_t links = 0;                   ///< live links below the paths: not followed, not counted in `files`
    double seconds = 0;
    bool cancelled = false;
};

/// Scans the paths, decodes and encodes what is new or changed and commits file by file; memory is bounded whatever the
/// folder's size. `progress` is called from the calling thread at most about ten times a second, and once at the end.
/// Cancelling ends within a second with everything committed so far kept.
///
/// Files with a media extension, and files named themselves, are always tried and listed when they fail; any other file is
/// tried and passed over in silence when it is no media. A failure is kept with the file's facts and not tried again until
/// those change or Library::forget_failures(). A file that was renamed, moved or touched is known by its content and keeps
/// its vectors; roots follow their disk to where it is mounted now. Paths that lie below no root become roots. With another model than the
/// library's, the library's own roots are indexed too and the library is switched to the model when all is done.
/// Throws what ends a run: Busy, DiskFull, Permission (of the library), and the encoder's errors.
IndexReport index_paths(Engine& engine, const std::vector<std::filesystem::path>& paths,
                        const std::function<void(const IndexProgress&)>& progress = {}, const CancelToken& cancel = {},
                        const IndexControl& control = {});

/// Indexes the paths, then what changes below them and below the library's own roots, until cancelled. `told` hears of each
/// run that found something to do. While another program writes the library, changes wait. Throws what index_paths throws.
void watch_paths(Engine& engine, const std::vector<std::filesystem::path>& paths,
                 const std::function<void(const IndexReport&)>& told, const std::function<void(const IndexProgress&)>& progress = {},
                 const CancelToken& cancel = {}, const WatchOptions& options = {});

/// Switches the library to the engine's model: reads every file of its roots again into that model's space, then makes it the
/// active one in one transaction. Until then, and after a cancelled run, the old space answers, whole; the next call goes on
/// where this one ended. Vectors of older spaces stay, so that going back costs nothing. Throws what index_paths throws.
struct ModelSwitch {
    IndexReport report;
    int64_t away = 0;  ///< files that the old space has and the new one lacks: on disks that are away, or unreadable now
};
ModelSwitch use_model(Engine& engine, const std::function<void(const IndexProgress&)>& progress = {},
                      const CancelToken& cancel = {}, const IndexControl& control = {});

/// The folder or file that was at `from` is at `to` now: the library's paths follow, with vectors and all that is known of
/// them. `from` need not exist any more. Errors: NotFound where `to` does not exist or nothing is known of `from`, Usage for
/// the root of the file system or the same place twice.
index::Relinked relink(const Engine& engine, const std::filesystem::path& from, const std::filesystem::path& to);

/// One media file embedded as the indexer would: its moments and their vectors.
struct EmbeddedFile {
    media::Probe probe;
    std::vector<index::Moment> moments;
    Vectors vectors;
};
/// `from`/`to` (seconds) restrict a video or sound to one moment of that span.
EmbeddedFile embed_file(Engine& engine, const std::filesystem::path& file, std::optional<double> from = {},
                        std::optional<double> to = {}, const CancelToken& cancel = {});

// ---------------------------------------------------------------- search

/// One part of a query: words, a file (with an optional span) or a saved concept, with a weight; a negative weight means
/// "not".
struct QueryPart {
    /// A judged file is an answer that someone said yes or no to; it moves the query (see index::refined), its weight is 1.
    enum class Role { Part, More, Less };
    std::string text;  ///< used when `file` and `concept_name` are empty
    std::filesystem::path file;
    std::optional<double> from, to;
    double weight = 1.0;
    std::string concept_name = {};
    Role role = Role::Part;
    bool literal = false;  ///< words that are to be read as typed, slips and all
};

struct SearchRequest {
    std::vector<QueryPart> parts;
    index::Filter filter;
    int k = 50;
    bool all = false;
    index::Order order = index::Order::Relevance;
    std::vector<QueryPart> then = {};  ///< what must follow in the same file; empty: nothing
    double within = 10;                ///< seconds from the end of the one to the beginning of the other
};

struct SearchResult {
    std::string space;
    double took_ms = 0;
    std::vector<index::FileHit> files;
    std::vector<float> query;  ///< the combined unit vector
    index::QueryBackground background;
    bool meaningless = false;              ///< the words say nothing to the model: only names could be found
    std::vector<Respelling> read_as = {};  ///< slips in the words, and what was searched for instead
};

/// Encodes the parts, combines them on the sphere and searches; words that are wanted are also looked for in names, folders
/// and labels. Slips are corrected (respell()) in words that neither the lexicon nor the library's names and labels have, but
/// for literal parts. A media part that has several moments stands with their normalised mean (each modality's mean by itself
/// first); what the library holds unchanged is not decoded again. Usage errors: no part, only negative parts, k < 1;
/// Error(NotFound) where nothing is indexed, Error(Unsupported) where the library was indexed with another model.
SearchResult search(Engine& engine, index::Searcher& searcher, const SearchRequest& request, const CancelToken& cancel = {});

/// How a library is searched with this engine: tuned by the encoder's own texts. `build` false: for a program that ends at
/// once. Loads the encoder.
index::SearcherOptions searcher_options(Engine& engine, bool build = true);

/// Error(NotFound) where nothing is indexed, Error(Unsupported) where the library was indexed with another model: vectors of
/// two models say nothing about each other, even where their sizes agree.
void check_space(Engine& engine);

/// Saves the request's parts under a name; a concept of that name is replaced. Throws as search() does, and Error(Busy) while
/// another program writes the library.
void save_concept(Engine& engine, index::Searcher& searcher, const std::string& name, const std::vector<QueryPart>& parts,
                  const CancelToken& cancel = {});

/// What a "not" without a weight weighs: enough to turn a tie, not enough to rank by absence alone.
inline constexpr double kNotWeight = 0.6;

/// Parses what is typed into the window's one box: `+` and `-` before a word or a "quoted phrase", `*2` behind it.
/// What is quoted is literal.
std::vector<QueryPart> parse_query(const std::string& typed);

/// Parses words given as separate arguments: bare words are one phrase (`a dog`); an argument that holds a space or ends
/// in a weight (`ball*0.5`) is a part of its own. Usage errors: a weight that is no positive number, an empty text.
std::vector<QueryPart> parse_words(const std::vector<std::string>& arguments, double default_weight = 1.0);

/// Parses `FILE[@FROM-TO][*WEIGHT]`, times as seconds, m:ss or h:mm:ss. A name that exists as written is taken as such.
QueryPart parse_file_part(const std::string& argument, double default_weight = 1.0);

/// Parses a date (`2024`, `2024-05`, `2024-05-31`, local time, its first moment) into seconds since 1970.
int64_t parse_date(const std::string& text);

}  // namespace imprint::jobs
