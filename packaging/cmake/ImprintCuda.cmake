# SPDX-License-Identifier: Apache-2.0
# CUDA as a language, for the architectures that the product is built for, and Torch::cuda: the CUDA half of the torch wheel.

set(IMPRINT_CUDA_ARCHITECTURES "80;89;90;120" CACHE STRING "What the CUDA bodies are compiled for")
set(CMAKE_CUDA_ARCHITECTURES ${IMPRINT_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(IMPRINT_NVCC nvcc PATHS /usr/local/cuda/bin REQUIRED)
    set(CMAKE_CUDA_COMPILER ${IMPRINT_NVCC})
endif()
enable_language(CUDA)
# CMake 3.25 does not know that nvcc 13 speaks C++20.
foreach(kind STANDARD EXTENSION)
    if(NOT DEFINED CMAKE_CUDA20_${kind}_COMPILE_OPTION)
        set(CMAKE_CUDA20_${kind}_COMPILE_OPTION "-std=c++20")
    endif()
endforeach()
set(CMAKE_CUDA_STANDARD 20)
find_package(CUDAToolkit REQUIRED)

foreach(part torch_cuda c10_cuda)
    if(NOT EXISTS "${IMPRINT_TORCH_DIR}/lib/lib${part}.so")
        message(FATAL_ERROR "${IMPRINT_TORCH_DIR}/lib/lib${part}.so is missing: IMPRINT_TORCH_DIR does not hold torch with CUDA.")
    endif()
    add_library(imprint_${part} SHARED IMPORTED)
    set_target_properties(imprint_${part} PROPERTIES IMPORTED_LOCATION "${IMPRINT_TORCH_DIR}/lib/lib${part}.so")
endforeach()
add_library(imprint_torch_cuda_all INTERFACE)
# Nothing names a symbol of torch_cuda: it registers itself when it is loaded. Never its driver stub, libcuda: a build
# with CUDA starts on a machine without a driver.
target_link_libraries(imprint_torch_cuda_all INTERFACE Torch::cpu imprint_c10_cuda CUDA::cudart
    -Wl,--push-state,--no-as-needed imprint_torch_cuda -Wl,--pop-state)
add_library(Torch::cuda ALIAS imprint_torch_cuda_all)
