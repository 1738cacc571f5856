// SPDX-License-Identifier: Apache-2.0
// Anonymous shared memory that the worker fills, seals and hands to its parent.
#pragma once

#include <cstddef>

namespace imprint::media
{

class Output
{
public:
    /// Throws Error(LimitExceeded) when there is no room.
    explicit Output(size_t bytes);
    ~Output();
    Output(Output&& other) noexcept;
    Output& operator=(Output&&) = delete;

    void* data() const { return data_; }

    /// Keeps what was written; what is new is zero. data() changes. Throws Error(LimitExceeded) when there is no room.
    void resize(size_t bytes);

    /// Ends writing and gives the descriptor away, sealed against any change.
    int seal();

private:
    int descriptor_ = -1;
    void* data_ = nullptr;
    size_t bytes_;
};

} // namespace imprint::media
