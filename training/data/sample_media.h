// SPDX-License-Identifier: Apache-2.0
// What one sample's file holds, decoded anew or taken from a cache.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/media/decoder.h"
#include "training/data/media_cache.h"
#include "training/data/media_file.h"
#include "training/data/source.h"

namespace imprint::training {

/// The media door for one sample. Without a cache every call decodes what it asks for. With one, a video is read in windows of
/// 10 seconds, all ticks of them, which then are there for the other crops, clips and rounds: that suits data that fits the
/// cache; other data would be decoded in vain. Sound is kept where the range is the whole file, since codecs that cannot start
/// anywhere (AAC) give other noise from another start. So a cache changes nothing of what comes out. It is asked by path, or by
/// the sample's name where it has no file of its own: names of different data must differ. Throws as media::Decoder and
/// MediaFile do. For one thread; all arguments outlive it.
class SampleMedia {
public:
    SampleMedia(const Sample& sample, media::Decoder& decoder, MediaCache* cache, const CancelToken& cancel)
        : sample_(sample), decoder_(decoder), cache_(cache), cancel_(cancel)
    {
    }

    media::Probe probe();
    media::Picture still(const media::Fit& fit);
    /// Those shown at the last ticks of kVideoRate (training/data/augment.h) up to the times, which are ascending.
    std::vector<media::Picture> frames(std::span<const double> times, const media::Fit& fit);
    media::Sound sound(double from, double to);

private:
    const std::filesystem::path& file();
    std::shared_ptr<const DecodedMedia> cached(const std::string& part, const std::function<void(DecodedMedia&)>& decode);
    std::shared_ptr<const DecodedMedia> frame_window(int64_t window, int64_t ticks, const media::Fit& fit);

    const Sample& sample_;
    media::Decoder& decoder_;
    MediaCache* cache_;
    const CancelToken& cancel_;
    std::optional<MediaFile> file_;  // a shard's samples are written to a file first: only when one is needed
};

}  // namespace imprint::training
