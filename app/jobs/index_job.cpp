// SPDX-License-Identifier: Apache-2.0
// Indexing: scan first, then the pipeline, whose finished files the calling thread, sole owner of the catalog, commits.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include "app/jobs/fingerprint.h"
#include "app/jobs/jobs.h"
#include "app/jobs/pipeline.h"
#include "app/jobs/reporter.h"
#include "app/jobs/scan.h"
#include "app/jobs/volumes.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

int64_t now_seconds()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The decoders load their libraries while the model is read.
Encoder& encoder_beside_decoders(Engine& engine)
{
    engine.decoder().start();
    return engine.encoder();
}

/// One run over a library that this thread holds for writing.
class Run {
public:
    Run(Engine& engine, index::Library& library, Reporter& reporter, const CancelToken& cancel, const IndexControl& control)
        : engine_(engine), encoder_(encoder_beside_decoders(engine)), library_(library), reporter_(reporter), cancel_(cancel),
          control_(control)
    {
        for (index::Failure& failure : library_.failures())
            known_failures_.emplace(failure.path.native(), std::move(failure));
    }

    IndexReport run(const std::vector<fs::path>& given)
    {
        std::vector<fs::path> paths;
        for (const fs::path& path : given)
            paths.push_back(catalog_path(path));
        try {
            follow_disks();
            const bool switching = choose_space(paths);
            add_roots(paths);
            scan_paths(paths);
            encode_work();
            cancel_.check();
            take_missing_fingerprints();
            if (switching)
                library_.use_space(encoder_.space(), encoder_.dim(), checkpoint_to_keep());
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Cancelled || !cancel_.cancelled())
                throw;
            report_.cancelled = true;
        }
        report_.files = report_.indexed + report_.unchanged + std::ssize(report_.failed);
        report_.seconds = reporter_.seconds();
        reporter_.state.moments = report_.moments;
        reporter_.state.stage = "done";
        reporter_.say(true);
        return std::move(report_);
    }

