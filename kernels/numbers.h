// SPDX-License-Identifier: Apache-2.0
// In which precision the CPU bodies sum values of a type.
#pragma once

#include <c10/util/BFloat16.h>

#include <type_traits>

namespace imprint::kernels {

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

}  // namespace imprint::kernels
