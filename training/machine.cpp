// SPDX-License-Identifier: Apache-2.0
#include "training/machine.h"

#include <dlfcn.h>

#include "core/base/error.h"
#include "core/base/processor.h"
#include "core/media/decoder.h"

namespace imprint::training {
namespace {

nlohmann::json decoders()
{
    try {
        return media::decoder_versions();
    } catch (const Error&) {
        return nullptr;  // a run on features that are cached decodes nothing
    }
}

}  // namespace

nlohmann::json machine_facts()
{
    // The executable's own answer where it has one, else the library's.
    const auto intel = reinterpret_cast<int (*)()>(::dlsym(RTLD_DEFAULT, "mkl_serv_intel_cpu_true"));
    return {{"processor", processor_name()},
            {"mkl_takes_intels_path", intel ? nlohmann::json(intel() != 0) : nlohmann::json()},
            {"decoders", decoders()}};
}

}  // namespace imprint::training
