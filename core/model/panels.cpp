// SPDX-License-Identifier: Apache-2.0
#include "core/model/panels.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/native/CPUBlas.h>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <new>
#include <set>

#include "core/base/error.h"
#include "kernels/row_loops_cpu.h"

namespace imprint::model {
namespace {

using at::native::cpublas::brgemm;

constexpr int64_t kColumns = 64;  // of a panel: four registers of AVX-512
constexpr int64_t kRows = 112;    // so many rows of a panel's output fit the first-level cache

/// Calls piece(first row, rows, first column, columns).
template <typename Piece>
void each_piece(int64_t rows, int64_t columns, const Piece& piece)
{
    for (int64_t row = 0; row < rows; row += kRows)
        for (int64_t column = 0; column < columns; column += kColumns)
            piece(row, std::min(kRows, rows - row), column, std::min(kColumns, columns - column));
}

/// The first product of a shape on a thread generates its machine code. Where oneDNN finds no memory for that, it ends the
/// process (a null kernel is destroyed), so room is looked for beforehand: many times what the code takes, since others may ask
/// for memory meanwhile. Throws std::bad_alloc.
void make_room_for_code(int64_t rows, int64_t in, int64_t out, bool adds)
{
    constexpr size_t kRoom = 32 << 20;
    static thread_local std::set<std::array<int64_t, 4>> made;
    const std::array<int64_t, 4> shape{rows, in, out, adds ? 1 : 0};
    if (made.contains(shape))
        return;
    void* const room = ::mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        throw std::bad_alloc();
    ::munmap(room, kRoom);
    made.insert(shape);
}

}  // namespace

bool Panels::available()
{
    if (!at::globalContext().hasMKLDNN() || !at::globalContext().userEnabledMkldnn())
        return false;
    const float one = 1;
    float product = 0;
    try {
        brgemm(1, 1, 1, 1, 1, 1, false, &one, &one, &product, false);
    } catch (const c10::Error&) {  // its way to say that it knows no such processor
        return false;
    }
    return product == 1;
}

Panels::Panels(const at::Tensor& weight) : in_(weight.size(1)), out_(weight.size(0))
{
    IMPRINT_ASSERT(weight.is_cpu() && weight.scalar_type() == at::kFloat);
    std::vector<at::Tensor> panels;
    for (const at::Tensor& outputs : weight.split(kColumns))
        panels.push_back(outputs.t().flatten());
    values_ = at::cat(panels);
}

void Panels::add_product(const float* input, int64_t rows, float* output) const
{
    make_room_for_code(rows, in_, out_, true);
    const float* values = values_.const_data_ptr<float>();
    each_piece(rows, out_, [&](int64_t row, int64_t height, int64_t column, int64_t width) {
        brgemm(height, width, in_, in_, width, out_, true, input + row * in_, values + column * in_, output + row * out_ + column,
               false);
    });
}

void Panels::clamped_product(const float* input, int64_t rows, const float* bias, float high, float* output) const
{
    make_room_for_code(rows, in_, out_, false);
    const float* values = values_.const_data_ptr<float>();
    each_piece(rows, out_, [&](int64_t row, int64_t height, int64_t column, int64_t width) {
        float* to = output + row * out_ + column;
        brgemm(height, width, in_, in_, width, out_, false, input + row * in_, values + column * in_, to, false);
        kernels::add_bias_and_clamp(to, height, width, out_, bias + column, high);
    });
}

}  // namespace imprint::model
