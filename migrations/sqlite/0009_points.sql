-- Points: a pool's counts at each decision, as a narrow row, for charts.
--
-- A decision that changed nothing is kept for a day, for its observation is large; a chart goes back
-- 30 days. Points are kept as long as samples are. A freeze is a decision under a hold, or one
-- that no signal could be read for.

CREATE TABLE points (
    pool TEXT NOT NULL,
    at_milliseconds INTEGER NOT NULL,
    desired INTEGER NOT NULL,
    serving INTEGER NOT NULL,
    on_the_way INTEGER NOT NULL,
    standby INTEGER NOT NULL,
    leaving INTEGER NOT NULL,
    is_held INTEGER NOT NULL,
    is_blind INTEGER NOT NULL,
    PRIMARY KEY (pool, at_milliseconds)
) STRICT, WITHOUT ROWID;

CREATE INDEX points_by_time ON points (at_milliseconds);

-- What is remembered already.
INSERT INTO points
SELECT pool, at_milliseconds, to_count,
    json_extract(observation, '$.fleet.serving'),
    json_extract(observation, '$.fleet.on_the_way'),
    json_extract(observation, '$.fleet.standby'),
    json_extract(observation, '$.fleet.leaving'),
    json_extract(observation, '$.is_held'),
    json_extract(decision, '$.history.blind_since') IS NOT NULL
FROM decisions WHERE true ON CONFLICT DO NOTHING;

-- The few decisions that changed the count, without a walk over all the others.
CREATE INDEX decisions_that_change ON decisions (pool, at_milliseconds) WHERE direction <> 'hold';
