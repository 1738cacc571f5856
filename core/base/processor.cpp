// SPDX-License-Identifier: Apache-2.0
#include "core/base/processor.h"

#include <algorithm>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace imprint {

bool multiplies_bf16()
{
#if defined(__x86_64__)
    // Intel's manual, CPUID leaf 7: AVX512_BF16 is bit 5 of EAX in sub-leaf 1, AMX-BF16 bit 22 of EDX in sub-leaf 0.
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1))
        return true;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1);
#else
    return false;
#endif
}

std::string processor_name()
{
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("model name"))
            return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
}

}  // namespace imprint
