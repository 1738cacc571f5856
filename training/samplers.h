// SPDX-License-Identifier: Apache-2.0
// Which entry of the mixture a step draws. imp_method.md section 3: the paper draws at random by weight, its released code
// walks the entries in rounds. Both here are pure functions of the step, so a resumed run needs no replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "training/draws.h"

namespace imprint::training {

/// Safe to call from any thread.
class Sampler {
public:
    virtual ~Sampler() = default;
    /// The entry that step `step`, from 0, draws: 0 … entries − 1.
    virtual size_t choose(int64_t step) const = 0;
    /// The share of the steps that each entry gets in the long run; sums to 1.
    virtual std::vector<double> shares() const = 0;
};

/// Draws each step on its own, in proportion to the weights. Error(Usage) unless all are finite, at least 0, and one is more.
class WeightedSampler final : public Sampler {
public:
    WeightedSampler(std::span<const double> weights, uint64_t seed);
    size_t choose(int64_t step) const override;
    std::vector<double> shares() const override { return shares_; }

private:
    std::vector<double> shares_;
    uint64_t seed_;
};

/// Rounds 1, 2, 3, …: in round r the entries whose interval divides r get one step each, in their order. A round in which no
/// interval divides takes no step. Each entry counts for itself (the released code counts by data set name, so two of its
/// loaders with one name share a counter). Error(Usage) unless there is an entry and all intervals are at least 1.
class IntervalSampler final : public Sampler {
public:
    explicit IntervalSampler(std::span<const int64_t> intervals);
    size_t choose(int64_t step) const override;
    std::vector<double> shares() const override;
    /// Steps that rounds 1 … `rounds` take together.
    int64_t steps_in(int64_t rounds) const;

private:
    std::vector<int64_t> intervals_;
};

/// Draws among items so that each label comes up as the square root of how many bear it (Mahajan et al. 2018): what there is much of
/// must not drown what there is once. Items of one label are equally likely.
class SquareRootSampler {
public:
    explicit SquareRootSampler(std::span<const std::string> labels);
    /// An index into the labels, of which there must be one at least.
    size_t choose(Draws& draws) const;

private:
    std::vector<double> up_to_;  // sums of the weights of the items up to each
};

/// The weights under which a weighted draw has, on average, the shares of the rounds: 1 / interval.
std::vector<double> weights_of(std::span<const int64_t> intervals);

}  // namespace imprint::training
