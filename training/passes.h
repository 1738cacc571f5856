// SPDX-License-Identifier: Apache-2.0
// The passes of one optimiser step through the encoder: forwards and backwards on several lanes and ranks at once, while the
// loss sees the whole batch. (Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup":
// the loss's gradient at the vectors is all that a pass needs to go backwards.)
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/model/lanes.h"
#include "core/model/network.h"
#include "training/distributed/gradient_sum.h"
#include "training/router_use.h"

namespace imprint::training {

/// What one pass gives: rows that record gradients, and what its routers have to say (nothing in a dense model).
struct PassOutput {
    at::Tensor rows;                              ///< [items, columns]
    at::Tensor z_loss;                            ///< scalar
    std::vector<model::RouterProbe> probes = {};  ///< where the network is probing
};

/// One pass: items of one modality and one token count.
struct Pass {
    int64_t tokens = 0;  ///< in all its items: what it costs
    int64_t rows = 0;    ///< its items
    double share = 1;    ///< of the list's items: how much its mean z-loss counts
    /// The same rows however often it is called: what is drawn at random is drawn before.
    std::function<PassOutput(const model::Network&)> forward;
};

/// Passes whose rows belong together. With several ranks each holds its own part of them, and all know whose is what.
class PassList {
public:
    /// Which of the ranks holds this list.
    struct Share {
        int rank = 0, world = 1;
        /// Where the part of `rank` begins among `count` members; for `world` their number.
        int64_t begin(int64_t count, int of_rank) const { return count * of_rank / world; }
    };
    PassList() : PassList(Share{}) { }
    explicit PassList(const Share& share) : share_(share), places_(static_cast<size_t>(share.world)) { }

    /// Cuts `members` (items that can go through together, `tokens` each) into passes of at most `most_tokens`, or of one
    /// item, and into equally many for each rank: rank r takes those from Share::begin(n, r) to before Share::begin(n, r + 1).
    /// `forward` makes the work of one part, and is called for this rank's parts alone: what it draws at random must not depend
    /// on how often that is.
    using Part = std::vector<int64_t>;
    void add(const Part& members, int64_t tokens, int64_t most_tokens, size_t items,
             const std::function<std::function<PassOutput(const model::Network&)>(const Part&)>& forward);

    /// All rows, one pass after the other on the calling thread. [items, columns]. Only of a list that one rank holds whole.
    at::Tensor run(const model::Network& network) const;

    const std::vector<Pass>& passes() const { return passes_; }  ///< of this rank
    /// [items] int64: item i's row among the passes' rows put one after the other, rank after rank.
    at::Tensor order() const;
    std::vector<int64_t> rows_by_rank() const;
    int64_t tokens() const { return tokens_; }  ///< of all ranks' passes

private:
    Share share_;
    int64_t tokens_ = 0;
    std::vector<Pass> passes_;
    std::vector<std::vector<int64_t>> places_;  // by rank: items in the order of its passes' rows
};

/// One step's passes. Used once: add, forward, rows, backward.
class Passes {
public:
    struct Options {
        model::Precision precision;
        /// Passes go forwards twice: first without a graph, then each again just before it goes backwards. Memory is then that of
        /// one pass a lane and of the rows, whatever the batch, for a third more time; negatives are those of the whole batch.
        bool recompute = false;
        bool recompute_blocks = false;  ///< within a pass: Network::set_recomputing()
        const Ranks* ranks = nullptr;   ///< who share the passes; none: alone
    };

    /// One network per lane, each with leaves of its own over the same weights, so that lanes never add into one tensor.
    class Replicas {
    public:
        Replicas(const model::ModelConfig& config, const model::Parameters& parameters, const Options& options,
                 const model::Lanes& lanes);
        ~Replicas();

        PassList::Share share() const;
        /// The trainable parameters in the order in which a backward pass is done with them: what a GradientSum is made of.
        std::vector<at::Tensor> parameters() const;

    private:
        friend class Passes;
        struct Leaves {
            at::Tensor parameter;
            std::vector<at::Tensor> lanes;  // its leaf in each lane
        };
        class Finish;  // notices which gradients of a backward pass are final

        const model::Lanes& lanes_;
        Options options_;
        std::vector<model::Network> networks_;
        std::vector<Leaves> leaves_;
        std::unique_ptr<Finish> finish_;
    };

    explicit Passes(Replicas& replicas) : replicas_(replicas) { }

    /// For the lists that are added: which part this rank holds.
    PassList::Share share() const { return replicas_.share(); }
    /// Returns the list's number.
    size_t add(PassList list);
    /// forward() tells `use`, which must live until then, what this rank's routers do.
    void watch(RouterUse* use) { use_ = use; }
    void forward();
    /// A leaf that records gradients: what the loss is made of. [items, columns], the items of all ranks.
    const at::Tensor& rows(size_t list) const { return leaves_[list]; }
    /// Sum over all passes of share × z-loss; 0 in a dense model.
    double z_loss() const { return z_loss_; }
    int64_t tokens() const;  ///< of all passes
    /// Time spent in forward() and backward() so far: a step's compute, but for the loss and the optimiser.
    double seconds() const { return seconds_; }
    /// Goes backwards from a loss made of rows() and from z_weight × z-loss; adds into the parameters' gradients, lane after
    /// lane. `sum`, begun, is told of each gradient once it is final: for the last backward pass of a step. The loss must be the
    /// same on all ranks; what it makes of parameters themselves (a temperature) counts once.
    void backward(const at::Tensor& loss, double z_weight, GradientSum* sum = nullptr);

private:
    struct Place {
        size_t list, pass, lane;
        PassOutput output;
    };
    void spread();
    void backward_of_loss(const at::Tensor& loss);
    std::vector<at::Tensor> gradients_of_rows() const;
    at::Tensor gathered(const std::vector<at::Tensor>& rows, const PassList& list) const;

    Replicas& replicas_;
    std::vector<PassList> lists_;
    std::vector<at::Tensor> leaves_;
    std::vector<Place> work_;
    RouterUse* use_ = nullptr;
    double z_loss_ = 0, seconds_ = 0;
};

}  // namespace imprint::training
