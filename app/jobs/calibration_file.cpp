// SPDX-License-Identifier: Apache-2.0
// JSON, by hand readable.
#include "app/jobs/calibration_file.h"

#include <cerrno>
#include <cmath>
#include <fstream>

#include "app/jobs/path_json.h"
#include "core/base/error.h"
#include "core/encoder.h"

namespace imprint::jobs {
namespace {

constexpr Modality kModalities[] = {Modality::Picture, Modality::Sound};

index::Reliability reliability_of(const Json& fields, const std::string& file)
{
    const index::Reliability result{fields.at("maybe").get<float>(), fields.at("likely").get<float>(),
                                    fields.at("intercept").get<float>(), fields.at("slope").get<float>(),
                                    fields.value("rank_slope", 0.0f)};
    const bool usable = std::isfinite(result.maybe) && std::isfinite(result.likely) && std::isfinite(result.intercept)
        && result.likely > result.maybe && result.slope >= 0 && std::isfinite(result.slope) && result.rank_slope >= 0
        && std::isfinite(result.rank_slope);
    if (!usable)
        throw Error(ErrorKind::Malformed, file, "its numbers make no scale",
                    "Make it anew with 'imprint model calibrate', or delete it");
    return result;
}

}  // namespace

std::filesystem::path calibration_file(const std::filesystem::path& checkpoint)
{
    std::filesystem::path file = checkpoint;
    return file.replace_extension(".calibration.json");
}

index::Reliabilities read_calibration(const std::filesystem::path& checkpoint, const std::string& space)
{
    const std::filesystem::path file = calibration_file(checkpoint);
    std::ifstream in(file);
    if (!in)
        return {};
    try {
        const Json document = Json::parse(in);
        if (document.at("space").get<std::string>() != space)
            return {};
        index::Reliabilities result;
        // A file of before examples were told apart: their scores mean what those of words mean.
        const Json& examples = document.contains("by_example") ? document.at("by_example") : document;
        for (const Modality modality : kModalities) {
            const int m = static_cast<int>(modality);
            result.of[m] = reliability_of(document.at(modality_name(modality)), file.native());
            result.by_example[m] = reliability_of(examples.at(modality_name(modality)), file.native());
        }
        return result;
    } catch (const Json::exception& error) {
        throw Error(ErrorKind::Malformed, file.native(), error.what(),
                    "Make it anew with 'imprint model calibrate', or delete it");
    }
}

void write_calibration(const std::filesystem::path& checkpoint, const std::string& space, const index::Reliabilities& reliability,
                       const std::string& fitted_on)
{
    const auto rounded = [](float value) { return std::round(static_cast<double>(value) * 1e4) / 1e4; };
    Json document{{"space", space}, {"fitted_on", fitted_on}};
    const auto fields_of = [&](const index::Reliability& kind) {
        return Json{{"maybe", rounded(kind.maybe)},
                    {"likely", rounded(kind.likely)},
                    {"intercept", rounded(kind.intercept)},
                    {"slope", rounded(kind.slope)},
                    {"rank_slope", rounded(kind.rank_slope)}};
    };
    for (const Modality modality : kModalities) {
        document[modality_name(modality)] = fields_of(reliability.of[static_cast<int>(modality)]);
        document["by_example"][modality_name(modality)] = fields_of(reliability.by_example[static_cast<int>(modality)]);
    }
    const std::filesystem::path file = calibration_file(checkpoint);
    std::filesystem::path partial = file;
    partial += ".new";
    std::ofstream out(partial, std::ios::trunc);
    out << document.dump(4) << "\n";
    if (!out.flush())
        throw_errno(errno, partial.native(), "write what scores mean");
    out.close();
    std::filesystem::rename(partial, file);
}

}  // namespace imprint::jobs
