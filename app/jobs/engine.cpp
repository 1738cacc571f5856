// SPDX-License-Identifier: Apache-2.0
// What every job needs, opened when first asked for, and where the shipped model is found.
#include <cstdlib>
#include <mutex>

#include "app/jobs/calibration_file.h"
#include "app/jobs/jobs.h"
#include "app/jobs/resources.h"
#include "app/jobs/scan.h"

namespace imprint::jobs {
namespace fs = std::filesystem;
namespace {

constexpr const char* kModelFile = "imprint-small.safetensors";

bool is_file(const fs::path& path)
{
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

/// The model that a library was switched to; empty where it uses the shipped one, or where there is no library.
fs::path checkpoint_of(const fs::path& library)
{
    try {
        return index::Library(library, index::OpenMode::ReadOnly).active_checkpoint();
    } catch (const Error&) {
        return {};  // none yet, or a damaged one: whoever needs the library itself says so
    }
}

}  // namespace

fs::path default_checkpoint()
{
    if (const char* named = std::getenv("IMPRINT_MODEL"); named && *named) {
        if (is_file(named))
            return named;
        throw Error(ErrorKind::NotFound, named, "the model named by IMPRINT_MODEL is missing",
                    "Set IMPRINT_MODEL to a checkpoint, or unset it to use the shipped model");
    }
    std::error_code failure;
    std::vector<fs::path> places;
    if (const fs::path program = fs::read_symlink("/proc/self/exe", failure); !failure) {
        const fs::path folder = program.parent_path();
        places.push_back((folder / "../../../resources/models" / kModelFile).lexically_normal());
        places.push_back((folder / "../share/imprint/models" / kModelFile).lexically_normal());
    }
    const fs::path source = fs::path(IMPRINT_SOURCE_MODELS) / kModelFile;
    if (places.empty() || places.front() != source)
        places.push_back(source);
    for (const fs::path& place : places)
        if (is_file(place))
            return place;
    std::string tried;
    for (const fs::path& place : places)
        tried += (tried.empty() ? "" : ", ") + place.string();
    throw Error(ErrorKind::NotFound, kModelFile, "the shipped model was not found (looked at " + tried + ")",
                "Name a checkpoint with --model or IMPRINT_MODEL");
}

class Engine::Impl {
public:
    explicit Impl(EngineOptions given) : options(std::move(given))
    {
        const fs::path named = options.library.empty() ? index::default_library_folder() : options.library;
        std::error_code failure;
        library = fs::weakly_canonical(fs::absolute(named), failure);
        if (failure)
            library = catalog_path(named);
    }

    EngineOptions options;
    fs::path library;
    std::mutex mutex;  // guards the four below; a failed opening is tried again by the next caller
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<media::Decoder> decoder;
    std::unique_ptr<Lexicon> lexicon;
    std::unique_ptr<index::BackgroundModel> background;
};

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) { }
Engine::~Engine() = default;

const EngineOptions& Engine::options() const { return impl_->options; }

const fs::path& Engine::library_folder() const { return impl_->library; }

fs::path Engine::checkpoint() const
{
    const fs::path& named = impl_->options.checkpoint;
    if (named.empty()) {
        const char* environment = std::getenv("IMPRINT_MODEL");
        const fs::path own = environment && *environment ? fs::path() : checkpoint_of(impl_->library);
        if (own.empty())
            return default_checkpoint();
        if (!is_file(own))
            throw Error(ErrorKind::NotFound, own.native(), "the model that this library uses is gone",
                        "Put it back, or choose another one with 'imprint model use'");
        return own;
    }
    if (!is_file(named))
        throw Error(ErrorKind::NotFound, named.native(), "there is no such model file",
                    "Name a *.safetensors checkpoint, or leave --model out to use the shipped one");
    return named;
}

Encoder& Engine::encoder()
{
    std::scoped_lock lock(impl_->mutex);
    if (!impl_->encoder)
        impl_->encoder = std::make_unique<Encoder>(checkpoint(), impl_->options.encoder);
    return *impl_->encoder;
}

media::Decoder& Engine::decoder()
{
    std::scoped_lock lock(impl_->mutex);
    if (!impl_->decoder)
        impl_->decoder = std::make_unique<media::Decoder>(impl_->options.decoder);
    return *impl_->decoder;
}

const Lexicon& Engine::lexicon()
{
    std::scoped_lock lock(impl_->mutex);
    if (!impl_->lexicon)
        impl_->lexicon = std::make_unique<Lexicon>(resource_folder("lexicon"));
    return *impl_->lexicon;
}

const index::BackgroundModel& Engine::background()
{
    const Encoder& model = encoder();
    std::scoped_lock lock(impl_->mutex);
    if (!impl_->background)
        impl_->background = std::make_unique<index::BackgroundModel>(model.text_bank(), model.background(Modality::Picture),
                                                                     model.background(Modality::Sound),
                                                                     read_calibration(checkpoint(), model.space()));
    return *impl_->background;
}

}  // namespace imprint::jobs
