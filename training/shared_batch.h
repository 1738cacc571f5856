// SPDX-License-Identifier: Apache-2.0
// One batch that several ranks read: each decodes the media of its own items, and all learn the words of every item.
#pragma once

#include "training/data/batch_reader.h"
#include "training/passes.h"

namespace imprint::training {

/// The items that a rank's passes take, at least one: of `batch` items with `each` rows of media, those with a row in the rank's
/// part (PassList::Share). An item whose clips are shared out is read by both.
ItemRange items_of(const PassList::Share& share, int64_t batch, int64_t each);

/// Puts into the batch what the other ranks have read of its items (name, texts, label, the teacher's vector: all but the media),
/// and into the reader which samples they could not read. Every rank calls it for the same batches in the same order. Throws as
/// SampleReader::learn() and Ranks do.
void complete_batch(Batch& batch, const BatchReader& reader, const Ranks& ranks);

}  // namespace imprint::training
