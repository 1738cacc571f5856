// SPDX-License-Identifier: Apache-2.0
// Evaluation on the held-out pools: see evaluate.h.
#include "training/evaluation/evaluate.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <thread>

#include "core/base/processor.h"
#include "core/lexicon.h"
#include "core/media/decoder.h"
#include "training/evaluation/cross_pools.h"
#include "training/evaluation/metrics.h"
#include "training/evaluation/pools.h"
#include "training/evaluation/ranking.h"

namespace imprint::evaluation
{

namespace
{

using nlohmann::json;

constexpr int kChunk = 64; // media decoded at once: bounds memory, keeps every decoder busy

struct Failed {
    std::string file, reason;
};

/// Vectors of a pool's items: one or more a moment, and which item each row belongs to.
struct Gallery {
    Vectors moments, concepts;
    std::vector<int> item_of_row;
    std::vector<Failed> failed;
    std::vector<bool> good;
};

void note_failures(Gallery& gallery, const Pool& pool, int first, const std::vector<std::optional<Error>>& errors)
{
    for (size_t i = 0; i < errors.size(); ++i) {
        if (!errors[i])
            continue;
        gallery.good[first + i] = false;
        gallery.failed.push_back({pool.items[first + i].name, errors[i]->reason()});
    }
}

void add_pictures(Gallery& gallery, const Pool& pool, int first, int count, Encoder& encoder, media::Decoder& decoder,
    const CancelToken& cancel)
{
    std::vector<media::Picture> decoded(static_cast<size_t>(count)), pictures;
    const media::Fit fit{encoder.picture_sizes()};
    const auto errors
        = in_parallel(count, [&](int i) { decoded[i] = decoder.still(pool.items[first + i].file, fit, cancel); });
    note_failures(gallery, pool, first, errors);
    for (int i = 0; i < count; ++i) {
        if (!gallery.good[first + i])
            continue;
        pictures.push_back(decoded[i]);
        gallery.item_of_row.push_back(first + i);
    }
    if (pictures.empty())
        return;
    append(gallery.moments, encoder.encode_pictures(pictures));
    try {
        append(gallery.concepts, encoder.concept_vectors(pictures));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Unsupported) // a model without the trunk has no such baseline
            throw;
    }
}

/// A sound longer than the model's window stands with all its windows; its score is that of the best, as in a search.
void add_sounds(Gallery& gallery, const Pool& pool, int first, int count, Encoder& encoder, media::Decoder& decoder,
    const CancelToken& cancel)
{
    std::vector<media::Sound> decoded(static_cast<size_t>(count)), windows;
    const auto errors = in_parallel(count, [&](int i) {
        const auto& file = pool.items[first + i].file;
        decoded[i] = decoder.sound(file, 0, 600, cancel);
        if (decoded[i].samples.empty())
            throw Error(ErrorKind::Malformed, file.string(), "holds no sound");
    });
    note_failures(gallery, pool, first, errors);
    const auto window = static_cast<size_t>(encoder.sound_window() * media::kSampleRate);
    for (int i = 0; i < count; ++i) {
        const auto& samples = decoded[i].samples;
        for (size_t from = 0; from < samples.size(); from += window) {
            const size_t length = std::min(window, samples.size() - from);
            if (from && length < window / 4)
                break; // a stump says less than the windows before it
            const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(from);
            windows.push_back(
                {static_cast<double>(from) / media::kSampleRate, {begin, begin + static_cast<std::ptrdiff_t>(length)}});
            gallery.item_of_row.push_back(first + i);
        }
    }
    if (!windows.empty())
        append(gallery.moments, encoder.encode_sounds(windows));
}

Gallery gallery_of(const Pool& pool, Encoder& encoder, media::Decoder& decoder, const EvalOptions& options)
{
    Gallery gallery;
    const int count = static_cast<int>(pool.items.size());
    gallery.good.assign(pool.items.size(), true);
    for (int first = 0; first < count; first += kChunk) {
        options.cancel.check();
        if (options.log)
            options.log(pool.name + ": " + std::to_string(first) + " of " + std::to_string(count));
        const auto add = pool.media == PoolMedia::Picture ? add_pictures : add_sounds;
        add(gallery, pool, first, std::min(kChunk, count - first), encoder, decoder, options.cancel);
    }
    return gallery;
}

Scores file_name_scores(const Pool& pool, const Queries& queries)
{
    std::vector<std::vector<std::string>> names;
    for (const Item& item : pool.items)
        names.push_back(words_of(item.name, true));
    Scores scores(static_cast<int>(queries.labels.size()), static_cast<int>(pool.items.size()));
    for (int query = 0; query < scores.queries; ++query) {
        const auto words = words_of(queries.labels[query]);
        for (int item = 0; item < scores.items; ++item)
            scores.row(query)[item] = matching_words(words, names[item]);
    }
    return scores;
}

Outcome difference(const Outcome& a, const Outcome& b)
{
    Outcome result = a;
    for (size_t i = 0; i < a.queries(); ++i) {
        result.hit1[i] -= b.hit1[i];
        result.hit5[i] -= b.hit5[i];
        result.hit10[i] -= b.hit10[i];
        result.rank[i] -= b.rank[i];
    }
    return result;
}

/// The queries of a group that found nothing right among the first ten, worst first: see evaluate.h.
json misses_of(const Pool& pool, const Queries& queries, const std::vector<int>& asked, const Scores& scores,
    const Outcome& outcome, int most)
{
    constexpr size_t kFirst = 4, kRight = 2;
    std::vector<int> missed;
    std::copy_if(asked.begin(), asked.end(), std::back_inserter(missed), [&](int q) { return outcome.hit10[q] < 0.5; });
    std::stable_sort(missed.begin(), missed.end(), [&](int a, int b) { return outcome.rank[a] > outcome.rank[b]; });
    missed.resize(std::min(missed.size(), static_cast<size_t>(most)));
    json list = json::array();
    for (const int query : missed) {
        json entry = {{"asked", queries.labels[query]}, {"rank", outcome.rank[query]}};
        const auto& right = queries.relevant[query];
        for (size_t i = 0; i < std::min(kRight, right.size()); ++i)
            entry["right"].push_back(pool.items[right[i]].file.string());
        std::vector<int> order(pool.items.size());
        std::iota(order.begin(), order.end(), 0);
        const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(kFirst, order.size()));
        std::partial_sort(order.begin(), end, order.end(),
            [row = scores.row(query)](int a, int b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
        for (auto item = order.begin(); item != end; ++item)
            entry["first"].push_back({{"file", pool.items[*item].file.string()}, {"label", pool.items[*item].label}});
        list.push_back(std::move(entry));
    }
    return list;
}

/// All systems on one set of labels, cut into groups; the misses of the clean ones.
void add_groups(json& result, const Pool& pool, const Gallery& gallery, bool raw, Encoder& encoder,
    const Teacher* teacher, const Lexicon* lexicon, const EvalOptions& options)
{
    const Queries queries = queries_of(pool, raw);
    const int items = static_cast<int>(pool.items.size());
    std::vector<std::pair<std::string, Outcome>> systems;
    const Vectors texts = encoder.encode_texts(queries.labels);
    const Vectors told = lexicon ? encode_queries(encoder, *lexicon, queries.labels) : texts;
    const auto rank = [&](const Vectors& asked, const Vectors& rows) {
        return rank_all(scores_of(asked, rows, gallery.item_of_row, items), queries.relevant);
    };
    const Scores scores = scores_of(told, gallery.moments, gallery.item_of_row, items);
    systems.emplace_back("model", rank_all(scores, queries.relevant));
    if (lexicon)
        systems.emplace_back("words alone", rank(texts, gallery.moments));
    if (teacher && teacher->dim() == gallery.concepts.dim) {
        Vectors asked{teacher->dim(), {}};
        for (const int line : queries.texts)
            asked.append(teacher->centred(line));
        systems.emplace_back("teacher's text", rank(asked, gallery.moments));
        systems.emplace_back("conse", rank(asked, gallery.concepts));
    }
    if (gallery.concepts.count() && gallery.concepts.dim == texts.dim)
        systems.emplace_back("conse, own text", rank(texts, gallery.concepts));
    systems.emplace_back("file names", rank_all(file_name_scores(pool, queries), queries.relevant));
    systems.emplace_back("chance", rank_by_chance(items, queries.relevant));

    const std::vector<Group> groups = groups_of(pool, queries);
    if (!raw) {
        const auto report
            = std::find_if(groups.begin(), groups.end(), [](const Group& group) { return group.name == "report"; });
        result["misses"] = misses_of(pool, queries, (report == groups.end() ? groups.begin() : report)->queries, scores,
            systems[0].second, options.misses);
    }
    for (const Group& group : groups) {
        json entry = {{"group", group.name}, {"labels", raw ? "raw" : "clean"}, {"queries", group.queries.size()}};
        const Outcome model = systems[0].second.subset(group.queries);
        for (const auto& [name, outcome] : systems) {
            entry["systems"][name] = figures(outcome.subset(group.queries), options.bootstrap, options.seed);
            if (name == "conse")
                entry["model_minus_conse"] = figures(difference(model, outcome.subset(group.queries)), options.bootstrap, options.seed);
        }
        result["groups"].push_back(std::move(entry));
    }
}

/// Items that could not be decoded leave the pool before anything is ranked.
void keep_good(Pool& pool, Gallery& gallery)
{
    std::vector<int> moved(pool.items.size(), -1);
    std::vector<Item> kept;
    for (size_t i = 0; i < pool.items.size(); ++i)
        if (gallery.good[i]) {
            moved[i] = static_cast<int>(kept.size());
            kept.push_back(std::move(pool.items[i]));
        }
    pool.items = std::move(kept);
    for (int& item : gallery.item_of_row)
        item = moved[item];
}

json evaluate_pool(const std::string& name, const std::filesystem::path& corpus, Encoder& encoder,
    media::Decoder& decoder, const Teacher& teacher, const Lexicon* lexicon, const EvalOptions& options)
{
    Pool pool = read_pool(corpus, name);
    Gallery gallery = gallery_of(pool, encoder, decoder, options);
    keep_good(pool, gallery);
    json failed = json::array();
    for (const Failed& failure : gallery.failed)
        failed.push_back({{"file", failure.file}, {"reason", failure.reason}});
    json result = {{"pool", name}, {"direction", pool.media == PoolMedia::Picture ? "text to image" : "text to sound"},
        {"items", pool.items.size()}, {"failed", failed}, {"groups", json::array()}};
    if (pool.items.empty())
        throw Error(ErrorKind::Malformed, name, "no item of the pool could be decoded", gallery.failed[0].reason);
    const Teacher* images_only = pool.media == PoolMedia::Picture ? &teacher : nullptr;
    add_groups(result, pool, gallery, false, encoder, images_only, lexicon, options);
    const bool has_raw
        = std::any_of(pool.items.begin(), pool.items.end(), [](const Item& i) { return i.raw != i.label; });
    if (has_raw)
        add_groups(result, pool, gallery, true, encoder, images_only, lexicon, options);
    return result;
}

std::string hash_of(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return "";
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
        static_cast<unsigned long long>(hash.low64));
    return text;
}

std::vector<std::string> wanted_pools(const EvalOptions& options, const std::filesystem::path& corpus)
{
    const bool all = options.suites.empty()
        || std::find(options.suites.begin(), options.suites.end(), "all") != options.suites.end();
    std::vector<std::string> known = pool_names();
    known.insert(known.end(), cross_pool_names().begin(), cross_pool_names().end());
    if (!all) {
        std::string list = "all";
        for (const std::string& name : known)
            list += ", " + name;
        for (const std::string& name : options.suites)
            if (std::find(known.begin(), known.end(), name) == known.end())
                throw Error(ErrorKind::Usage, name, "is no evaluation suite", "Choose among " + list);
        return options.suites;
    }
    std::vector<std::string> present;
    for (const std::string& name : known)
        if (std::filesystem::exists(corpus / "pools" / (name + ".jsonl")))
            present.push_back(name);
    if (present.empty())
        throw Error(ErrorKind::NotFound, (corpus / "pools").string(), "the corpus has no test pools",
            "Prepare the corpus with training/corpus, or name its folder with --corpus");
    return present;
}

} // namespace

