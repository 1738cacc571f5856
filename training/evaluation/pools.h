// SPDX-License-Identifier: Apache-2.0
// The test pools of a corpus folder and the teacher's vectors of their labels, as training/corpus/ writes them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/model/safetensors.h"

namespace imprint::evaluation
{

/// One picture or sound of a pool. A field that a pool's lines lack is empty.
struct Item {
    std::filesystem::path file; ///< absolute
    std::string name; ///< what a search over file names sees
    std::string label, raw; ///< the query that it answers; the label as its source wrote it
    int text = -1, raw_text = -1; ///< lines of texts.txt
    std::string split; ///< "dev" (for choosing) or "report"
    std::string source;
    std::optional<bool> sight, names_a_sound;
    /// Whether a training item of its kind bears its label; empty for pools of a source that nothing was learned from, and where
    /// the corpus has no items.jsonl.
    std::optional<bool> label_learned;
};

enum class PoolMedia { Picture, Sound };

struct Pool {
    std::string name;
    PoolMedia media = PoolMedia::Picture;
    std::vector<Item> items;
};

/// One query per distinct label, in the labels' order, and the items that answer it.
struct Queries {
    std::vector<std::string> labels;
    std::vector<int> texts; ///< lines of texts.txt; -1 where the pool names none
    std::vector<std::vector<int>> relevant; ///< indices into Pool::items, ascending
};

/// Part of the queries: those with at least one relevant item for which the rule holds.
struct Group {
    std::string name;
    std::vector<int> queries;
};

/// `$XDG_CACHE_HOME/imprint/corpus`, else `~/.cache/imprint/corpus`.
std::filesystem::path default_corpus();

/// The pools that the corpus knows, in the order in which they are reported.
const std::vector<std::string>& pool_names();

/// Reads `pools/<name>.jsonl`. Error(NotFound) without the file, Error(Malformed) naming file and line,
/// Error(Usage) for a name that is none of pool_names().
Pool read_pool(const std::filesystem::path& corpus, const std::string& name);

/// `raw`: by the labels as their source wrote them.
Queries queries_of(const Pool& pool, bool raw = false);
/// "all", and as far as the items have the fields: "report", "dev", each of sights, other things and named sounds among the report
/// queries, and those whose label training items bear or do not.
std::vector<Group> groups_of(const Pool& pool, const Queries& queries);

/// The sentence encoder's vectors of texts.txt, computed when the corpus was prepared.
class Teacher
{
public:
    /// Error(NotFound) or Error(Malformed).
    explicit Teacher(const std::filesystem::path& corpus);

    int dim() const { return dim_; }
    /// The vector of a line minus the mean of all lemmas, at unit length. Error(Malformed) for a line that is not
    /// there.
    std::vector<float> centred(int line) const;

private:
    model::SafetensorsFile file_;
    const model::TensorView* vectors_;
    std::vector<float> lemma_mean_;
    int dim_ = 0;
};

} // namespace imprint::evaluation
