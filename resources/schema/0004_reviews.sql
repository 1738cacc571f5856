-- SPDX-License-Identifier: Apache-2.0
-- What a person said of single moments while reviewing a label set. It names no model, so it holds under every one.

-- label: a name of the set, or '' for none of them. drawn: 1 where chance chose the moment, for the estimate of accuracy.
-- added: 1 where the verdict brought a label with it that goes when the verdict goes.
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    label_set TEXT NOT NULL CHECK (label_set <> ''),
    modality INTEGER NOT NULL CHECK (modality IN (0, 1)),
    start_s REAL,
    end_s REAL,
    label TEXT NOT NULL,
    drawn INTEGER NOT NULL CHECK (drawn IN (0, 1)),
    added INTEGER NOT NULL CHECK (added IN (0, 1)),
    CHECK ((start_s IS NULL) = (end_s IS NULL)),
    CHECK (start_s IS NULL OR start_s < end_s)
) STRICT;
CREATE UNIQUE INDEX reviews_once ON reviews (file, label_set, modality, coalesce(start_s, -1), coalesce(end_s, -1));
CREATE INDEX reviews_by_set ON reviews (label_set, file);
