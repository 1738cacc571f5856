// SPDX-License-Identifier: Apache-2.0
#include "training/mixture.h"

#include "training/corpus_mixture.h"
#include "training/data_mixture.h"

namespace imprint::training {

std::unique_ptr<Mixture> open_mixture(const Recipe& recipe, const MixtureOptions& options)
{
    if (!on_corpus(recipe.objectives.front().kind))
        return std::make_unique<DataMixture>(recipe, options);
    return std::make_unique<CorpusMixture>(recipe, options);
}

}  // namespace imprint::training
