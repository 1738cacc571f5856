// SPDX-License-Identifier: Apache-2.0
#include "training/mixture.h"

#include "training/corpus_mixture.h"

namespace imprint::training {

std::unique_ptr<Mixture> open_mixture(const Recipe& recipe, const MixtureOptions& options)
{
    return std::make_unique<CorpusMixture>(recipe, options);
}

}  // namespace imprint::training
