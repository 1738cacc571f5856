// SPDX-License-Identifier: Apache-2.0
#include "training/mixture.h"

#include "core/base/error.h"
#include "training/corpus_mixture.h"
#include "training/data_mixture.h"

namespace imprint::training {

std::unique_ptr<Mixture> open_mixture(const Recipe& recipe, const MixtureOptions& options)
{
    if (!on_corpus(recipe.objectives.front().kind))
        return std::make_unique<DataMixture>(recipe, options);
    if (!options.device.is_cpu())
        throw Error(ErrorKind::Unsupported, "device " + options.device.str(), "objectives over a corpus are trained on the CPU alone",
                    "Set device = \"cpu\"");
    return std::make_unique<CorpusMixture>(recipe, options);
}

}  // namespace imprint::training
