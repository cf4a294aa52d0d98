-- What the forecaster of a rule has learned, as its own document: a restart goes on from it.

CREATE TABLE forecasts (
    pool TEXT NOT NULL,
    rule TEXT NOT NULL,
    saved_at_milliseconds INTEGER NOT NULL,
    query TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (pool, rule)
) STRICT, WITHOUT ROWID;
