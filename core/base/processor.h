// SPDX-License-Identifier: Apache-2.0
// What the processor can do that decides how we compute.
#pragma once

#include <string>

namespace imprint {

/// Whether bf16 products run on instructions of their own (AVX-512 BF16 or AMX). Elsewhere they are emulated and many times
/// slower than fp32.
bool multiplies_bf16();

/// As the system names its model; "unknown" where it does not.
std::string processor_name();

}  // namespace imprint
