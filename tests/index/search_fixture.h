// SPDX-License-Identifier: Apache-2.0
// A library of made-up files, and what a search of it should answer, computed without any index.
#pragma once

#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "index/search.h"
#include "tests/index/library_fixture.h"

namespace imprint::test {

using Accept = std::function<bool(const index::FileEntry&, const index::Moment&)>;
bool anything(const index::FileEntry&, const index::Moment&);

/// What the library should answer, in double precision.
class Reference {
public:
    void put(const index::FileEntry& entry) { files_[entry.facts.path.native()] = entry; }
    void drop(const std::filesystem::path& path) { files_.erase(path.native()); }
    const index::FileEntry& file(const std::string& path) const { return files_.at(path); }
    const std::map<std::string, index::FileEntry>& files() const { return files_; }

    /// Calibrated scores of all moments of a file, in their order.
    static std::vector<double> scores(const index::FileEntry& entry, std::span<const float> query,
                                      const index::QueryBackground& background);

    struct Hit {
        std::string path;
        double score;
    };
    std::vector<Hit> search(const index::Query& query, const index::QueryBackground& background, const index::Cut& cut,
                            const Accept& accept) const;

private:
    std::map<std::string, index::FileEntry> files_;
};

/// Where the two answers differ in paths, order or scores (by more than 1e-4); empty where they do not.
std::string differs(const std::vector<index::FileHit>& hits, const std::vector<Reference::Hit>& wanted);

#define QVERIFY_SAME(hits, wanted)                                                                                               \
    do {                                                                                                                         \
        const std::string difference = ::imprint::test::differs(hits, wanted);                                                   \
        QVERIFY2(difference.empty(), difference.c_str());                                                                        \
    } while (false)

#define QVERIFY_SAME_AS_REFERENCE(searcher)                                                                                      \
    do {                                                                                                                         \
        const std::string difference = fixture_->disagreement(searcher);                                                         \
        QVERIFY2(difference.empty(), difference.c_str());                                                                        \
    } while (false)

/// About the deviation of the cosines of directions drawn by chance: 1/√kDim.
inline constexpr float kByChance = 0.1768f;
inline constexpr index::QueryBackground kBackground{{0.2f * kByChance, -0.3f * kByChance}, {1.1f * kByChance, 0.8f * kByChance}};

/// A library in a folder of its own and its reference, the same at every start.
class SearchFixture {
public:
    std::filesystem::path folder() const { return temporary_.path().toStdString() + "/library"; }
    std::string beside(const std::string& name) const { return temporary_.path().toStdString() + "/" + name; }
    index::Library writer() const;
    void put(index::Library& library, const index::FileEntry& entry);
    /// About `moments` moments in images, videos and sounds.
    void fill(index::Library& library, int moments, const std::string& prefix = "/m/");
    index::Query query(int k = 10, bool all = true);
    /// The vector that is `cosine` near to the query, the rest in a random direction.
    std::vector<float> near(const index::Query& query, double cosine);
    /// Three searches against the reference; empty where all agree.
    std::string disagreement(index::Searcher& searcher, int k = 20);

    std::mt19937 random{11};
    Reference reference;

private:
    QTemporaryDir temporary_;
};

}  // namespace imprint::test
