-- What candidates would have done: a comparison of a week is worth nothing if a restart forgets it.
--
-- `shadows` is what a candidate's next decision starts from, as its own document: its history, its
-- would-be fleet and that of the live policy. `shadow_spans` are the times between two changes of
-- either count, each with the candidate's decision that it began with; sums over spans are what both
-- came to.

CREATE TABLE shadows (
    pool TEXT NOT NULL,
    candidate TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    at_milliseconds INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (pool, candidate)
) STRICT, WITHOUT ROWID;

CREATE TABLE shadow_spans (
    pool TEXT NOT NULL,
    candidate TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    from_milliseconds INTEGER NOT NULL,
    until_milliseconds INTEGER NOT NULL,
    span TEXT NOT NULL,
    observation TEXT NOT NULL,
    decision TEXT NOT NULL,
    PRIMARY KEY (pool, candidate, policy_digest, from_milliseconds)
) STRICT;

CREATE INDEX shadow_spans_by_end ON shadow_spans (until_milliseconds);
