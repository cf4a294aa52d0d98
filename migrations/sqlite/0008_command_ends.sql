-- Commands that were ended before their time, and by whom; and the answers that were given under
-- an idempotency key: whoever didn't get one asks again and must not give the command twice.

ALTER TABLE commands ADD COLUMN ended_at_milliseconds INTEGER;
ALTER TABLE commands ADD COLUMN ended_by TEXT;

CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    used_at_milliseconds INTEGER NOT NULL,
    request_digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_time ON idempotency_keys (used_at_milliseconds);
