-- Announced campaigns, and what each taught: a push that comes at six has its nodes at six only if
-- what was said at noon, and what the last pushes were like, survives a restart between.
--
-- A face writes a hint and its cancellation; the loop writes that it told the journal of them, and
-- what the campaign taught once its tail was measured (nothing where it never came).

CREATE TABLE hints (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    starts_at_milliseconds INTEGER NOT NULL,
    ends_at_milliseconds INTEGER NOT NULL,
    cancelled_at_milliseconds INTEGER,
    cancelled_by TEXT,
    told_at_milliseconds INTEGER,
    cancel_told_at_milliseconds INTEGER,
    learned_at_milliseconds INTEGER,
    response TEXT,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX hints_by_pool ON hints (pool, ends_at_milliseconds);
CREATE INDEX hints_by_kind ON hints (pool, kind, unit, starts_at_milliseconds);
