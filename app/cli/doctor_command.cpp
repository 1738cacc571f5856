// SPDX-License-Identifier: Apache-2.0
// `imprint doctor`: what this installation stands on, each thing tried rather than assumed.
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/sample_media.h"

namespace imprint::cli {
namespace {

namespace fs = std::filesystem;

struct Finding {
    std::string state;  ///< ok, warn, fail
    std::string what, detail;
};

/// A folder that goes with everything in it.
class Scratch {
public:
    Scratch()
    {
        std::string name = (fs::temp_directory_path() / "imprint-doctor-XXXXXX").native();
        if (!::mkdtemp(name.data()))
            throw_errno(errno, name, "make a temporary folder");
        folder = name;
    }
    ~Scratch()
    {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    fs::path write(const std::string& name, const std::string& bytes) const
    {
        std::ofstream(folder / name, std::ios::binary) << bytes;
        return folder / name;
    }

    fs::path folder;
};

std::string gigabytes(uintmax_t bytes)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
    return text;
}

std::string setting(const char* name)
{
    const char* value = std::getenv(name);
    return std::string(name) + "=" + (value ? value : "(unset)");
}

/// A second of 440 Hz as 16-bit WAV at 8 kHz.
std::string tone_wav()
{
    constexpr uint32_t kRate = 8000;
    std::string bytes;
    const auto put = [&](uint32_t value, int size) {
        for (int i = 0; i < size; ++i)
            bytes += static_cast<char>(value >> (8 * i) & 255);
    };
    bytes += "RIFF";
    put(36 + 2 * kRate, 4);
    bytes += "WAVEfmt ";
    put(16, 4), put(1, 2), put(1, 2), put(kRate, 4), put(2 * kRate, 4), put(2, 2), put(16, 2);
    bytes += "data";
    put(2 * kRate, 4);
    for (uint32_t i = 0; i < kRate; ++i)
        put(static_cast<uint32_t>(static_cast<int>(8000 * std::sin(2 * M_PI * 440 * i / kRate))), 2);
    return bytes;
}

class Doctor {
public:
    explicit Doctor(const Session& session) : session_(session), engine_(session.engine) { }

    std::vector<Finding> examine()
    {
        look("program", [] { return ok("imprint " IMPRINT_VERSION ", " + system_name()); });
        look("processor", processor);
        look("threads", [] {
            return ok(std::to_string(std::thread::hardware_concurrency()) + " processors, " + setting("OMP_WAIT_POLICY") + ", "
                      + setting("OPENBLAS_NUM_THREADS"));
        });
        look("decoder", [this] { return decoder(); });
        look("model", [this] { return model(); });
        look("library", [this] { return library(); });
        look("disk", [this] { return disk(); });
        return std::move(findings_);
    }

private:
    static Finding ok(std::string detail) { return {"ok", "", std::move(detail)}; }
    static Finding warn(std::string detail) { return {"warn", "", std::move(detail)}; }

    void look(const std::string& what, const std::function<Finding()>& examination)
    {
        session_.cancel.check();
        Finding finding;
        try {
            finding = examination();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Cancelled)
                throw;
            finding = {"fail", "", error.what()};
        }
        finding.what = what;
        findings_.push_back(std::move(finding));
    }

    static std::string system_name()
    {
        utsname name{};
        ::uname(&name);
        return std::string(name.sysname) + " " + name.release + " " + name.machine;
    }

    static Finding processor()
    {
        std::ifstream info("/proc/cpuinfo");
        std::string name = "unknown", features;
        for (std::string line; std::getline(info, line) && (name == "unknown" || features.empty());) {
            const std::string value = line.substr(std::min(line.size(), line.find(':') + 2));
            if (line.starts_with("model name"))
                name = value;
            if (!line.starts_with("flags"))
                continue;
            std::istringstream words(value);
            for (std::string word; words >> word;)
                if (word == "avx2" || word == "fma" || word == "avx512f" || word == "avx512_bf16" || word == "amx_bf16")
                    features += " " + word;
        }
        const bool fast = features.find(" avx2") != std::string::npos;
        const std::string detail = name + ":" + (features.empty() ? " none of AVX2, FMA, AVX-512" : features);
        return fast ? ok(detail) : warn(detail + "; encoding will be slow");
    }

