// SPDX-License-Identifier: Apache-2.0
// Vectors say who is near; pixels and waves say who is the same.
#include "app/jobs/duplicates_job.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <numeric>
#include <set>

#include "core/base/error.h"

namespace imprint::jobs {
namespace {

constexpr int kNeighbours = 10;
constexpr double kNearCosine = 0.85;  // half-sized copies of photographs stood above 0.89
constexpr double kSameSound = 0.97;
constexpr double kSamePicture = 0.95;  // correlation of two looks
constexpr double kFlat = 4;            // deviation of grey, of 255: a frame of one colour
constexpr int kSide = 16;
constexpr double kSameWave = 0.6;       // correlation; re-encoded copies stood above 0.93, other sounds below 0.3
constexpr double kListened = 20;        // seconds from the beginning
constexpr size_t kWavesKept = 64;       // of 320 kB
constexpr int kWaveRate = 4000;         // what every coding keeps
constexpr int kDelay = kWaveRate / 10;  // what a coding may put before a beginning

/// A picture in 16 × 16 greys, without its mean, of unit length; empty where it is all of one colour.
std::vector<float> look_at(const media::Picture& picture)
{
    std::vector<float> greys(kSide * kSide), weights(kSide * kSide);
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x) {
            const auto cell = static_cast<size_t>(y * kSide / picture.height * kSide + x * kSide / picture.width);
            const uint8_t* rgb =
                &picture.rgb[(static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)) * 3];
            greys[cell] += 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
            weights[cell] += 1;
        }
    double mean = 0, squares = 0;
    for (size_t i = 0; i < greys.size(); ++i) {
        greys[i] /= std::max(weights[i], 1.0f);
        mean += greys[i] / static_cast<double>(greys.size());
    }
    for (float& grey : greys) {
        grey -= static_cast<float>(mean);
        squares += static_cast<double>(grey) * grey;
    }
    if (std::sqrt(squares / static_cast<double>(greys.size())) < kFlat)
        return {};
    for (float& grey : greys)
        grey /= static_cast<float>(std::sqrt(squares));
    return greys;
}

/// At kWaveRate; empty where it is silent.
std::vector<float> wave_of(const media::Sound& sound)
{
    constexpr size_t kStep = media::kSampleRate / kWaveRate;
    constexpr double kSilence = 1e-9;  // mean of squares
    std::vector<float> wave;
    double squares = 0;
    for (size_t first = 0; first + kStep <= sound.samples.size(); first += kStep) {
        float sum = 0;
        for (size_t i = first; i < first + kStep; ++i)
            sum += sound.samples[i];
        wave.push_back(sum / kStep);
        squares += static_cast<double>(wave.back()) * wave.back();
    }
    return squares > kSilence * static_cast<double>(wave.size()) ? wave : std::vector<float>();
}

