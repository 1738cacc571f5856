-- SPDX-License-Identifier: Apache-2.0
-- Checksums of what is stored, what a file holds whatever its name, which disk a root lies on, and where a model is.
-- row_checksum(…) is the program's own: XXH64 over the types and bytes of its arguments.

-- A table of its own, so that no vector is written again.
CREATE TABLE checksums (
    vectors INTEGER PRIMARY KEY REFERENCES vectors (id) ON DELETE CASCADE,
    xxh64 INTEGER NOT NULL
) STRICT;
INSERT INTO checksums SELECT id, row_checksum(file, space, modality, count, half, stats) FROM vectors;

-- xxh64: of the row and its moments. fingerprint: 16 bytes of XXH3 over size and content; NULL where not yet taken.
ALTER TABLE files ADD COLUMN xxh64 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN fingerprint BLOB;
UPDATE files SET xxh64 = row_checksum(path, size, mtime_ns, inode, state, kind, width, height, duration, has_sound, format,
    taken_at, moments, (SELECT group_concat(modality || ' ' || quote(start_s) || ' ' || quote(end_s), ',')
        FROM (SELECT * FROM moments WHERE file = files.id ORDER BY ordinal)));
CREATE INDEX files_by_size ON files (size) WHERE fingerprint IS NOT NULL;
CREATE INDEX files_by_fingerprint ON files (fingerprint) WHERE fingerprint IS NOT NULL;

-- volume: the file system's UUID; NULL where it has none. place: the root's path on that file system.
ALTER TABLE roots ADD COLUMN volume TEXT;
ALTER TABLE roots ADD COLUMN place BLOB;

-- The model's file; NULL for the shipped one.
ALTER TABLE spaces ADD COLUMN checkpoint BLOB;