private:
    /// True when the library answers in another model's space until this run has filled the new one.
    bool choose_space(std::vector<fs::path>& paths)
    {
        const std::optional<std::string> active = library_.active_space();
        if (!active)
            library_.use_space(encoder_.space(), encoder_.dim(), checkpoint_to_keep());
        if (!active || *active == encoder_.space())
            return false;
        const std::vector<fs::path> roots = library_.roots();
        paths.insert(paths.end(), roots.begin(), roots.end());
        return true;
    }

    /// The model's file as the library is to remember it: one that was named, or the one that it had; not the shipped one.
    fs::path checkpoint_to_keep() const
    {
        const fs::path& named = engine_.options().checkpoint;
        if (named.empty())
            return library_.active_checkpoint();
        std::error_code failure;
        const fs::path file = fs::canonical(named, failure);
        try {
            if (fs::equivalent(file, default_checkpoint(), failure))
                return {};
        } catch (const Error&) {
            // There is no shipped model here, so this is none.
        }
        return file;
    }

    void add_roots(const std::vector<fs::path>& paths)
    {
        std::vector<fs::path> roots = library_.roots();
        for (const fs::path& path : paths) {
            std::error_code ignored;
            const bool covered = std::any_of(roots.begin(), roots.end(), [&](const auto& r) { return is_below(path, r); });
            if (covered || !fs::exists(path, ignored))
                continue;
            library_.add_root(path);
            roots.push_back(path);
        }
    }

    /// Roots are found again by what their disk calls itself.
    void follow_disks()
    {
        const Volumes volumes;
        for (const index::Root& root : library_.root_places()) {
            std::error_code away;
            fs::path path = root.path;
            if (!fs::exists(path, away)) {
                const auto found = root.place ? volumes.find(*root.place) : std::nullopt;
                if (!found || *found == path)
                    continue;
                library_.relink(path, *found);
                report_.relinked.emplace_back(path, *found);
                path = *found;
            }
            if (const auto place = volumes.place_of(path); place != root.place || path != root.path)
                library_.set_place(path, place);
        }
    }

    /// True when the file is one that the catalog knows by its content, and now is known by this path.
    bool adopt(const index::FileFacts& facts)
    {
        if (!library_.knows_size(facts.size))
            return false;
        const std::optional<index::Fingerprint> fingerprint = fingerprint_of(facts.path);
        const auto was = fingerprint ? library_.was_at(facts.path, *fingerprint) : std::nullopt;
        if (!was || !library_.move_file(*was, facts))
            return false;
        known_failures_.erase(facts.path.native());
        const bool complete = library_.unchanged(facts, encoder_.space());
        report_.moved += complete && *was != facts.path;
        return complete;
    }

    /// Of files that an older program indexed.
    void take_missing_fingerprints()
    {
        constexpr int64_t kPage = 256;
        fs::path last;
        for (bool more = true; more;) {
            const std::vector<fs::path> paths = library_.without_fingerprint(last, kPage);
            more = std::ssize(paths) == kPage;
            for (const fs::path& path : paths) {
                cancel_.check();
                reporter_.say();
                last = path;
                const std::optional<index::FileRow> row = library_.find(path);
                struct stat now { };
                const bool same = row && ::lstat(path.c_str(), &now) == 0 && now.st_size == row->facts.size
                    && now.st_mtim.tv_sec * 1'000'000'000LL + now.st_mtim.tv_nsec == row->facts.mtime_ns;
                if (const auto fingerprint = same ? fingerprint_of(path) : std::nullopt)
                    library_.set_fingerprint(path, *fingerprint);
            }
        }
    }

    void scan_paths(const std::vector<fs::path>& paths)
    {
        reporter_.state.stage = "scanning";
        Scan found = scan(
            paths, library_.folder(),
            [this](int64_t count) {
                reporter_.state.found = count;
                reporter_.say();
            },
            cancel_);
        report_.links = found.links;
        reporter_.state.found = std::ssize(found.files) + std::ssize(found.refused);
        // What moved is looked for before what is gone is dropped.
        std::vector<std::string> seen;
        seen.reserve(found.files.size() + found.refused.size());
        for (Candidate& file : found.files) {
            seen.push_back(file.path);
            if (!settled(file))
                work_.push_back(std::move(file));
        }
        drop_vanished(paths, found, std::move(seen));
        for (const Refusal& refusal : found.refused)
            refuse(refusal);
        reporter_.say(true);
    }

    void drop_vanished(const std::vector<fs::path>& paths, const Scan& found, std::vector<std::string> seen)
    {
        for (const Refusal& refusal : found.refused)
            seen.push_back(refusal.facts.path.native());
        // What lies in a folder that cannot be listed today is out of sight, not gone.
        constexpr int64_t kPage = 10'000;
        for (int64_t offset = 0; !found.unreadable.empty(); offset += kPage) {
            const std::vector<index::FileRow> rows = library_.files(offset, kPage);
            for (const index::FileRow& row : rows)
                if (std::any_of(found.unreadable.begin(), found.unreadable.end(),
                                [&](const fs::path& folder) { return is_below(row.facts.path, folder); }))
                    seen.push_back(row.facts.path.native());
            if (std::ssize(rows) < kPage)
                break;
        }
        std::error_code ignored;
        for (const fs::path& path : paths)
            if (fs::is_directory(path, ignored))
                report_.dropped += library_.drop_vanished(path, seen);
    }

    void refuse(const Refusal& refusal)
    {
        const auto known = known_failures_.find(refusal.facts.path.native());
        const bool news = known == known_failures_.end() || known->second.reason != refusal.failure.reason
            || !library_.unchanged(refusal.facts, encoder_.space());
        if (news && refusal.facts.inode != 0)  // what has no inode has no facts to be kept with
            library_.put_failure(refusal.facts, refusal.failure);
        report_.failed.push_back(refusal.failure);
        ++reporter_.state.failed;
        ++reporter_.state.done;
        reporter_.say();
    }

    /// True when the catalog already holds what would be found out.
    bool settled(const Candidate& file)
    {
        cancel_.check();
        const index::FileFacts facts = file.facts();
        if (!library_.unchanged(facts, encoder_.space()) && !adopt(facts))
            return false;
        const auto known = known_failures_.find(file.path);
        if (known == known_failures_.end()) {
            ++report_.unchanged;
            ++reporter_.state.unchanged;
        } else {
            // Access rights are no part of the facts: the scan can read the file now, so that refusal is over.
            if (known->second.kind == error_kind_name(ErrorKind::Permission))
                return false;
            report_.failed.push_back(known->second);
            ++reporter_.state.failed;
        }
        ++reporter_.state.done;
        reporter_.say();
        return true;
    }

    void encode_work()
    {
        reporter_.state.stage = "indexing";
        if (work_.empty())
            return;
        const int configured = engine_.options().decoder.workers;
        const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
        const int feeders = std::min<int>(configured > 0 ? configured : processors, static_cast<int>(work_.size()));
        encoder_.threads();  // measured now: beside busy decoders one thread would look as fast as two
        Pipeline pipeline(engine_.decoder(), encoder_, work_, feeders, control_);
        while (!pipeline.drained()) {
            if (const auto job = pipeline.next(100ms))
                commit(**job);
            reporter_.state.moments = pipeline.encoded();
            cancel_.check();
            reporter_.state.stage = control_.paused() ? "paused" : "indexing";
            reporter_.say();
        }
        pipeline.next(0ms);  // an encoder's error that came last
    }

    void commit(FileJob& job)
    {
        const index::FileFacts facts = job.candidate.facts();
        const fs::path& path = facts.path;
        reporter_.state.current = path;
        if (!job.failure) {
            Vectors vectors{encoder_.dim(), std::move(job.values)};
            IMPRINT_ASSERT(vectors.count() == static_cast<int>(job.moments.size()));
            report_.moments += std::ssize(job.moments);
            library_.put({facts, job.probe, std::move(job.moments), std::move(vectors), job.fingerprint}, encoder_.space(),
                         encoder_.text_bank());
            ++report_.indexed;
        } else if (not_media(job)) {
            if (library_.find(path))
                report_.dropped += library_.drop_vanished(path, {});
            --reporter_.state.found;
            return;
        } else {
            index::Failure failure{path, error_kind_name(job.failure->kind()), job.failure->reason(), now_seconds()};
            library_.put_failure(facts, failure);
            report_.failed.push_back(std::move(failure));
            ++reporter_.state.failed;
        }
        reporter_.state.indexed = report_.indexed;
        ++reporter_.state.done;
    }

    static bool not_media(const FileJob& job)
    {
        const ErrorKind kind = job.failure->kind();
        return !job.candidate.certain && (kind == ErrorKind::Unsupported || kind == ErrorKind::Malformed);
    }

    Engine& engine_;
    Encoder& encoder_;
    index::Library& library_;
    Reporter& reporter_;
    const CancelToken& cancel_;
    const IndexControl& control_;
    std::unordered_map<std::string, index::Failure> known_failures_;
    std::vector<Candidate> work_;
    IndexReport report_;
};

}  // namespace

IndexReport index_paths(Engine& engine, const std::vector<fs::path>& paths,
                        const std::function<void(const IndexProgress&)>& progress, const CancelToken& cancel,
                        const IndexControl& control)
{
    if (paths.empty())
        throw Error(ErrorKind::Usage, "", "nothing to index", "Name folders or files");
    Reporter reporter(progress);
    // Cheapest refusal first: a missing model or a library in use is told before anything is loaded or decoded.
    engine.checkpoint();
    index::Library library(engine.library_folder(), index::OpenMode::ReadWrite);
    return Run(engine, library, reporter, cancel, control).run(paths);
}

}  // namespace imprint::jobs
