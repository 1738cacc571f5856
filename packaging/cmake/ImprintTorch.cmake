# SPDX-License-Identifier: Apache-2.0
# Torch::cpu: the CPU half of the pinned torch wheel. The stock find_package(Torch) probes the GPU at configure time and
# links libtorch.so, which needs the CUDA libraries; these two shared objects do not.

if(NOT IMPRINT_TORCH_DIR)
    set(cache_home "$ENV{XDG_CACHE_HOME}")
    if(NOT cache_home)
        set(cache_home "$ENV{HOME}/.cache")
    endif()
    file(GLOB found "${cache_home}/imprint/torch-2.11.0/lib/python3*/site-packages/torch")
    if(NOT found)
        message(FATAL_ERROR "LibTorch was not found. Run packaging/run.sh once, or pass -DIMPRINT_TORCH_DIR=<…/site-packages/torch>.")
    endif()
    list(GET found 0 IMPRINT_TORCH_DIR)
    set(IMPRINT_TORCH_DIR "${IMPRINT_TORCH_DIR}" CACHE PATH "" FORCE)
endif()

foreach(part torch_cpu c10)
    if(NOT EXISTS "${IMPRINT_TORCH_DIR}/lib/lib${part}.so")
        message(FATAL_ERROR "${IMPRINT_TORCH_DIR}/lib/lib${part}.so is missing: IMPRINT_TORCH_DIR does not hold torch 2.11.0.")
    endif()
    add_library(imprint_${part} SHARED IMPORTED)
    set_target_properties(imprint_${part} PROPERTIES IMPORTED_LOCATION "${IMPRINT_TORCH_DIR}/lib/lib${part}.so")
endforeach()

add_library(imprint_torch_cpu_all INTERFACE)
target_include_directories(imprint_torch_cpu_all SYSTEM INTERFACE
    "${IMPRINT_TORCH_DIR}/include" "${IMPRINT_TORCH_DIR}/include/torch/csrc/api/include")
target_compile_definitions(imprint_torch_cpu_all INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)
target_link_libraries(imprint_torch_cpu_all INTERFACE imprint_torch_cpu imprint_c10)
add_library(Torch::cpu ALIAS imprint_torch_cpu_all)

# ATen costs ten seconds a unit: one precompiled header serves every target that sees tensors.
function(imprint_use_aten target)
    target_link_libraries(${target} PUBLIC Torch::cpu)
    if(NOT TARGET imprint_aten_pch)
        file(WRITE ${CMAKE_BINARY_DIR}/aten_pch.cpp "")
        add_library(imprint_aten_pch OBJECT ${CMAKE_BINARY_DIR}/aten_pch.cpp)
        target_link_libraries(imprint_aten_pch PUBLIC imprint_options Torch::cpu)
        target_precompile_headers(imprint_aten_pch PRIVATE <ATen/ATen.h> <functional> <map> <string> <vector>)
    endif()
    target_precompile_headers(${target} REUSE_FROM imprint_aten_pch)
endfunction()