double product(std::span<const float> a, std::span<const float> b)
{
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Whether one is the other, be it a little later or turned over. Two silent ones say nothing against it.
bool same_wave(std::span<const float> a, std::span<const float> b)
{
    if (a.empty() || b.empty())
        return a.empty() == b.empty();
    const double lengths = std::sqrt(product(a, a)) * std::sqrt(product(b, b));
    for (int delay = -kDelay; delay <= kDelay; ++delay) {
        const std::span<const float> one = a.subspan(std::min(a.size(), static_cast<size_t>(std::max(0, delay))));
        const std::span<const float> other = b.subspan(std::min(b.size(), static_cast<size_t>(std::max(0, -delay))));
        const size_t common = std::min(one.size(), other.size());
        if (std::abs(product(one.first(common), other.first(common))) >= kSameWave * lengths)
            return true;
    }
    return false;
}

bool equal_length(double a, double b) { return std::abs(a - b) <= std::max(0.5, 0.02 * std::max(a, b)); }

bool equal_shape(const media::Probe& a, const media::Probe& b)
{
    const double one = static_cast<double>(a.width) * b.height, other = static_cast<double>(b.width) * a.height;
    return std::abs(one - other) <= 0.03 * std::max(one, other);
}

class Finder {
public:
    Finder(Engine& engine, const CancelToken& cancel)
        : engine_(engine), cancel_(cancel), searcher_(engine.library_folder(), searcher_options(engine))
    {
        const index::Library library(engine.library_folder(), index::OpenMode::ReadOnly);
        constexpr int64_t kPage = 4000;
        for (int64_t offset = 0;; offset += kPage) {
            const std::vector<index::FileRow> page = library.files(offset, kPage);
            for (const index::FileRow& row : page) {
                number_[row.facts.path.native()] = files_.size();
                files_.push_back(row);
            }
            if (static_cast<int64_t>(page.size()) < kPage)
                break;
        }
        leader_.resize(files_.size());
        std::iota(leader_.begin(), leader_.end(), size_t(0));
    }

    Duplicates run(const std::function<void(int64_t, int64_t)>& progress)
    {
        for (size_t i = 0; i < files_.size(); ++i) {
            cancel_.check();
            if (progress)
                progress(static_cast<int64_t>(i), static_cast<int64_t>(files_.size()));
            if (files_[i].moments > 0)
                compare_with_neighbours(i);
        }
        std::map<size_t, std::vector<index::FileRow>> groups;
        for (size_t i = 0; i < files_.size(); ++i)
            groups[leader_of(i)].push_back(files_[i]);
        for (auto& [leader, group] : groups) {
            if (group.size() < 2)
                continue;
            std::stable_sort(group.begin(), group.end(), [](const index::FileRow& a, const index::FileRow& b) {
                const auto size = [](const index::FileRow& row) {
                    return std::pair(static_cast<int64_t>(row.probe.width) * row.probe.height, row.facts.size);
                };
                return size(a) > size(b);
            });
            result_.groups.push_back(std::move(group));
        }
        return std::move(result_);
    }

private:
    size_t leader_of(size_t i)
    {
        while (leader_[i] != i)
            i = leader_[i] = leader_[leader_[i]];
        return i;
    }

    void compare_with_neighbours(size_t i)
    {
        const index::FileRow& file = files_[i];
        if (waves_.size() > kWavesKept)
            waves_.clear();
        const index::Searcher::Stored mine = searcher_.stored(file.facts.path);
        if (mine.moments.empty())
            return;
        const auto middle = static_cast<int>(mine.moments.size() / 2);
        index::Query query{.vector = {mine.vectors.row(middle).begin(), mine.vectors.row(middle).end()},
                           .filter = {},
                           .k = kNeighbours,
                           .all = true};
        query.filter.kinds = {file.probe.kind};
        for (const index::FileHit& hit : searcher_.search(query, engine_.background().of(query.vector))) {
            const auto other = number_.find(hit.path.native());
            if (other == number_.end() || other->second >= i || leader_of(other->second) == leader_of(i))
                continue;  // each pair once, and none that is known
            if (same(file, mine, files_[other->second]))
                leader_[leader_of(i)] = leader_of(other->second);
        }
    }

    bool same(const index::FileRow& a, const index::Searcher::Stored& of_a, const index::FileRow& b)
    {
        const bool lasts = a.probe.kind != media::Kind::Image;
        if (lasts ? !equal_length(a.probe.duration, b.probe.duration) : !equal_shape(a.probe, b.probe))
            return false;
        const index::Searcher::Stored of_b = searcher_.stored(b.facts.path);
        const double near = mean_cosine(of_a, of_b);
        if (near < (a.probe.kind == media::Kind::Audio ? kSameSound : kNearCosine))
            return false;
        ++result_.compared;
        if (a.probe.kind == media::Kind::Audio)
            return readable(a) && readable(b) && same_wave(looks(a).front(), looks(b).front());
        const std::vector<std::vector<float>>& one = looks(a);
        const std::vector<std::vector<float>>& other = looks(b);
        int said = 0;
        for (size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
            if (one[i].empty() && other[i].empty())
                continue;
            if (one[i].empty() || other[i].empty() || product(one[i], other[i]) < kSamePicture)
                return false;
            ++said;
        }
        return said > 0;
    }

    /// Over the moments of the one that has fewer: how like the most alike moment of the other; the mean.
    static double mean_cosine(const index::Searcher::Stored& a, const index::Searcher::Stored& b)
    {
        const index::Searcher::Stored& few = a.moments.size() <= b.moments.size() ? a : b;
        const index::Searcher::Stored& many = &few == &a ? b : a;
        double sum = 0;
        for (size_t i = 0; i < few.moments.size(); ++i) {
            double best = -1;
            for (size_t j = 0; j < many.moments.size(); ++j)
                if (few.moments[i].modality == many.moments[j].modality)
                    best = std::max(best, product(few.vectors.row(static_cast<int>(i)), many.vectors.row(static_cast<int>(j))));
            sum += best;
        }
        return few.moments.empty() ? -1 : sum / static_cast<double>(few.moments.size());
    }

    bool readable(const index::FileRow& file) { return !looks(file).empty(); }

    /// Decoded once a file, but for sounds long ago: their waves are large. Nothing where it cannot be read, which is said.
    const std::vector<std::vector<float>>& looks(const index::FileRow& file)
    {
        const auto [known, fresh] = (file.probe.kind == media::Kind::Audio ? waves_ : looks_).try_emplace(file.id);
        if (!fresh)
            return known->second;
        try {
            const media::Fit small{.exact = {}, .max_side = 64};
            if (file.probe.kind == media::Kind::Image) {
                known->second.push_back(look_at(engine_.decoder().still(file.facts.path, small, cancel_)));
            } else if (file.probe.kind == media::Kind::Audio) {
                known->second.push_back(
                    wave_of(engine_.decoder().sound(file.facts.path, 0, std::min(kListened, file.probe.duration), cancel_)));
            } else {
                std::vector<double> times;
                for (const double share : {0.1, 0.3, 0.5, 0.7, 0.9})
                    times.push_back(share * file.probe.duration);
                for (const media::Picture& frame : engine_.decoder().frames(file.facts.path, times, small, cancel_))
                    known->second.push_back(look_at(frame));
            }
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Cancelled)
                throw;
            if (unread_.insert(file.id).second)
                result_.failed.push_back({file.facts.path, error_kind_name(error.kind()), error.reason(), std::time(nullptr)});
        }
        return known->second;
    }

    Engine& engine_;
    CancelToken cancel_;
    index::Searcher searcher_;
    std::vector<index::FileRow> files_;
    std::map<std::string, size_t> number_;
    std::vector<size_t> leader_;  ///< of each file's group, by way of others
    std::map<int64_t, std::vector<std::vector<float>>> looks_, waves_;
    std::set<int64_t> unread_;
    Duplicates result_;
};

}  // namespace

Duplicates find_duplicates(Engine& engine, const std::function<void(int64_t, int64_t)>& progress, const CancelToken& cancel)
{
    check_space(engine);
    return Finder(engine, cancel).run(progress);
}

}  // namespace imprint::jobs
