// SPDX-License-Identifier: Apache-2.0
// Where a network computes, and in which numbers.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace imprint::model {

/// "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:N". `subject` names who asked ("recipe.toml: device").
/// Error(Unsupported) for a GPU that this program or machine has not, Error(Usage) for what is no device.
c10::Device choose_device(const std::string& name, const std::string& subject);

/// The type of products: "fp32", "bf16" or "auto", which is bf16 on a GPU and on a processor that multiplies it natively.
/// Error(Usage) for another word.
c10::ScalarType choose_precision(const std::string& name, c10::Device device, const std::string& subject);

}  // namespace imprint::model
