// SPDX-License-Identifier: Apache-2.0
// The trunk over one picture on a CPU: block by block, each in bands of rows, so that the wide map between two products stays in
// the second-level cache instead of going out to memory and back.
#include <ATen/ATen.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <cstring>

#include "core/model/trunk.h"
#include "kernels/depthwise_conv_cpu.h"
#include "kernels/row_loops_cpu.h"

namespace imprint::model {
namespace {

constexpr int64_t kBandBytes = 320 << 10;  // of the wide map: two threads share a second-level cache of a megabyte

at::Tensor numbers(int64_t count) { return at::empty({count}, at::kFloat); }

/// Some rows of a map, moving down: rows that are wanted again are moved to the top, the others made.
class Window {
public:
    Window(int64_t rows, int64_t row_size) : row_size_(row_size), values_(numbers(rows * row_size)) { }

    /// Rows `first` to before `end`, both ascending from call to call. make(row, count, to) computes rows.
    template <typename Make>
    const float* rows(int64_t first, int64_t end, const Make& make)
    {
        float* values = values_.mutable_data_ptr<float>();
        const int64_t kept = std::max<int64_t>(end_ - first, 0);
        std::memmove(values, values + (first - first_) * row_size_, static_cast<size_t>(kept * row_size_) * sizeof(float));
        make(first + kept, end - first - kept, values + kept * row_size_);
        first_ = first;
        end_ = end;
        return values;
    }

private:
    int64_t row_size_;
    at::Tensor values_;
    int64_t first_ = 0, end_ = 0;
};

/// The rows of the stem's map: a 3×3 convolution of stride 2 with the padding of the blocks, as a product over its patches.
class StemRows {
public:
    StemRows(const at::Tensor& pixels, const Panels& weight, const float* bias, float high)
        : pixels_(pixels.const_data_ptr<uint8_t>()), in_height_(pixels.size(0)), in_width_(pixels.size(1)),
          height_((in_height_ + 1) / 2), width_((in_width_ + 1) / 2), top_(padding(in_height_) / 2),
          left_(padding(in_width_) / 2), line_((in_width_ + padding(in_width_)) * 3), weight_(weight), bias_(bias), high_(high),
          lines_(at::zeros({3 * line_}, at::kFloat)), patches_(numbers(width_ * weight.in()))
    {
    }
    int64_t height() const { return height_; }
    int64_t width() const { return width_; }

    void make(int64_t row, int64_t count, float* to) const
    {
        constexpr int64_t kSpan = 9;  // three pixels of three channels
        float *lines = lines_.mutable_data_ptr<float>(), *patches = patches_.mutable_data_ptr<float>();
        for (; count > 0; ++row, --count, to += width_ * weight_.out()) {
            for (int64_t y = 0; y < 3; ++y) {
                const int64_t from = 2 * row + y - top_;
                if (from >= 0 && from < in_height_)
                    kernels::center_bytes(pixels_ + from * in_width_ * 3, in_width_ * 3, lines + y * line_ + left_ * 3);
                else
                    std::fill_n(lines + y * line_, line_, 0.0f);
            }
            for (int64_t x = 0; x < width_; ++x)
                for (int64_t y = 0; y < 3; ++y)
                    std::memcpy(patches + (3 * x + y) * kSpan, lines + y * line_ + 6 * x, kSpan * sizeof(float));
            weight_.clamped_product(patches, width_, bias_, high_, to);
        }
    }

private:
    static int64_t padding(int64_t in) { return std::max<int64_t>(((in + 1) / 2 - 1) * 2 + 3 - in, 0); }

    const uint8_t* pixels_;
    int64_t in_height_, in_width_, height_, width_, top_, left_;
    int64_t line_;  // numbers of one padded line
    const Panels& weight_;
    const float* bias_;
    float high_;
    at::Tensor lines_, patches_;
};

}  // namespace

void Trunk::map_in_bands(const at::Tensor& pixels, const at::Tensor& map, const at::Tensor& middle) const
{
    const kernels::DepthwiseConvRows filter_rows = kernels::depthwise_conv_bodies().front().rows;
    const StemRows stem(pixels, stem_panels_, stem_bias_.const_data_ptr<float>(), kClampHigh);
    int64_t height = stem.height(), width = stem.width();
    at::Tensor x;  // [height, width, channels] of the narrow map
    for (const Block& block : blocks_) {
        if (middle.defined() && &block == &blocks_[kTailBegins])
            std::memcpy(middle.mutable_data_ptr<float>(), x.const_data_ptr<float>(), x.nbytes());
        const int64_t kernel = block.filter.size(0), wide = block.filter.size(2), narrow = block.project.panels.out();
        kernels::DepthwiseConvShape shape{};
        shape.width = width;
        shape.channels = wide;
        shape.out_width = (width + block.stride - 1) / block.stride;
        shape.pad_left = std::max<int64_t>((shape.out_width - 1) * block.stride + kernel - width, 0) / 2;
        shape.kernel = kernel;
        shape.stride = block.stride;
        shape.clamp_high = kClampHigh;
        const int64_t out_height = (height + block.stride - 1) / block.stride;
        const int64_t pad_top = std::max<int64_t>((out_height - 1) * block.stride + kernel - height, 0) / 2;

        const int64_t fitting = kBandBytes / static_cast<int64_t>(sizeof(float)) / (width * wide);
        const int64_t band = std::clamp<int64_t>((fitting - kernel) / block.stride + 1, 1, out_height);
        Window window(std::min(height, (band - 1) * block.stride + kernel), width * wide);
        const at::Tensor filtered = numbers(band * shape.out_width * wide), out = numbers(out_height * shape.out_width * narrow);
        const float* before = x.defined() ? x.const_data_ptr<float>() : nullptr;
        const auto make = [&](int64_t row, int64_t count, float* to) {
            if (!before)
                stem.make(row, count, to);
            else if (count > 0)
                block.expand.panels.clamped_product(before + row * width * block.expand.panels.in(), count * width,
                                                    block.expand.bias.const_data_ptr<float>(), kClampHigh, to);
        };
        for (int64_t row = 0; row < out_height; row += band) {
            const int64_t end = std::min(row + band, out_height), top = row * block.stride - pad_top;
            const int64_t first = std::max<int64_t>(top, 0);
            const int64_t last = std::min(height, (end - 1) * block.stride - pad_top + kernel);
            const float* rows = window.rows(first, last, make);
            shape.height = last - first;
            shape.out_height = end - row;
            shape.pad_top = first - top;
            filter_rows(shape, rows, block.filter.const_data_ptr<float>(), block.filter_bias.const_data_ptr<float>(),
                        filtered.mutable_data_ptr<float>(), 0, end - row);
            const int64_t places = (end - row) * shape.out_width, at = row * shape.out_width * narrow;
            float* to = out.mutable_data_ptr<float>() + at;
            kernels::fill_with_bias(to, places, narrow, block.project.bias.const_data_ptr<float>(),
                                    block.residual ? before + at : nullptr);
            block.project.panels.add_product(filtered.const_data_ptr<float>(), places, to);
        }
        x = out;
        height = out_height;
        width = shape.out_width;
    }
    head_.panels.clamped_product(x.const_data_ptr<float>(), height * width, head_.bias.const_data_ptr<float>(), kClampHigh,
                                 map.mutable_data_ptr<float>());
    at::native::cpublas::brgemm_release(false);
}

}  // namespace imprint::model
