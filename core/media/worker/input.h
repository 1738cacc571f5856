// SPDX-License-Identifier: Apache-2.0
// The media file as the worker has it: a descriptor that the parent opened. Read by position, so that no library
// depends on where another one left the file's offset.
#pragma once

#include <cstdint>
#include <string>

namespace imprint::media
{

class Input
{
public:
    /// Borrows the descriptor. Throws Error(Io) when its size cannot be told.
    explicit Input(int descriptor);

    int descriptor() const { return descriptor_; }
    int64_t size() const { return size_; }

    /// Reads up to `count` bytes at `offset`; 0 at the end, -1 on an error of the system, which failure() then keeps.
    int64_t read_at(void* buffer, int64_t count, int64_t offset) const;

    /// The errno of the first failed read; 0 if none failed.
    int failure() const { return failure_; }

    /// The first bytes of the file.
    std::string head(size_t count) const;

private:
    int descriptor_;
    int64_t size_ = 0;
    mutable int failure_ = 0;
};

} // namespace imprint::media
