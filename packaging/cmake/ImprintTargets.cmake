# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled: warnings, linker, compiler cache, and the two helpers the folders use.

find_program(IMPRINT_CCACHE ccache)
if(IMPRINT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${IMPRINT_CCACHE})
endif()
find_program(IMPRINT_MOLD mold)
if(IMPRINT_MOLD)
    add_link_options(-fuse-ld=mold)
endif()
if(IMPRINT_SANITIZE)
    add_compile_options(-fsanitize=${IMPRINT_SANITIZE} -fno-omit-frame-pointer -g)
    add_link_options(-fsanitize=${IMPRINT_SANITIZE})
endif()
if(IMPRINT_FUZZ) # every unit counts the branches that an input takes
    add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
endif()

add_library(imprint_options INTERFACE)
target_compile_options(imprint_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>")
target_include_directories(imprint_options INTERFACE ${PROJECT_SOURCE_DIR})

# imprint_library(NAME SOURCES file… LIBS target…): a static library of one floor.
function(imprint_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC imprint_options ${ARG_LIBS})
endfunction()
