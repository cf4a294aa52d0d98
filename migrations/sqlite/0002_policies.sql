-- The text of every policy that ever made a decision, by its digest: a decision of last month is
-- explained and made again by the policy of last month, not by today's.

CREATE TABLE policies (
    digest TEXT PRIMARY KEY,
    first_used_at_milliseconds INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
