// SPDX-License-Identifier: Apache-2.0
// What a run's last bits depend on beside the recipe: the machine it runs on.
#pragma once

#include <nlohmann/json.hpp>

namespace imprint::training {

/// {"processor", "mkl_takes_intels_path", "decoders"}: MKL computes otherwise on processors that it does not take for Intel's, and
/// a program may tell it so; decoders round as their version does (null where there is no decoder).
nlohmann::json machine_facts();

}  // namespace imprint::training
