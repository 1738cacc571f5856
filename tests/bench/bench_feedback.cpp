// SPDX-License-Identifier: Apache-2.0
// From the press of "more like this" to the new order: a library of 100,000 moments, answers judged one after another, each
// time the stored vectors read, the query moved, its background taken and everything ranked again. Prints one JSON document.
//
//   bench_feedback [MOMENTS [LIBRARY]]      100,000, ten a film; LIBRARY is kept, and used again
//
// Exit: 0 within the aim (100 ms for the slowest but one of twenty), 1 not, 3 cannot.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "core/base/error.h"
#include "index/background.h"
#include "index/feedback.h"
#include "index/search.h"

namespace {

using namespace imprint;
using namespace imprint::index;

constexpr int kDim = 384, kPerFile = 10, kShown = 2000, kJudged = 20;
constexpr double kAtMost = 100;
const std::string kSpace = "random-vectors/000000000000/384";

Vectors unit_vectors(std::mt19937& random, int count)
{
    std::normal_distribution<float> normal;
    Vectors vectors{kDim, {}};
    std::vector<float> row(kDim);
    for (int i = 0; i < count; ++i) {
        double squares = 0;
        for (float& value : row) {
            value = normal(random);
            squares += static_cast<double>(value) * value;
        }
        for (float& value : row)
            value = static_cast<float>(value / std::sqrt(squares));
        vectors.append(row);
    }
    return vectors;
}

void fill(const std::filesystem::path& folder, int64_t moments, std::mt19937& random, const Vectors& bank)
{
    Library library(folder, OpenMode::ReadWrite);
    for (int64_t file = library.counts().files; file < moments / kPerFile; ++file) {
        FileEntry film;
        film.facts.path = "/films/" + std::to_string(file) + ".mp4";
        film.probe.kind = media::Kind::Video;
        film.probe.duration = 6.0 * kPerFile;
        film.vectors = unit_vectors(random, kPerFile);
        for (int i = 0; i < kPerFile; ++i)
            film.moments.push_back({Modality::Picture, 6.0 * i, 6.0 * (i + 1)});
        library.put(film, kSpace, bank);
    }
    library.use_space(kSpace, kDim);
}

int measure(int64_t moments, const std::filesystem::path& folder)
{
    std::mt19937 random(5);
    const Vectors bank = unit_vectors(random, 512), background = unit_vectors(random, 1024);
    fill(folder, moments, random, bank);
    const BackgroundModel model(bank, background, background);
    Searcher searcher(folder);
    Query query{.vector = unit_vectors(random, 1).values, .filter = {}, .k = kShown, .all = true};
    const std::vector<float> asked = query.vector;
    std::vector<FileHit> shown = searcher.search(query, model.of(query.vector));
    Vectors more{kDim, {}}, less{kDim, {}};
    std::vector<double> times;
    for (int judged = 0; judged < kJudged; ++judged) {
        const FileHit& hit = shown[random() % 50];
        const Moment& moment = hit.moments.front().moment;
        const auto start = std::chrono::steady_clock::now();
        (judged % 3 == 2 ? less : more).append(searcher.stored(hit.path, moment.start, moment.end).vectors.row(0));
        query.vector = refined(asked, more, less);
        shown = searcher.search(query, model.of(query.vector));
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    const double slow = times[times.size() - 2];
    const nlohmann::ordered_json document{{"moments", searcher.state().moments},
                                          {"files_ranked", shown.size()},
                                          {"median_ms", times[times.size() / 2]},
                                          {"slow_ms", slow},
                                          {"slow_ms_at_most", kAtMost}};
    std::printf("%s\n", document.dump(2).c_str());
    return slow <= kAtMost ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        const int64_t moments = argc > 1 ? std::stoll(argv[1]) : 100'000;
        if (argc > 2)
            return measure(moments, argv[2]);
        std::string made = (std::filesystem::temp_directory_path() / "feedback-XXXXXX").native();
        if (!::mkdtemp(made.data()))
            throw_errno(errno, made, "make a folder");
        const int code = measure(moments, made);
        std::filesystem::remove_all(made);
        return code;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_feedback: %s\n", error.what());
        return 3;
    }
}
