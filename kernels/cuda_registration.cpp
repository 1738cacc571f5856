// SPDX-License-Identifier: Apache-2.0
// Joins the CUDA bodies to their operators; compiled in builds with CUDA alone.
#include "kernels/cuda_bodies.h"

/// Programs are linked with this name wanted (kernels/CMakeLists.txt): nothing else asks an archive for this file.
extern "C" void imprint_cuda_bodies() { }

TORCH_LIBRARY_IMPL(imprint, CUDA, library)
{
    using namespace imprint::kernels::cuda;
    register_contrastive(library);
    register_depthwise_conv(library);
    register_dispatch(library);
    register_layer_norm(library);
    register_log_mel(library);
    register_patchify(library);
    register_routing(library);
}
