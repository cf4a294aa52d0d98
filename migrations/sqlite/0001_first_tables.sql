-- The first tables: nodes, their journal, decisions with what they saw, samples, operators'
-- commands, and the lengths of the phases of a node's life.
--
-- Times are UTC, in milliseconds since 1970. Documents are JSON; the columns beside them exist
-- to be searched by. A state is written before its act, the outcome after it, each in one
-- transaction with its journal row.

CREATE TABLE pools (
    pool TEXT PRIMARY KEY,
    history TEXT NOT NULL,
    decided_at_milliseconds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    label TEXT NOT NULL UNIQUE,
    vlan TEXT NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    is_final INTEGER NOT NULL,
    state_since_milliseconds INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Two living nodes never share an address: the API would accept it, the VLAN would not.
CREATE UNIQUE INDEX nodes_held_addresses ON nodes (vlan, address) WHERE is_final = 0;
CREATE INDEX nodes_by_pool ON nodes (pool, is_final, state_since_milliseconds);
CREATE INDEX nodes_by_vlan ON nodes (vlan, state_since_milliseconds);

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    at_milliseconds INTEGER NOT NULL,
    pool TEXT NOT NULL,
    node TEXT,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE INDEX journal_by_pool ON journal (pool, sequence);
CREATE INDEX journal_by_node ON journal (node, sequence) WHERE node IS NOT NULL;

CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    at_milliseconds INTEGER NOT NULL,
    direction TEXT NOT NULL,
    from_count INTEGER NOT NULL,
    to_count INTEGER NOT NULL,
    policy_digest TEXT NOT NULL,
    observation TEXT NOT NULL,
    decision TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX decisions_by_pool ON decisions (pool, at_milliseconds);
CREATE INDEX decisions_by_direction ON decisions (direction, at_milliseconds);

CREATE TABLE samples (
    pool TEXT NOT NULL,
    signal TEXT NOT NULL,
    at_milliseconds INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (pool, signal, at_milliseconds)
) STRICT, WITHOUT ROWID;

CREATE INDEX samples_by_time ON samples (at_milliseconds);

CREATE TABLE commands (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    given_at_milliseconds INTEGER NOT NULL,
    expires_at_milliseconds INTEGER NOT NULL,
    applied_at_milliseconds INTEGER,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX commands_by_pool ON commands (pool, given_at_milliseconds);

CREATE TABLE learned (
    node TEXT NOT NULL,
    phase TEXT NOT NULL,
    pool TEXT NOT NULL,
    at_milliseconds INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (node, phase)
) STRICT, WITHOUT ROWID;

CREATE INDEX learned_by_pool ON learned (pool, phase, at_milliseconds);
