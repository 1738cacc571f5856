// SPDX-License-Identifier: Apache-2.0
// See coarse_builder.h.
#include "index/coarse_builder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace imprint::index {
namespace {

constexpr int kProbes = 64;

/// Every n-th of the questions, or of the rows.
Vectors some_questions(const Vectors& probes, const HalfRows& rows)
{
    Vectors questions{rows.dim(), {}};
    const bool given = probes.dim == rows.dim() && probes.count() > 0;
    const int64_t there = given ? probes.count() : rows.size(), wanted = std::min<int64_t>(there, kProbes);
    std::vector<float> row(static_cast<size_t>(rows.dim()) + 1);
    for (int64_t i = 0; i < wanted; ++i) {
        if (given) {
            questions.append(probes.row(static_cast<int>(i * there / wanted)));
            continue;
        }
        rows.standardised(i * there / wanted, row);
        const std::span<float> vector = std::span(row).first(row.size() - 1);
        const double length = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
        for (float& value : vector)
            value = static_cast<float>(value / std::max(length, 1e-12));
        questions.append(vector);
    }
    return questions;
}

}  // namespace

CoarseBuilder::CoarseBuilder(HalfRows rows, Modality modality, std::pair<int64_t, int64_t> edition, const Vectors& probes)
    : modality_(modality), edition_(edition), result_(promise_.get_future())
{
    thread_ = std::jthread([this, rows = std::move(rows), probes](const std::stop_token& stop) {
        try {
            const auto stopped = [&] { return stop.stop_requested(); };
            std::unique_ptr<Coarse> coarse = Coarse::build(rows, rows.size(), stopped);
            if (coarse && !coarse->tune(rows, some_questions(probes, rows), stopped))
                coarse.reset();
            promise_.set_value(std::move(coarse));
        } catch (...) {
            promise_.set_exception(std::current_exception());
        }
    });
}

CoarseBuilder::~CoarseBuilder() { thread_.request_stop(); }

bool CoarseBuilder::done() const { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

void CoarseBuilder::wait(const CancelToken& cancel) const
{
    while (result_.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready)
        cancel.check();
}

}  // namespace imprint::index
