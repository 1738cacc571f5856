// SPDX-License-Identifier: Apache-2.0
// The CPU body of log_mel after its transform, over plain memory. T is float or double; any thread.
#pragma once

#include "kernels/shapes.h"

namespace imprint::kernels {

/// spectrum [frames, bins, 2] (real, imaginary) → result [frames, bands], for frames [first_frame, last_frame).
template <class T>
void mel_frames(const MelShape& shape, const T* spectrum, const int64_t* first, const int64_t* offsets, const float* weights,
                T* result, int64_t first_frame, int64_t last_frame);

}  // namespace imprint::kernels
