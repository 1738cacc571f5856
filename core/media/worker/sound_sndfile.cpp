// SPDX-License-Identifier: Apache-2.0
// libsndfile over positioned reads.
#include <sndfile.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/media/media.h"
#include "core/media/worker/downmix.h"
#include "core/media/worker/sound_source.h"

namespace imprint::media
{
namespace
{

struct Reader {
    const Input& input;
    int64_t offset = 0;
};

SF_VIRTUAL_IO positioned_io()
{
    SF_VIRTUAL_IO io = {};
    io.get_filelen = [](void* self) -> sf_count_t { return static_cast<Reader*>(self)->input.size(); };
    io.seek = [](sf_count_t offset, int whence, void* self) -> sf_count_t {
        auto* reader = static_cast<Reader*>(self);
        const int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->offset : reader->input.size();
        return base + offset < 0 ? -1 : reader->offset = base + offset;
    };
    io.read = [](void* buffer, sf_count_t count, void* self) -> sf_count_t {
        auto* reader = static_cast<Reader*>(self);
        const int64_t got = std::max<int64_t>(0, reader->input.read_at(buffer, count, reader->offset));
        reader->offset += got;
        return got;
    };
    io.write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; };
    io.tell = [](void* self) -> sf_count_t { return static_cast<Reader*>(self)->offset; };
    return io;
}

// libsndfile also guesses at formats without a signature worth the name; those are left to nobody.
const char* format_name(int format)
{
    switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
        return "wav";
    case SF_FORMAT_W64:
        return "w64";
    case SF_FORMAT_AIFF:
        return "aiff";
    case SF_FORMAT_AU:
        return "au";
    case SF_FORMAT_FLAC:
        return "flac";
    case SF_FORMAT_OGG:
        return "ogg";
    case SF_FORMAT_MPEG:
        return "mp3";
    case SF_FORMAT_CAF:
        return "caf";
    case SF_FORMAT_SVX:
        return "svx";
    case SF_FORMAT_VOC:
        return "voc";
    case SF_FORMAT_NIST:
        return "nist";
    default:
        return nullptr;
    }
}

// An Ogg file with a picture is a video, which libsndfile cannot see.
bool ogg_with_picture(const Input& input)
{
    const std::string head = input.head(4096);
    if (head.rfind("OggS", 0) != 0)
        return false;
    for (const char* codec : {"\x80theora", "BBCD", "\x4fVP80", "\x01video"})
        if (head.find(codec) != std::string::npos)
            return true;
    return false;
}

// Without one of these in its first frame an MP3 of variable rate tells no length, and libsndfile's estimate is far
// off.
bool mp3_without_length(const Input& input)
{
    std::string head = input.head(10);
    int64_t offset = 0;
    if (head.size() == 10 && head.rfind("ID3", 0) == 0) {
        for (int i = 6; i < 10; ++i)
            offset = offset << 7 | (static_cast<unsigned char>(head[i]) & 0x7f);
        offset += 10;
    }
    char frame[4096];
    const int64_t got = input.read_at(frame, sizeof frame, offset);
    const std::string_view text(frame, static_cast<size_t>(std::max<int64_t>(0, got)));
    return text.find("Xing") == text.npos && text.find("Info") == text.npos && text.find("VBRI") == text.npos;
}

class SndfileSource final : public SoundSource
{
public:
    explicit SndfileSource(const Input& input)
        : reader_{input}
    {
        SF_VIRTUAL_IO io = positioned_io();
        file_ = sf_open_virtual(&io, SFM_READ, &info_, &reader_);
    }
    ~SndfileSource() override
    {
        if (file_)
            sf_close(file_);
    }
    SndfileSource(const SndfileSource&) = delete;
    SndfileSource& operator=(const SndfileSource&) = delete;

    bool open() const { return file_ != nullptr; }
    const SF_INFO& info() const { return info_; }

    int rate() const override { return info_.samplerate; }

    void seek(int64_t sample) override
    {
        past_end_ = sample >= info_.frames;
        if (!past_end_ && sf_seek(file_, sample, SEEK_SET) < 0)
            throw Error(ErrorKind::Malformed, "", std::string("is damaged: ") + sf_strerror(file_));
    }

    int read(float* samples, int count) override
    {
        if (past_end_)
            return 0;
        interleaved_.resize(size_t(count) * info_.channels);
        const auto got = static_cast<int>(sf_readf_float(file_, interleaved_.data(), count));
        downmix_.interleaved(interleaved_.data(), got, info_.channels, info_.samplerate, samples);
        return got;
    }

private:
    Reader reader_;
    SF_INFO info_ = {};
    SNDFILE* file_ = nullptr;
    bool past_end_ = false;
    std::vector<float> interleaved_;
    Downmix downmix_;
};

} // namespace

std::unique_ptr<SoundSource> open_sndfile(const Input& input, SoundHeader& header)
{
    if (ogg_with_picture(input))
        return nullptr;
    auto source = std::make_unique<SndfileSource>(input);
    if (!source->open())
        return nullptr;
    const SF_INFO& info = source->info();
    const char* name = format_name(info.format);
    if (!name || info.frames <= 0 || info.samplerate < 100 || info.samplerate > 1'536'000 || info.channels < 1)
        return nullptr;
    if ((info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG && mp3_without_length(input))
        return nullptr;
    header.format = name;
    header.duration = double(info.frames) / info.samplerate;
    return source;
}

} // namespace imprint::media
