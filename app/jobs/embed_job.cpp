// SPDX-License-Identifier: Apache-2.0
// One file embedded as the indexer would.
#include "app/jobs/batcher.h"
#include "app/jobs/extract.h"
#include "app/jobs/jobs.h"
#include "app/jobs/scan.h"

namespace imprint::jobs {

EmbeddedFile embed_file(Engine& engine, const std::filesystem::path& file, std::optional<double> from, std::optional<double> to,
                        const CancelToken& cancel)
{
    Encoder& encoder = engine.encoder();
    media::Decoder& decoder = engine.decoder();
    const std::filesystem::path path = catalog_path(file);

    EmbeddedFile result;
    result.probe = decoder.probe(path, cancel);
    result.vectors.dim = encoder.dim();
    std::optional<Window> span;
    if (from || to) {
        span = Window{from.value_or(0), to.value_or(result.probe.duration)};
        if (span->start < 0 || span->end <= span->start)
            throw Error(ErrorKind::Usage, file.native(), "the span ends before it begins", "Write it as FROM-TO in seconds");
    }
    Batcher batcher(encoder);
    const Intake intake(encoder);
    const auto dim = static_cast<size_t>(encoder.dim());
    extract(
        decoder, path, result.probe, intake, span,
        [&](const index::Moment& moment, Input input) {
            const size_t slot = result.moments.size();
            result.moments.push_back(moment);
            result.vectors.values.resize((slot + 1) * dim);
            batcher.add(std::move(input), [&result, slot, dim](std::span<const float> vector) {
                std::copy(vector.begin(), vector.end(), result.vectors.values.begin() + static_cast<std::ptrdiff_t>(slot * dim));
            });
        },
        cancel);
    batcher.flush();
    return result;
}

}  // namespace imprint::jobs