nlohmann::json evaluate(const EvalOptions& options)
{
    const auto started = std::chrono::steady_clock::now();
    const std::filesystem::path corpus = options.corpus.empty() ? default_corpus() : options.corpus;
    Encoder encoder(options.checkpoint, options.encoder); // first: a missing model matters more than a missing corpus
    const auto names = wanted_pools(options, corpus);
    media::Decoder decoder;
    const Teacher teacher(corpus);
    std::optional<Lexicon> lexicon;
    if (!options.lexicon.empty())
        lexicon.emplace(options.lexicon);
    const Lexicon* const told = lexicon ? &*lexicon : nullptr;

    json pools = json::array();
    for (const std::string& name : names) {
        const auto& cross = cross_pool_names();
        if (std::find(cross.begin(), cross.end(), name) == cross.end())
            pools.push_back(evaluate_pool(name, corpus, encoder, decoder, teacher, told, options));
        else
            pools.push_back(evaluate_cross_pool(corpus, name, encoder, decoder,
                {.lexicon = told, .bootstrap = options.bootstrap, .seed = options.seed, .cancel = options.cancel}));
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    return {{"checkpoint",
                {{"file", options.checkpoint.filename().string()}, {"model", encoder.model_name()},
                    {"space", encoder.space()}, {"precision", encoder.precision()}}},
        {"corpus", {{"counts_xxh3_128", hash_of(corpus / "counts.json")}}}, {"bootstrap", options.bootstrap},
        {"seed", options.seed},
        {"machine", {{"processor", processor_name()}, {"threads", std::thread::hardware_concurrency()}}},
        {"seconds", seconds.count()}, {"pools", pools}};
}

} // namespace imprint::evaluation
