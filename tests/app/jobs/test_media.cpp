// SPDX-License-Identifier: Apache-2.0
// Making media, good and bad.
#include "tests/app/jobs/test_media.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <QByteArray>
#include <QProcess>
#include <QtEndian>
#include <array>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace imprint::tests {
namespace {

void ffmpeg(std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), {"-nostdin", "-v", "error", "-y"});
    if (run_program("ffmpeg", arguments) != 0)
        throw std::runtime_error("ffmpeg failed");
}

quint32 crc32(const QByteArray& bytes)
{
    quint32 crc = 0xffffffff;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int i = 0; i < 8; ++i)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

QByteArray big_endian(quint32 value)
{
    QByteArray bytes(4, 0);
    qToBigEndian(value, bytes.data());
    return bytes;
}

QByteArray chunk(const QByteArray& type, const QByteArray& data)
{
    return big_endian(static_cast<quint32>(data.size())) + type + data + big_endian(crc32(type + data));
}

/// A valid black PNG of one bit a pixel: small on disk, large in memory.
std::string huge_png(quint32 side)
{
    const QByteArray header = big_endian(side) + big_endian(side) + QByteArray("\x01\x00\x00\x00\x00", 5);
    const QByteArray rows(static_cast<qsizetype>((side + 7) / 8 + 1) * side, '\0');
    const QByteArray packed = qCompress(rows, 1).mid(4);
    return (QByteArray("\x89PNG\r\n\x1a\n") + chunk("IHDR", header) + chunk("IDAT", packed) + chunk("IEND", {})).toStdString();
}

}  // namespace

int run_program(const std::string& program, const std::vector<std::string>& arguments)
{
    QStringList list;
    for (const std::string& argument : arguments)
        list << QString::fromStdString(argument);
    QProcess process;
    process.start(QString::fromStdString(program), list);
    process.waitForFinished(-1);
    const bool good = process.error() == QProcess::UnknownError && process.exitCode() == 0;
    if (!good)
        std::cerr << program << ": " << process.readAllStandardError().toStdString() << "\n";
    return good ? 0 : 1;
}

void make_picture(const std::filesystem::path& file, int seed, const std::string& size)
{
    ffmpeg({"-f", "lavfi", "-i", "testsrc2=size=" + size + ",hue=h=" + std::to_string(seed * 37 % 360), "-frames:v", "1",
            file.string()});
}

void make_video(const std::filesystem::path& file, double seconds, const std::string& tone)
{
    std::vector<std::string> arguments{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10"};
    if (!tone.empty())
        arguments.insert(arguments.end(), {"-f", "lavfi", "-i", tone});
    arguments.insert(arguments.end(), {"-t", std::to_string(seconds), "-c:v", "mpeg4", "-q:v", "6", file.string()});
    ffmpeg(arguments);
}

void make_sound(const std::filesystem::path& file, double seconds, const std::string& source)
{
    ffmpeg({"-f", "lavfi", "-i", source, "-t", std::to_string(seconds), file.string()});
}

std::string read_file(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

void drop_root_powers()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    ::syscall(SYS_capget, &header, sets.data());
    for (const int power : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH}) {
        ::prctl(PR_CAPBSET_DROP, power, 0, 0, 0);
        for (__u32* set : {&sets[0].effective, &sets[0].permitted, &sets[0].inheritable})
            *set &= ~(1u << power);
    }
    ::syscall(SYS_capset, &header, sets.data());
}

BadFolder make_bad_folder(const std::filesystem::path& parent)
{
    namespace fs = std::filesystem;
    BadFolder result;
    result.folder = parent / "mixed";
    const fs::path& folder = result.folder;
    fs::create_directories(folder / "deeper");

    make_picture(folder / "good.jpg", 1);
    make_picture(folder / "good.png", 2);
    make_video(folder / "good.mp4", 3);
    make_sound(folder / "deeper" / "good.wav", 2);
    make_picture(folder / "name.jpg", 3);
    fs::rename(folder / "name.jpg", folder / "not-utf8-\xff\xe9.jpg");
    result.good = {folder / "good.jpg", folder / "good.png", folder / "good.mp4", folder / "deeper" / "good.wav",
                   folder / "not-utf8-\xff\xe9.jpg"};
    write_file(folder / "notes.txt", "no media, and nobody claims it is\n");

    write_file(folder / "text.jpg", "This is a letter, whatever its name says.\n");
    write_file(folder / "empty.png", "");
    const std::string jpeg = read_file(folder / "good.jpg");
    write_file(folder / "third.jpg", jpeg.substr(0, jpeg.size() / 3));
    std::string video = read_file(folder / "good.mp4");
    for (size_t i = 64; i < video.size(); ++i)
        if (i % 3 != 0)
            video[i] = static_cast<char>(i * 31);
    write_file(folder / "overwritten.mp4", video);
    write_file(folder / "huge.png", huge_png(30'000));
    write_file(folder / "unreadable.jpg", jpeg);
    fs::permissions(folder / "unreadable.jpg", fs::perms::none);
    fs::create_symlink(folder / "nowhere.jpg", folder / "dangling.jpg");
    ::mkfifo((folder / "pipe.jpg").c_str(), 0600);
    for (const char* name :
         {"text.jpg", "empty.png", "third.jpg", "overwritten.mp4", "huge.png", "unreadable.jpg", "dangling.jpg", "pipe.jpg"})
        result.bad.push_back(folder / name);
    return result;
}

}  // namespace imprint::tests
