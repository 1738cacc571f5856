// SPDX-License-Identifier: Apache-2.0
// Searching many moments: our exact scan and inverted file, against FAISS's kinds of index and against a product in bf16, on
// the same rows in the same run. Prints one JSON document.
//
//   bench_search [ROWS [QUERIES]]      1,000,000 and 40; ten moments a file
//
// The rows have 384 dimensions and live near a thirtieth of them, as those of a trained encoder do: a mixture of 4,000
// clusters in a random subspace of 48, with noise in all. Exit: 0 within the aims, 1 not, 3 cannot.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexScalarQuantizer.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/base/error.h"
#include "index/calibration.h"
#include "index/half.h"
#include "index/vector_index.h"

namespace {

using namespace imprint;
using namespace imprint::index;

constexpr int kDim = 384, kPerFile = 10, kK = 10;
constexpr double kAtMost = 1.2, kRecall = 0.95;

double milliseconds(const std::function<void()>& f)
{
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Unit rows of the mixture, as half floats; the same for the same seed.
class Mixture {
public:
    Mixture()
    {
        at::manual_seed(7);
        basis_ = at::randn({kSub, kDim});
        centres_ = at::randn({kClusters, kSub});
    }
    at::Tensor rows(int64_t count)
    {
        const at::Tensor of = at::randint(kClusters, {count}, at::kLong);
        const at::Tensor inside = centres_.index_select(0, of) + 0.6 * at::randn({count, kSub});
        const at::Tensor rows =
            at::matmul(inside, basis_) / std::sqrt(static_cast<double>(kSub)) + 0.3 * at::randn({count, kDim});
        return rows / rows.norm(2, {-1}, true);
    }

private:
    static constexpr int64_t kClusters = 4000, kSub = 48;
    at::Tensor basis_, centres_;
};

struct Answer {
    std::string name;
    double ms = 0, recall = 0, bytes_per_row = 0;
};

}  // namespace

int main(int argc, char** argv)
{
    try {
        const int64_t count = argc > 1 ? std::stoll(argv[1]) : 1'000'000;
        const int queries = argc > 2 ? std::stoi(argv[2]) : 40;
        Mixture mixture;
        VectorIndex ours(kDim);
        at::Tensor standardised = at::empty({count, kDim + 1});  // what FAISS holds: the score as one product
        std::normal_distribution<float> normal;
        std::mt19937 random(3);
        for (int64_t first = 0; first < count; first += kPerFile * 1000) {
            const int64_t now = std::min<int64_t>(kPerFile * 1000, count - first);
            const at::Tensor rows = mixture.rows(now).contiguous();
            std::vector<uint16_t> halves(static_cast<size_t>(now * kDim));
            std::vector<float> stats;
            for (int64_t i = 0; i < now * kDim; ++i)
                halves[static_cast<size_t>(i)] = to_half(rows.const_data_ptr<float>()[i]);
            for (int64_t i = 0; i < now; ++i) {
                const float mean = 0.03f * normal(random), deviation = 0.09f * std::exp(0.1f * normal(random));
                stats.insert(stats.end(), {mean, deviation});
                float* row = standardised.mutable_data_ptr<float>() + (first + i) * (kDim + 1);
                for (int64_t d = 0; d < kDim; ++d)
                    row[d] = from_half(halves[static_cast<size_t>(i * kDim + d)]);
                row[kDim] = bank_score(0, mean);
            }
            for (int64_t i = 0; i < now; i += kPerFile) {
                const auto at = static_cast<size_t>(i);
                const auto some = static_cast<size_t>(std::min<int64_t>(kPerFile, now - i));
                ours.put((first + i) / kPerFile, Modality::Picture, std::span(halves).subspan(at * kDim, some * kDim),
                         std::span(stats).subspan(2 * at, 2 * some));
            }
        }
        at::Tensor asked = at::cat({mixture.rows(queries), at::ones({queries, 1})}, 1).contiguous();
        const auto query = [&](int i) {
            return std::span<const float>(asked.const_data_ptr<float>() + i * (kDim + 1), static_cast<size_t>(kDim) + 1);
        };

        // The best files, exactly, in fp32.
        std::vector<std::set<int64_t>> truth;
        const auto files_of = [](std::vector<std::pair<float, int64_t>> rows) {
            std::sort(rows.begin(), rows.end(), std::greater<>());
            std::set<int64_t> files;
            for (const auto& [score, row] : rows)
                if (files.size() < kK)
                    files.insert(row / kPerFile);
            return files;
        };
        for (int i = 0; i < queries; ++i) {
            const at::Tensor scores = at::mv(standardised, asked[i]);
            const auto [values, rows] = scores.topk(kK * kPerFile);
            std::vector<std::pair<float, int64_t>> best;
            for (int64_t j = 0; j < values.size(0); ++j)
                best.emplace_back(values[j].item<float>(), rows[j].item<int64_t>());
            truth.push_back(files_of(best));
        }
        std::vector<Answer> answers;
        const auto measure = [&](const std::string& name, double bytes, const std::function<std::set<int64_t>(int)>& search) {
            Answer answer{name, 0, 0, bytes};
            std::vector<double> times;
            search(0);
            for (int i = 0; i < queries; ++i) {
                std::set<int64_t> files;
                times.push_back(milliseconds([&] { files = search(i); }));
                for (const int64_t file : files)
                    answer.recall += truth[static_cast<size_t>(i)].contains(file) ? 1.0 / (kK * queries) : 0;
            }
            answer.ms = median(times);
            answers.push_back(answer);
            std::fprintf(stderr, "%-40s %8.2f ms  recall@10 %.3f  %6.0f bytes a row\n", name.c_str(), answer.ms, answer.recall,
                         bytes);
        };
        const auto by_ours = [&](bool exact) {
            return [&, exact](int i) {
                std::set<int64_t> files;
                for (const VectorIndex::Found& found : ours.search(Modality::Picture, query(i), kK, {}, exact))
                    files.insert(found.file);
                return files;
            };
        };
        const auto by_faiss = [&](const faiss::Index& index) {
            return [&](int i) {
                std::vector<float> scores(kK * kPerFile);
                std::vector<faiss::Index::idx_t> rows(kK * kPerFile);
                index.search(1, query(i).data(), kK * kPerFile, scores.data(), rows.data());
                std::vector<std::pair<float, int64_t>> best;
                for (size_t j = 0; j < rows.size(); ++j)
                    if (rows[j] >= 0)
                        best.emplace_back(scores[j], rows[j]);
                return files_of(best);
            };
        };

        measure("ours, exact", static_cast<double>(ours.bytes()) / static_cast<double>(count), by_ours(true));
        {
            const at::Tensor rows = standardised.to(at::kBFloat16);
            measure("product in bf16 (at::mv), best by topk", 2.0 * (kDim + 1), [&](int i) {
                const auto [values, best] = at::mv(rows, asked[i].to(at::kBFloat16)).topk(kK * kPerFile);
                const at::Tensor scores = values.to(at::kFloat);
                std::vector<std::pair<float, int64_t>> found;
                for (int64_t j = 0; j < scores.size(0); ++j)
                    found.emplace_back(scores.const_data_ptr<float>()[j], best.const_data_ptr<int64_t>()[j]);
                return files_of(found);
            });
        }
        const float* values = standardised.const_data_ptr<float>();
        {
            faiss::IndexFlatIP flat(kDim + 1);
            flat.add(count, values);
            measure("FAISS Flat", 4.0 * (kDim + 1), by_faiss(flat));
        }
        {
            faiss::IndexScalarQuantizer half(kDim + 1, faiss::ScalarQuantizer::QT_fp16, faiss::METRIC_INNER_PRODUCT);
            half.add(count, values);
            measure("FAISS SQ fp16", 2.0 * (kDim + 1), by_faiss(half));
        }
        const double build_seconds =
            milliseconds([&] {
                auto coarse = Coarse::build(ours.rows(Modality::Picture), count, [] { return false; });
                Vectors probes{kDim, {}};
                const at::Tensor tuned = mixture.rows(64).contiguous();
                probes.values.assign(tuned.const_data_ptr<float>(), tuned.const_data_ptr<float>() + tuned.numel());
                coarse->tune(ours.rows(Modality::Picture), probes, [] { return false; });
                ours.adopt(Modality::Picture, std::move(coarse));
            })
            / 1000;
        const Coarse& coarse = *ours.coarse(Modality::Picture);
        measure("ours, inverted file", static_cast<double>(ours.bytes()) / static_cast<double>(count), by_ours(false));
        {
            faiss::IndexFlatL2 centres(kDim + 1);
            faiss::IndexIVFFlat inverted(&centres, kDim + 1, static_cast<size_t>(coarse.lists()), faiss::METRIC_INNER_PRODUCT);
            centres.add(coarse.lists(), coarse.centres().data());  // the same centres: only the searching is compared
            inverted.is_trained = true;
            inverted.add(count, values);
            inverted.nprobe = static_cast<size_t>(coarse.probes());
            measure("FAISS IVF, same centres and probes", 4.0 * (kDim + 1), by_faiss(inverted));
        }
        const auto of = [&](const std::string& name) {
            return *std::find_if(answers.begin(), answers.end(), [&](const Answer& a) { return a.name == name; });
        };
        double best_exact = 1e9, best_any = 1e9;
        for (const Answer& answer : answers)
            if (!answer.name.starts_with("ours") && answer.recall >= kRecall) {
                best_any = std::min(best_any, answer.ms);
                if (answer.name.find("IVF") == std::string::npos)
                    best_exact = std::min(best_exact, answer.ms);
            }
        nlohmann::ordered_json document{{"rows", count}, {"queries", queries}, {"threads", at::get_num_threads()}};
        for (const Answer& answer : answers)
            document["answers"].push_back(
                {{"name", answer.name}, {"ms", answer.ms}, {"recall", answer.recall}, {"bytes_per_row", answer.bytes_per_row}});
        document["exact_ratio"] = of("ours, exact").ms / best_exact;
        document["ratio"] = of("ours, inverted file").ms / best_any;
        document["ratio_at_most"] = kAtMost;
        document["recall"] = of("ours, inverted file").recall;
        document["recall_at_least"] = kRecall;
        document["lists"] = coarse.lists();
        document["probes"] = coarse.probes();
        document["recall_measured_when_built"] = coarse.recall();
        document["build_seconds"] = build_seconds;
        std::printf("%s\n", document.dump(2).c_str());
        return document["exact_ratio"] <= kAtMost && document["ratio"] <= kAtMost && document["recall"] >= kRecall ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_search: %s\n", error.what());
        return 3;
    }
}
