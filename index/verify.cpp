// SPDX-License-Identifier: Apache-2.0
// The catalog's findings, then each snapshot row by row against the catalog.
#include "index/verify.h"

#include <algorithm>
#include <map>
#include <random>

#include "index/findings.h"
#include "index/library_impl.h"
#include "index/snapshot_check.h"

namespace imprint::index {
namespace {

/// The lines of some findings, at most twenty of a kind of fault.
std::vector<std::string> lines(const std::vector<Finding>& findings)
{
    constexpr int kShown = 20;
    std::map<std::string, int> told;
    std::vector<std::string> lines;
    for (const Finding& finding : findings)
        if (++told[finding.text.substr(0, finding.text.find(", file"))] <= kShown)
            lines.push_back(finding.text);
    for (const auto& [fault, count] : told)
        if (count > kShown)
            lines.push_back(fault + ": " + std::to_string(count - kShown) + " more");
    return lines;
}

std::vector<Finding> all_findings(const Catalog& catalog, const CancelToken& cancel)
{
    std::vector<Finding> found = structure_findings(catalog, cancel);
    return found.empty() ? content_findings(catalog, cancel) : found;
}

}  // namespace

std::vector<std::string> Library::check() const { return lines(all_findings(impl_->catalog, {})); }

Verdict verify(const std::filesystem::path& folder, const CancelToken& cancel)
{
    Verdict verdict;
    const Library library(folder, OpenMode::ReadOnly);
    const Catalog catalog(library.folder(), OpenMode::ReadOnly);
    verdict.problems = lines(all_findings(catalog, cancel));
    verdict.bytes = catalog.bytes();
    if (!verdict.problems.empty())
        return verdict;
    verdict.counts = library.counts();
    for (const SnapshotState& snapshot : check_snapshots(catalog, cancel)) {
        if (snapshot.fault.empty())
            ++verdict.snapshots;
        else
            verdict.problems.push_back("vector index " + snapshot.file.filename().native() + ": " + snapshot.fault);
    }
    return verdict;
}

}  // namespace imprint::index
