-- SPDX-License-Identifier: Apache-2.0
-- What people say of their files, what they look for again and again, and the words that a file can be found by.

-- Stars, 1 to 5. A file without a row has none.
CREATE TABLE ratings (
    file INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5)
) STRICT;

-- A label on a whole file (no times) or on a span of it in seconds. source: 0 said by a person, 1 guessed by a model.
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> ''),
    start_s REAL,
    end_s REAL,
    source INTEGER NOT NULL CHECK (source IN (0, 1)),
    CHECK ((start_s IS NULL) = (end_s IS NULL)),
    CHECK (start_s IS NULL OR start_s < end_s)
) STRICT;
CREATE UNIQUE INDEX labels_once ON labels (file, name, coalesce(start_s, -1), coalesce(end_s, -1));
CREATE INDEX labels_by_name ON labels (name, file);

-- A search with a name. `parts` (JSON, written by the program) says how it was made, so that another model can make it
-- again; `vector` is dim little-endian float32 in `space`, what feedback made of the parts included.
CREATE TABLE concepts (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    parts TEXT NOT NULL,
    space TEXT NOT NULL,
    vector BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- rowid is the number of the file. Names of folders count too: people file by folders.
CREATE VIRTUAL TABLE words USING fts5 (name, folder, labels, tokenize = "porter unicode61 remove_diacritics 2");

-- Files whose row in `words` is behind. The writer brings it up within the same transaction: where the schema is not
-- trusted, a trigger may not write to a virtual table itself.
CREATE TABLE words_due (
    file INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER files_named AFTER INSERT ON files BEGIN
    INSERT OR IGNORE INTO words_due VALUES (new.id);
END;
CREATE TRIGGER files_renamed AFTER UPDATE OF path ON files BEGIN
    INSERT OR IGNORE INTO words_due VALUES (new.id);
END;
CREATE TRIGGER files_unnamed AFTER DELETE ON files BEGIN
    INSERT OR IGNORE INTO words_due VALUES (old.id);
END;
CREATE TRIGGER labels_given AFTER INSERT ON labels BEGIN
    INSERT OR IGNORE INTO words_due VALUES (new.file);
END;
CREATE TRIGGER labels_taken AFTER DELETE ON labels BEGIN
    INSERT OR IGNORE INTO words_due VALUES (old.file);
END;

-- What a file is called, where it lies and what is said of it. A name is what follows the last slash: cutting everything
-- that is no slash off the right leaves the folder.
CREATE VIEW spoken AS
    SELECT cut.id AS file, substr(whole, length(folder) + 1) AS name, folder,
           coalesce((SELECT group_concat(said.name, ' ')
                     FROM (SELECT labels.name FROM labels WHERE labels.file = cut.id ORDER BY labels.name) AS said), '') AS labels
    FROM (SELECT id, CAST(path AS TEXT) AS whole,
                 rtrim(CAST(path AS TEXT), replace(CAST(path AS TEXT), '/', '')) AS folder FROM files) AS cut;

INSERT INTO words (rowid, name, folder, labels) SELECT file, name, folder, labels FROM spoken;
