// SPDX-License-Identifier: Apache-2.0
// The CUDA bodies of the operators: tensors in, launchers called on the current stream. Each function adds an operator's
// bodies to a library of registrations; the product gives one for CUDA, the tests' CPU device its own.
#pragma once

#include <torch/library.h>

#include "kernels/cuda_namespace.h"

namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE {

void register_contrastive(torch::Library& library);
void register_depthwise_conv(torch::Library& library);
void register_dispatch(torch::Library& library);
void register_layer_norm(torch::Library& library);
void register_log_mel(torch::Library& library);
void register_patchify(torch::Library& library);
void register_routing(torch::Library& library);

}  // namespace imprint::kernels::IMPRINT_CUDA_NAMESPACE
