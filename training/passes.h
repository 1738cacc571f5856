// SPDX-License-Identifier: Apache-2.0
// The passes of one optimiser step through the encoder: forwards and backwards on several lanes at once, while the loss
// sees the whole batch. (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup":
// the loss's gradient at the vectors is all that a pass needs to go backwards.)
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "core/model/lanes.h"
#include "core/model/network.h"

namespace imprint::training {

/// What one pass gives: rows that record gradients, and the router's z-loss (undefined in a dense model).
struct PassOutput {
    at::Tensor rows;    ///< [items, columns]
    at::Tensor z_loss;  ///< scalar
};

/// One pass: items of one modality and one token count.
struct Pass {
    int64_t tokens = 0;  ///< in all its items: what it costs
    double share = 1;    ///< of the list's items: how much its mean z-loss counts
    std::function<PassOutput(const model::Network&)> forward;
};

/// Passes whose rows belong together.
class PassList {
public:
    /// Cuts `members` (items that can go through together, `tokens` each) into passes of at most `most_tokens`, or of one
    /// item; `forward` makes the work of one part.
    using Part = std::vector<int64_t>;
    void add(const Part& members, int64_t tokens, int64_t most_tokens, size_t items,
             const std::function<std::function<PassOutput(const model::Network&)>(const Part&)>& forward);

    /// All rows, one pass after the other on the calling thread. [items, columns]
    at::Tensor run(const model::Network& network) const;

    const std::vector<Pass>& passes() const { return passes_; }
    /// [items] int64: item i's row among the passes' rows put one after the other.
    at::Tensor order() const;

private:
    std::vector<Pass> passes_;
    std::vector<int64_t> places_;  // items in the order of the passes' rows
};

/// One step's passes. Used once: add, forward, rows, backward.
class Passes {
public:
    /// One network per lane, each with leaves of its own over the same weights, so that lanes never add into one tensor.
    class Replicas {
    public:
        Replicas(const model::ModelConfig& config, const model::Parameters& parameters, model::Precision precision,
                 const model::Lanes& lanes);

    private:
        friend class Passes;
        const model::Lanes& lanes_;
        std::vector<model::Network> networks_;
        std::vector<std::pair<at::Tensor, std::vector<at::Tensor>>> leaves_;  // a parameter, and its leaf in each lane
    };

    explicit Passes(Replicas& replicas) : replicas_(replicas) { }

    /// Returns the list's number.
    size_t add(PassList list);
    void forward();
    /// A leaf that records gradients: what the loss is made of. [items, columns]
    const at::Tensor& rows(size_t list) const { return leaves_[list]; }
    /// Sum over the passes of share × z-loss; 0 in a dense model.
    double z_loss() const { return z_loss_; }
    int64_t tokens() const;  ///< of all passes
    /// Goes backwards from a loss made of rows() and from z_weight × z-loss; adds into the parameters' gradients, lane after
    /// lane.
    void backward(const at::Tensor& loss, double z_weight);

private:
    struct Place {
        size_t list, pass, lane;
        PassOutput output;
    };
    void spread();

    Replicas& replicas_;
    std::vector<PassList> lists_;
    std::vector<at::Tensor> leaves_;
    std::vector<Place> work_;
    double z_loss_ = 0;
};

}  // namespace imprint::training
