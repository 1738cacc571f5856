// SPDX-License-Identifier: Apache-2.0
// Frames of a video at the times asked for.
#include <algorithm>
#include <cstring>
#include <optional>

#include "core/base/error.h"
#include "core/media/worker/fitting.h"
#include "core/media/worker/frame_reader.h"
#include "core/media/worker/frame_scaler.h"
#include "core/media/worker/operations.h"
#include "core/media/worker/output.h"

namespace imprint::media
{

int frames(const Input& input, const protocol::Request& request, protocol::Reply& reply)
{
    FrameReader reader(input, request);
    const Turn turn = display_turn(reader.container().picture());
    std::optional<FrameScaler> scaler;
    std::optional<Output> output;
    size_t bytes = 0;
    const AVFrame* drawn = nullptr;
    for (uint32_t i = 0; i < request.time_count; ++i) {
        const FrameReader::Shown& shown = reader.at(request.times[i]);
        AVFrame* frame = shown.frame.get();
        if (!output) {
            const Container& file = reader.container();
            const AVRational aspect = av_guess_sample_aspect_ratio(file.context(), file.picture(), frame);
            const Size whole = shown_size(frame->width, frame->height, aspect, turn);
            const Size size = fitted_size(whole.width, whole.height, request);
            bytes = size_t(size.width) * size.height * 3;
            if (int64_t(bytes) * request.time_count > request.max_memory)
                throw Error(ErrorKind::LimitExceeded, "",
                    std::to_string(request.time_count) + " pictures of this size need more memory than allowed");
            scaler.emplace(size, turn);
            output.emplace(bytes * request.time_count);
            reply.width = size.width;
            reply.height = size.height;
        }
        uint8_t* to = static_cast<uint8_t*>(output->data()) + bytes * i;
        // Times closer than the frame rate show the same frame again.
        if (i > 0 && frame == drawn && reply.times[i - 1] == shown.time)
            std::memcpy(to, to - bytes, bytes);
        else
            scaler->convert(frame, to);
        drawn = frame;
        reply.times[i] = shown.time;
    }
    reply.picture_count = request.time_count;
    return output->seal();
}

} // namespace imprint::media
