-- Who may use the API; and both ends of the journal's chain, so that rows can be taken off its
-- beginning when they are old, and can't be taken off its end unnoticed.
--
-- The journal has been a chain since the first tables: no row has to be chained anew. Its end is
-- noted here from the newest row there is.
--
-- A token itself is written nowhere: `hash` is SHA-256 over its 32 random bytes. `pools` is a JSON
-- list, NULL where it holds for every pool. `disowned` keeps what journal rows that were taken off
-- said of machines that are somebody else's: that must not be forgotten.

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    hash BLOB NOT NULL,
    scope TEXT NOT NULL,
    pools TEXT,
    made_at_milliseconds INTEGER NOT NULL,
    expires_at_milliseconds INTEGER,
    revoked_at_milliseconds INTEGER,
    used_at_milliseconds INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_ends (
    which TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO journal_ends (which, sequence, hash) VALUES ('anchor', 0, ''), ('end', 0, '');
UPDATE journal_ends
SET (sequence, hash) = (SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1)
WHERE which = 'end' AND EXISTS (SELECT 1 FROM journal);

CREATE TABLE disowned (
    pool TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
