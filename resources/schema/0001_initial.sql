-- SPDX-License-Identifier: Apache-2.0
-- The catalog of a library. Paths are bytes, times are seconds unless a name says otherwise.
PRAGMA application_id = 0x494d5052;  -- "IMPR"

-- One row. `revision` grows with every change of vectors; rows of `dropped` up to `drop_floor` were forgotten.
CREATE TABLE library (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    drop_floor INTEGER NOT NULL,
    active_space INTEGER REFERENCES spaces (id)
) STRICT;

-- Which writer wrote from which revision on: after a restored backup two histories share their numbers, never the nonce.
CREATE TABLE eras (
    first_revision INTEGER PRIMARY KEY,
    nonce INTEGER NOT NULL
) STRICT;

CREATE TABLE roots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE spaces (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL CHECK (dim > 0)
) STRICT;

-- state: 0 indexed, 1 failed. kind: 0 image, 1 video, 2 audio; NULL for a failed file.
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state IN (0, 1)),
    kind INTEGER CHECK (kind IN (0, 1, 2)),
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    duration REAL NOT NULL DEFAULT 0,
    has_sound INTEGER NOT NULL DEFAULT 0,
    format TEXT NOT NULL DEFAULT '',
    taken_at INTEGER,
    moments INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL,
    CHECK ((state = 0) = (kind IS NOT NULL))
) STRICT;
CREATE INDEX files_by_revision ON files (revision);
CREATE INDEX files_by_state ON files (state, kind, moments);

-- modality: 0 picture, 1 sound.
CREATE TABLE moments (
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
    modality INTEGER NOT NULL CHECK (modality IN (0, 1)),
    start_s REAL,
    end_s REAL,
    PRIMARY KEY (file, ordinal)
) STRICT, WITHOUT ROWID;

-- This file is complete in this space, also when it has no moment at all (a silent recording).
CREATE TABLE embedded (
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    space INTEGER NOT NULL REFERENCES spaces (id),
    PRIMARY KEY (file, space)
) STRICT, WITHOUT ROWID;

-- half: `count` × dim IEEE half floats, little endian, in the order of the file's moments of that modality.
-- stats: `count` × (mean, deviation) as float32, little endian: each vector's cosines to the encoder's text bank.
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    space INTEGER NOT NULL REFERENCES spaces (id),
    modality INTEGER NOT NULL CHECK (modality IN (0, 1)),
    count INTEGER NOT NULL CHECK (count > 0),
    half BLOB NOT NULL,
    stats BLOB NOT NULL,
    UNIQUE (file, space, modality)
) STRICT;

CREATE TABLE failures (
    file INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Files that went, for vector indexes that catch up. A file's number is never used again.
CREATE TABLE dropped (
    file INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX dropped_by_revision ON dropped (revision);
CREATE TRIGGER files_dropped AFTER DELETE ON files BEGIN
    INSERT INTO dropped VALUES (old.id, (SELECT revision FROM library));
END;

INSERT INTO library VALUES (1, randomblob(16), 0, 0, NULL);