    Finding decoder()
    {
        const Scratch scratch;
        media::Decoder& decoder = engine_.decoder();
        media::Fit fit;
        const fs::path png = scratch.write("sample.png", {reinterpret_cast<const char*>(kSamplePng), sizeof kSamplePng});
        const media::Picture picture = decoder.still(png, fit, session_.cancel);
        const fs::path mkv = scratch.write("sample.mkv", {reinterpret_cast<const char*>(kSampleVideo), sizeof kSampleVideo});
        const double times[] = {0.25};
        const std::vector<media::Picture> frames = decoder.frames(mkv, times, fit, session_.cancel);
        const media::Sound sound = decoder.sound(scratch.write("sample.wav", tone_wav()), 0, 1, session_.cancel);
        const bool right = picture.width == 8 && frames.size() == 1 && frames[0].width == 32
            && std::abs(std::ssize(sound.samples) - media::kSampleRate) < media::kSampleRate / 100;
        if (!right)
            throw Error(ErrorKind::Malformed, "imprint-decode", "the sample files came back wrong", "Install Imprint anew");
        return ok("a PNG, an MPEG-4 video and a WAV came back as they should");
    }

    Finding model()
    {
        const fs::path file = engine_.checkpoint();
        const auto start = std::chrono::steady_clock::now();
        Encoder& encoder = engine_.encoder();
        const std::vector<std::string> texts{"a dog"};
        encoder.encode_texts(texts);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        char time[64];
        std::snprintf(time, sizeof time, ", loaded and tried in %.2f s", seconds);
        return ok(file.native() + ": " + encoder.space() + ", device " + session_.engine.encoder.device + ", precision "
                  + encoder.precision() + time);
    }

    Finding library()
    {
        const fs::path& folder = engine_.library_folder();
        std::error_code ignored;
        if (!fs::exists(folder / "catalog.sqlite", ignored))
            return warn(folder.native() + ": no library yet; run 'imprint index FOLDER'");
        const index::Library library(folder, index::OpenMode::ReadOnly);
        const std::vector<std::string> wrong = library.check();
        if (!wrong.empty())
            throw Error(ErrorKind::Malformed, folder.native(),
                        wrong.front() + (wrong.size() > 1 ? " (and " + std::to_string(wrong.size() - 1) + " more)" : ""),
                        "Index into a new library with --library");
        const index::Counts counts = library.counts();
        std::string detail = folder.native() + ": sound; " + std::to_string(counts.files) + " files, "
            + std::to_string(counts.moments) + " moments, " + std::to_string(counts.failed) + " failures";
        const std::optional<std::string> space = library.active_space();
        if (space)
            detail += ", space " + *space;
        return counts.failed ? warn(detail + " (see 'imprint failures')") : ok(detail);
    }

    Finding disk()
    {
        fs::path folder = engine_.library_folder();
        std::error_code failure;
        while (!fs::exists(folder, failure) && folder.has_relative_path())
            folder = folder.parent_path();
        const fs::space_info space = fs::space(folder, failure);
        if (failure)
            throw_errno(failure.value(), folder.native(), "ask for the free space");
        if (space.available < (64u << 20))
            throw Error(ErrorKind::DiskFull, folder.native(), "only " + gigabytes(space.available) + " left", "Make room");
        const std::string detail = gigabytes(space.available) + " free at " + folder.native();
        return space.available < (1u << 30) ? warn(detail) : ok(detail);
    }

    const Session& session_;
    jobs::Engine engine_;
    std::vector<Finding> findings_;
};

}  // namespace

int run(const DoctorCommand&, const Session& session)
{
    const std::vector<Finding> findings = Doctor(session).examine();
    bool failed = false;
    Json checks = Json::array();
    for (const Finding& finding : findings) {
        failed = failed || finding.state == "fail";
        checks.push_back({{"check", finding.what}, {"state", finding.state}, {"detail", finding.detail}});
        if (!session.json)
            std::printf("%-5s %-10s %s\n", finding.state.c_str(), finding.what.c_str(), printable(finding.detail).c_str());
    }
    if (session.json)
        print_json({{"checks", checks}});
    return failed ? kDoneWithFailures : kDone;
}

}  // namespace imprint::cli
