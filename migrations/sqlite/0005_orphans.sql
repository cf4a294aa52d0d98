-- Orphans: instances with a pool's tag that are no node of it, with the moment since which every
-- listing has shown them. How long they have waited survives a restart, so a daemon that is
-- restarted often still comes to its end with them, and never sooner.
--
-- The index finds what the journal says of machines that somebody made their own.

CREATE TABLE orphans (
    instance INTEGER PRIMARY KEY,
    pool TEXT NOT NULL,
    label TEXT NOT NULL,
    since_milliseconds INTEGER NOT NULL
) STRICT;

CREATE INDEX orphans_by_pool ON orphans (pool);
CREATE INDEX journal_disowned ON journal (pool) WHERE kind = 'disowned';
