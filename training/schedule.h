// SPDX-License-Identifier: Apache-2.0
// The learning rate of a step: a falling pre-warm-up, a rising warm-up, a cosine. imp_method.md section 5.
#pragma once

#include <cstdint>

namespace imprint::training {

/// All lengths in steps. The cosine runs over `steps` − `warmup` steps and begins after both warm-ups, so with a pre-warm-up
/// its end lies `pre_warmup` steps past `steps`, as in the released code; from there on the rate stays at `last`.
struct Schedule {
    int64_t steps = 0;
    int64_t pre_warmup = 0;      ///< 0: none
    double pre_warmup_from = 0;  ///< falls in a straight line from here to `warmup_from`
    int64_t warmup = 0;          ///< 0: starts at `peak`
    double warmup_from = 0;      ///< rises in a straight line from here to `peak`
    double peak = 1e-3;
    double last = 0;

    /// A pure function of the step, from 0.
    double rate(int64_t step) const;
    /// Error(Usage), naming the field: negative or not finite values, a warm-up that leaves no step for the cosine.
    void check() const;
};

}  // namespace imprint::training
