// SPDX-License-Identifier: Apache-2.0
// The frames of a video in the order they are shown, with their times.
#pragma once

#include <memory>
#include <optional>

#include "core/media/protocol.h"
#include "core/media/worker/ffmpeg.h"

namespace imprint::media
{

class FrameReader
{
public:
    /// Throws Error(Unsupported) for a file without a picture stream.
    FrameReader(const Input& input, const protocol::Request& request);

    struct Shown {
        FramePtr frame;
        double time = 0; ///< seconds since the first frame
    };

    /// The last frame shown at or before `time`, or the first frame of all. The frame stays the reader's.
    /// Cheapest with ascending times. Throws Error(Malformed) when no frame can be decoded.
    const Shown& at(double time);

    const Container& container() const { return *container_; }

private:
    void open();
    bool next();
    bool advance_to(double time);
    bool worth_seeking(double time) const;
    bool seek(double time);

    const Input& input_;
    const protocol::Request& request_;
    std::unique_ptr<Container> container_;
    CodecPtr decoder_;
    PacketPtr packet_;
    double origin_ = 0, step_ = 0.04;
    bool draining_ = false, ended_ = false;
    bool sought_ = false; // since the file was opened
    bool lost_ = false; // no timestamp seen since the last seek
    std::optional<Shown> current_, ahead_;
    double last_time_ = 0;
};

} // namespace imprint::media
