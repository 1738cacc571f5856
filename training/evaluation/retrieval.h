// SPDX-License-Identifier: Apache-2.0
// Retrieval between two modalities where a sample has several instances: captions of a picture, clips of a video.
// imp_method.md section 7; the same figures as the released code (imp/max/evaluation/metrics.py).
#pragma once

#include <span>
#include <vector>

namespace imprint::evaluation {

/// Vectors of `samples` × `instances` × `dim`, row-major; of any length, they are brought to unit length where they are compared.
struct InstanceVectors {
    int samples = 0, instances = 1, dim = 0;
    std::vector<float> values;

    std::span<const float> row(int sample, int instance) const
    {
        return {values.data() + (static_cast<size_t>(sample) * instances + instance) * dim, static_cast<size_t>(dim)};
    }
};

/// What a rank among several instances of a key is. Boundary: all instances of all keys are ranked together, and the first own
/// one counts. Best: the samples are ranked once by each instance slot, and the lowest of these ranks counts.
enum class Instances { Boundary, Best };

/// The rank, from 0, of each query instance's own sample among the keys, in the order of `queries`. Both sides hold the same
/// samples in the same order. By cosine; of equal scores the earlier key comes first. Costs queries × keys × dim products.
std::vector<int> retrieval_ranks(const InstanceVectors& queries, const InstanceVectors& keys, Instances how);

/// Shares of ranks below 1, 5, 10, and the median rank counted from 1.
struct Recalls {
    double r1 = 0, r5 = 0, r10 = 0, median_rank = 0;
};
Recalls recalls(std::span<const int> ranks);

struct RetrievalFigures {
    Recalls forwards, backwards;  ///< a asks for b, b asks for a
};
RetrievalFigures retrieval(const InstanceVectors& a, const InstanceVectors& b, Instances how);

/// One vector a sample: the mean of its instances as they are, before anything is brought to unit length. For the clips of a
/// video.
InstanceVectors averaged(const InstanceVectors& vectors);

}  // namespace imprint::evaluation
