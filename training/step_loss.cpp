// SPDX-License-Identifier: Apache-2.0
#include "training/step_loss.h"

#include <ATen/ATen.h>

namespace imprint::training {

void StepLoss::add_use(const RouterUse& use)
{
    expert_use = use.expert_use();
    for (const auto& [figure, value] : use.figures())
        figures[figure] = at::scalar_tensor(value);
}

}  // namespace imprint::training
