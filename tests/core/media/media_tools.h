// SPDX-License-Identifier: Apache-2.0
// What the media tests share: a decoder over the built worker, files made by the ffmpeg command, and failures by kind.
#pragma once

#include <QFile>
#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/media/decoder.h"

namespace imprint::media::test
{

inline DecoderOptions options(int workers = 2)
{
    DecoderOptions options;
    options.worker = std::filesystem::path(IMPRINT_BIN_DIR) / "imprint-decode";
    options.workers = workers;
    return options;
}

/// Runs ffmpeg with the arguments; false, with its complaint on the test's log, when it fails.
inline bool ffmpeg(const QStringList& arguments)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.start("ffmpeg", QStringList{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"} + arguments);
    return process.waitForFinished(60000) && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0;
}

inline bool write_file(const std::filesystem::path& path, const std::string& bytes)
{
    FILE* file = fopen(path.c_str(), "wb");
    if (!file)
        return false;
    const bool good = fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    return fclose(file) == 0 && good;
}

inline std::string read_file(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

inline std::string random_bytes(size_t count, unsigned seed)
{
    std::mt19937 generator(seed);
    std::string bytes(count, '\0');
    for (char& byte : bytes)
        byte = static_cast<char>(generator() & 0xff);
    return bytes;
}

/// The error that `action` throws, or one of kind Usage saying that it threw none.
template <typename Action>
Error failure_of(Action action)
{
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorKind::Usage, "", "nothing was thrown");
}

/// A 16-bit WAV of interleaved samples in [-1, 1].
inline std::string wav(const std::vector<float>& samples, int channels, int rate)
{
    std::string out;
    const auto put = [&](uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i)
            out += static_cast<char>(value >> (8 * i));
    };
    const auto size = static_cast<uint32_t>(samples.size() * 2);
    out += "RIFF";
    put(36 + size, 4);
    out += "WAVEfmt ";
    put(16, 4);
    put(1, 2);
    put(channels, 2);
    put(rate, 4);
    put(rate * channels * 2, 4);
    put(channels * 2, 2);
    put(16, 2);
    out += "data";
    put(size, 4);
    for (float sample : samples)
        put(static_cast<uint16_t>(static_cast<int16_t>(std::lround(sample * 32767))), 2);
    return out;
}

/// Samples of a sine, the same on every channel.
inline std::vector<float> tone(double frequency, double seconds, int rate, int channels = 1, double amplitude = 0.5)
{
    std::vector<float> samples;
    for (int64_t i = 0; i < static_cast<int64_t>(seconds * rate); ++i)
        for (int channel = 0; channel < channels; ++channel)
            samples.push_back(static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * frequency * i / rate)));
    return samples;
}

} // namespace imprint::media::test
