// SPDX-License-Identifier: Apache-2.0
// The paper's networks and our own by name. Free of torch.
#pragma once

#include <string>
#include <vector>

#include "core/model/config.h"

namespace imprint::model {

/// Names of all configurations: "imprint-small" (ours), and with the paper's values of imp_method.md section 1.7
///
/// | name | encoder parameters | of which a token meets |
/// |---|---|---|
/// | imp-s, imp-b, imp-m, imp-l | 21.2 M, 84,954,624, 151 M, 302 M | all |
/// | imp-xl, imp-xxl, imp-h, imp-xh | 529 M, 705 M, 1.11 G, 1.61 G | all |
/// | imp-moe-s, imp-moe-b, imp-moe-l | 42.5 M, 509.7 M, 1057 M | 21.3 M, 85.0 M, 302.1 M |
std::vector<std::string> config_names();

/// A configuration by its name; Error(Usage) lists the names where it is none of them.
///
/// The paper's ("parity") differ from ours in: patches instead of the hybrid stem; disjoint space of 1024; routing in groups
/// across the batch with no least capacity; QK norm in sparse models only; temperatures from 0.2 (dense) or 1.0 (sparse);
/// hop 1024 and positions by share, unstandardised; text tables of 32,100 pieces and 4096 places, unscaled; a waveform.
ModelConfig named_config(const std::string& name);

}  // namespace imprint::model
