-- What people are told through Grafana and webhooks: written with what it tells of in one
-- transaction, delivered by a task of its own. A receiver that is down delays nothing, and a daemon
-- that dies between a decision and its annotation still makes it.
--
-- A condition is what began and has not ended: a change of the count under way, a freeze. It is
-- told twice, at its beginning and at its end, whatever restarts lie between.
--
-- A message waits, and then is delivered, given up, or left out because there were too many; what
-- was left out is summed up by a message of its own. `tries` is raised before each try, so that one
-- which a crash cut off is known.

CREATE TABLE conditions (
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (pool, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    pool TEXT NOT NULL,
    state TEXT NOT NULL,
    written_at_milliseconds INTEGER NOT NULL,
    due_at_milliseconds INTEGER NOT NULL,
    settled_at_milliseconds INTEGER,
    tries INTEGER NOT NULL,
    reference TEXT,
    error TEXT,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX outbox_by_state ON outbox (destination, state, id);
CREATE INDEX outbox_by_subject ON outbox (destination, subject, id);
CREATE INDEX outbox_settled ON outbox (settled_at_milliseconds) WHERE settled_at_milliseconds IS NOT NULL;
