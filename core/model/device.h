// SPDX-License-Identifier: Apache-2.0
// Where a network computes.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace imprint::model {

/// "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:N". `subject` names who asked ("recipe.toml: device").
/// Error(Unsupported) for a GPU that this program or machine has not, Error(Usage) for what is no device.
c10::Device choose_device(const std::string& name, const std::string& subject);

}  // namespace imprint::model
