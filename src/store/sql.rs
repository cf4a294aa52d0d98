//! Every statement, in one place: a second database is a second list of these.

/// The pool's history.
pub const HISTORY: &str = "SELECT history FROM pools WHERE pool = ?1";

/// Replaces the pool's history.
pub const SET_HISTORY: &str = "
    INSERT INTO pools (pool, history, decided_at_milliseconds) VALUES (?1, ?2, ?3)
    ON CONFLICT (pool) DO UPDATE SET history = ?2, decided_at_milliseconds = ?3";

/// Living nodes of a pool, and those that ended since a time.
pub const NODES: &str = "
    SELECT document FROM nodes
    WHERE pool = ?1 AND (is_final = 0 OR state_since_milliseconds >= ?2) ORDER BY id";

/// Writes a node, new or known.
pub const SET_NODE: &str = "
    INSERT INTO nodes
        (id, pool, label, vlan, address, state, is_final, state_since_milliseconds, document)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (id) DO UPDATE
    SET state = ?6, is_final = ?7, state_since_milliseconds = ?8, document = ?9";

/// Addresses of a VLAN that are held, or were freed since a time; the latest use of each.
pub const ADDRESSES: &str = "
    SELECT address, MIN(is_final), MAX(state_since_milliseconds) FROM nodes
    WHERE vlan = ?1 AND (is_final = 0 OR state_since_milliseconds >= ?2) GROUP BY address";

/// One end of the journal's chain: `anchor` is the last row that was taken off its beginning,
/// `end` the newest one.
pub const JOURNAL_END: &str = "SELECT sequence, hash FROM journal_ends WHERE which = ?1";

/// Moves an end of the journal's chain.
pub const MOVE_JOURNAL_END: &str =
    "UPDATE journal_ends SET sequence = ?2, hash = ?3 WHERE which = ?1";

/// The largest number of any journal row.
pub const LAST_JOURNAL_ROW: &str = "SELECT coalesce(max(sequence), 0) FROM journal";

/// When the oldest journal row was written.
pub const OLDEST_JOURNAL_ROW: &str =
    "SELECT at_milliseconds FROM journal ORDER BY sequence LIMIT 1";

/// Keeps what journal rows up to a number say of machines that are somebody else's.
pub const KEEP_DISOWNED: &str = "
    INSERT INTO disowned (pool, document)
    SELECT pool, document FROM journal WHERE kind = 'disowned' AND sequence <= ?1";

/// Takes journal rows up to a number off the chain's beginning.
pub const PRUNE_JOURNAL: &str = "DELETE FROM journal WHERE sequence <= ?1";

/// Journal rows of every pool and of none below a number, newest first, by kinds.
pub const AUDIT: &str = "
    SELECT sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash
    FROM journal WHERE sequence < ?1 AND kind IN (SELECT value FROM json_each(?2))
    ORDER BY sequence DESC LIMIT ?3";

/// Adds a token.
pub const ADD_TOKEN: &str = "
    INSERT INTO tokens (id, owner, hash, scope, pools, made_at_milliseconds,
        expires_at_milliseconds)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// A token and its hash.
pub const TOKEN: &str = "
    SELECT id, owner, scope, pools, made_at_milliseconds, expires_at_milliseconds,
        revoked_at_milliseconds, used_at_milliseconds, hash
    FROM tokens WHERE id = ?1";

/// Every token, oldest first.
pub const TOKENS: &str = "
    SELECT id, owner, scope, pools, made_at_milliseconds, expires_at_milliseconds,
        revoked_at_milliseconds, used_at_milliseconds, hash
    FROM tokens ORDER BY made_at_milliseconds, id";

/// Revokes a token that isn't revoked.
pub const REVOKE_TOKEN: &str = "
    UPDATE tokens SET revoked_at_milliseconds = ?2
    WHERE id = ?1 AND revoked_at_milliseconds IS NULL";

/// Notes that a token was used.
pub const USE_TOKEN: &str = "UPDATE tokens SET used_at_milliseconds = ?2 WHERE id = ?1";

/// Adds a journal row.
pub const ADD_JOURNAL: &str = "
    INSERT INTO journal
        (sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Journal rows of a pool below a number, newest first.
pub const JOURNAL: &str = "
    SELECT sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash
    FROM journal WHERE pool = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3";

/// Every journal row above a number, oldest first.
pub const JOURNAL_AFTER: &str = "
    SELECT sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash
    FROM journal WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";

/// The same without rows that are about no pool, such as those of tokens.
pub const JOURNAL_OF_POOLS_AFTER: &str = "
    SELECT sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash
    FROM journal WHERE sequence > ?1 AND pool <> '' ORDER BY sequence LIMIT ?2";

/// Journal rows of a pool below a number that fit a filter, newest first.
pub const JOURNAL_WHERE: &str = "
    SELECT sequence, at_milliseconds, pool, node, kind, document, previous_hash, hash
    FROM journal WHERE pool = ?1 AND sequence < ?2 AND (?4 IS NULL OR kind = ?4)
        AND (?5 IS NULL OR node = ?5) AND at_milliseconds >= ?6 AND at_milliseconds <= ?7
    ORDER BY sequence DESC LIMIT ?3";

/// Adds a decision.
pub const ADD_DECISION: &str = "
    INSERT INTO decisions (id, pool, at_milliseconds, direction, from_count, to_count,
        policy_digest, observation, decision)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Decisions of a pool up to a time and before an id of that time, newest first.
pub const DECISIONS: &str = "
    SELECT id, at_milliseconds, policy_digest, observation, decision FROM decisions
    WHERE pool = ?1 AND at_milliseconds <= ?2 AND (at_milliseconds < ?2 OR id < ?3)
    ORDER BY at_milliseconds DESC, id DESC LIMIT ?4";

/// The same, only those that changed the count.
pub const CHANGES: &str = "
    SELECT id, at_milliseconds, policy_digest, observation, decision FROM decisions
    WHERE pool = ?1 AND at_milliseconds <= ?2 AND (at_milliseconds < ?2 OR id < ?3)
        AND direction <> 'hold'
    ORDER BY at_milliseconds DESC, id DESC LIMIT ?4";

/// One decision of a pool.
pub const DECISION: &str = "
    SELECT id, at_milliseconds, policy_digest, observation, decision FROM decisions
    WHERE pool = ?1 AND id = ?2";

/// Adds a sample, unless the same point is known.
pub const ADD_SAMPLE: &str = "
    INSERT INTO samples (pool, signal, at_milliseconds, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";

/// Adds a command.
pub const ADD_COMMAND: &str = "
    INSERT INTO commands (id, pool, given_at_milliseconds, expires_at_milliseconds, document)
    VALUES (?1, ?2, ?3, ?4, ?5)";

/// The commands in force for a pool, oldest first.
pub const COMMANDS: &str = "
    SELECT id, given_at_milliseconds, expires_at_milliseconds, applied_at_milliseconds, document
    FROM commands WHERE pool = ?1 AND expires_at_milliseconds > ?2
        AND ended_at_milliseconds IS NULL
    ORDER BY given_at_milliseconds, id";

/// Ends a command that is in force.
pub const END_COMMAND: &str = "
    UPDATE commands SET ended_at_milliseconds = ?3, ended_by = ?4
    WHERE id = ?1 AND pool = ?2 AND ended_at_milliseconds IS NULL AND expires_at_milliseconds > ?3";

/// Commands of a pool below an id, newest first: ids are made in the order of time.
pub const COMMAND_LIST: &str = "
    SELECT document, applied_at_milliseconds, ended_at_milliseconds, ended_by
    FROM commands WHERE pool = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

/// One command.
pub const COMMAND: &str = "
    SELECT document, applied_at_milliseconds, ended_at_milliseconds, ended_by
    FROM commands WHERE pool = ?1 AND id = ?2";

/// What was asked and answered under a key.
pub const IDEMPOTENCY_KEY: &str = "
    SELECT request_digest, answer FROM idempotency_keys WHERE owner = ?1 AND key = ?2";

/// Keeps what was asked and answered under a key.
pub const KEEP_IDEMPOTENCY_KEY: &str = "
    INSERT INTO idempotency_keys (owner, key, used_at_milliseconds, request_digest, answer)
    VALUES (?1, ?2, ?3, ?4, ?5)";

/// Old idempotency keys, some at a time.
pub const PRUNE_IDEMPOTENCY_KEYS: &str = "
    DELETE FROM idempotency_keys WHERE (owner, key) IN
        (SELECT owner, key FROM idempotency_keys WHERE used_at_milliseconds < ?1 LIMIT 500)";

/// Marks a command as seen by the loop.
pub const APPLY_COMMAND: &str = "
    UPDATE commands SET applied_at_milliseconds = ?2
    WHERE id = ?1 AND applied_at_milliseconds IS NULL";

/// Adds the length of a phase of a node's life.
pub const ADD_LEARNED: &str = "
    INSERT INTO learned (node, phase, pool, at_milliseconds, seconds) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (node, phase) DO UPDATE SET at_milliseconds = ?4, seconds = ?5";

/// The latest lengths of a phase in a pool, newest first.
pub const LEARNED: &str = "
    SELECT seconds FROM learned WHERE pool = ?1 AND phase = ?2
    ORDER BY at_milliseconds DESC LIMIT ?3";

/// How long whole beginnings took: nodes of a pool that ended all four phases until they served,
/// newest first.
pub const LIVES_TO_SERVE: &str = "
    SELECT SUM(seconds) FROM learned
    WHERE pool = ?1 AND phase IN ('create', 'boot', 'configure', 'join')
    GROUP BY node HAVING COUNT(*) = 4 ORDER BY MAX(at_milliseconds) DESC LIMIT ?2";

/// How long whole ends took: drain and deletion, newest first.
pub const LIVES_TO_LEAVE: &str = "
    SELECT SUM(seconds) FROM learned WHERE pool = ?1 AND phase IN ('drain', 'delete')
    GROUP BY node HAVING COUNT(*) = 2 ORDER BY MAX(at_milliseconds) DESC LIMIT ?2";

/// The phases of one node.
pub const LEARNED_OF_NODE: &str = "SELECT phase, seconds FROM learned WHERE node = ?1";

/// Old decisions that changed nothing, some at a time.
pub const PRUNE_IDLE_DECISIONS: &str = "
    DELETE FROM decisions WHERE id IN (SELECT id FROM decisions
        WHERE direction = 'hold' AND at_milliseconds < ?1 LIMIT 500)";

/// Old decisions, some at a time.
pub const PRUNE_DECISIONS: &str = "
    DELETE FROM decisions WHERE id IN (SELECT id FROM decisions
        WHERE direction <> 'hold' AND at_milliseconds < ?1 LIMIT 500)";

/// Old samples, some at a time.
pub const PRUNE_SAMPLES: &str = "
    DELETE FROM samples WHERE (pool, signal, at_milliseconds) IN
        (SELECT pool, signal, at_milliseconds FROM samples WHERE at_milliseconds < ?1 LIMIT 2000)";

/// Nodes that ended long ago, some at a time.
pub const PRUNE_NODES: &str = "
    DELETE FROM nodes WHERE id IN (SELECT id FROM nodes
        WHERE is_final = 1 AND state_since_milliseconds < ?1 LIMIT 500)";

/// Campaigns that ended long ago, some at a time; not the last twenty of a kind that taught
/// something: a push at Christmas is like the last one.
pub const PRUNE_HINTS: &str = "
    DELETE FROM hints WHERE id IN (SELECT id FROM hints AS old
        WHERE old.ends_at_milliseconds < ?1 AND (old.response IS NULL OR 20 <= (
            SELECT count(*) FROM hints AS later
            WHERE later.pool = old.pool AND later.kind = old.kind AND later.unit = old.unit
                AND later.response IS NOT NULL
                AND (later.starts_at_milliseconds, later.id) > (old.starts_at_milliseconds, old.id)
        )) LIMIT 500)";

/// Keeps a policy's text, unless it is known.
pub const KEEP_POLICY: &str = "
    INSERT INTO policies (digest, first_used_at_milliseconds, text) VALUES (?1, ?2, ?3)
    ON CONFLICT DO NOTHING";

/// A policy's text.
pub const POLICY_TEXT: &str = "SELECT text FROM policies WHERE digest = ?1";

/// Keeps what a rule's forecaster has learned.
pub const KEEP_FORECAST: &str = "
    INSERT INTO forecasts (pool, rule, saved_at_milliseconds, query, state)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (pool, rule) DO UPDATE SET saved_at_milliseconds = ?3, query = ?4, state = ?5";

/// What a rule's forecaster had learned.
pub const KEPT_FORECAST: &str = "
    SELECT saved_at_milliseconds, query, state FROM forecasts WHERE pool = ?1 AND rule = ?2";

/// Adds a hint that is not there yet.
pub const ADD_HINT: &str = "
    INSERT INTO hints
        (id, pool, kind, unit, starts_at_milliseconds, ends_at_milliseconds, document)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";

/// Cancels a hint that is neither over nor cancelled.
pub const CANCEL_HINT: &str = "
    UPDATE hints SET cancelled_at_milliseconds = ?3, cancelled_by = ?4
    WHERE id = ?1 AND pool = ?2 AND ends_at_milliseconds > ?3
        AND cancelled_at_milliseconds IS NULL";

/// The hints of a pool that end after a time.
pub const HINTS: &str = "
    SELECT document, cancelled_at_milliseconds, response FROM hints
    WHERE pool = ?1 AND ends_at_milliseconds > ?2 ORDER BY starts_at_milliseconds, id";

/// Hints whose announcement or cancellation the journal doesn't have.
pub const UNTOLD_HINTS: &str = "
    SELECT document, told_at_milliseconds IS NOT NULL, cancelled_by FROM hints
    WHERE pool = ?1 AND (told_at_milliseconds IS NULL
        OR (cancelled_at_milliseconds IS NOT NULL AND cancel_told_at_milliseconds IS NULL))
    ORDER BY id";

/// Notes that the journal has what is known of a hint.
pub const TELL_HINT: &str = "
    UPDATE hints SET told_at_milliseconds = coalesce(told_at_milliseconds, ?2),
        cancel_told_at_milliseconds = iif(cancelled_at_milliseconds IS NULL, NULL, ?2)
    WHERE id = ?1";

/// Hints that are over, were not cancelled, and have not been learned from.
pub const HINTS_TO_LEARN_FROM: &str = "
    SELECT document FROM hints
    WHERE pool = ?1 AND ends_at_milliseconds <= ?2 AND learned_at_milliseconds IS NULL
        AND cancelled_at_milliseconds IS NULL ORDER BY ends_at_milliseconds, id LIMIT 20";

/// Keeps what a campaign taught.
pub const KEEP_RESPONSE: &str = "
    UPDATE hints SET learned_at_milliseconds = ?2, response = ?3 WHERE id = ?1";

/// What campaigns of a kind taught, newest first.
pub const RESPONSES: &str = "
    SELECT response FROM hints
    WHERE pool = ?1 AND kind = ?2 AND unit = ?3 AND response IS NOT NULL
    ORDER BY starts_at_milliseconds DESC, id DESC LIMIT ?4";

/// The orphans of a pool.
pub const ORPHANS: &str = "
    SELECT instance, label, since_milliseconds FROM orphans WHERE pool = ?1 ORDER BY instance";

/// Writes an orphan, new or known.
pub const SET_ORPHAN: &str = "
    INSERT INTO orphans (instance, pool, label, since_milliseconds) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (instance) DO UPDATE SET pool = ?2, label = ?3, since_milliseconds = ?4";

/// Forgets an orphan.
pub const FORGET_ORPHAN: &str = "DELETE FROM orphans WHERE instance = ?1";

/// The journal's rows about machines that somebody made their own.
pub const DISOWNED: &str = "
    SELECT document FROM journal WHERE pool = ?1 AND kind = 'disowned'
    UNION ALL SELECT document FROM disowned WHERE pool = ?1";

/// A signal's samples, oldest first, at most so many.
pub const SAMPLES_PAGE: &str = "
    SELECT at_milliseconds, value FROM samples
    WHERE pool = ?1 AND signal = ?2 AND at_milliseconds >= ?3 AND at_milliseconds <= ?4
    ORDER BY at_milliseconds LIMIT ?5";

/// What has begun in a pool and not ended.
pub const CONDITIONS: &str = "SELECT document FROM conditions WHERE pool = ?1 ORDER BY kind";

/// Notes that something began.
pub const BEGIN_CONDITION: &str = "
    INSERT INTO conditions (pool, kind, document) VALUES (?1, ?2, ?3)
    ON CONFLICT (pool, kind) DO UPDATE SET document = ?3";

/// Notes that it ended.
pub const END_CONDITION: &str = "DELETE FROM conditions WHERE pool = ?1 AND kind = ?2";

/// Puts a message into the outbox.
pub const ADD_MESSAGE: &str = "
    INSERT INTO outbox (destination, subject, kind, pool, state, written_at_milliseconds,
        due_at_milliseconds, tries, document)
    VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5, 0, ?6)";

/// Messages of one destination that may be tried, oldest first: due now, or further away than any
/// wait is, which a clock that was set back makes; and none whose beginning still waits.
pub const DUE_MESSAGES: &str = "
    SELECT id, written_at_milliseconds, tries, document, (
            SELECT told.reference FROM outbox AS told
            WHERE told.destination = head.destination AND told.subject = head.subject
                AND told.id < head.id AND told.reference IS NOT NULL
            ORDER BY told.id DESC LIMIT 1)
    FROM outbox AS head
    WHERE destination = ?1 AND state = 'waiting'
        AND (due_at_milliseconds <= ?2 OR due_at_milliseconds > ?3)
        AND NOT EXISTS (SELECT 1 FROM outbox AS earlier
            WHERE earlier.destination = head.destination AND earlier.subject = head.subject
                AND earlier.id < head.id AND earlier.state = 'waiting')
    ORDER BY id LIMIT ?4";

/// Notes that a message is about to be tried.
pub const TRY_MESSAGE: &str =
    "UPDATE outbox SET tries = tries + 1, due_at_milliseconds = ?2 WHERE id = ?1";

/// Notes that a try failed, and when the next one is due.
pub const DEFER_MESSAGE: &str =
    "UPDATE outbox SET due_at_milliseconds = ?2, error = ?3 WHERE id = ?1";

/// Notes what a message came to.
pub const SETTLE_MESSAGE: &str = "
    UPDATE outbox SET state = ?2, settled_at_milliseconds = ?3, reference = ?4,
        error = coalesce(?5, error)
    WHERE id = ?1";

/// How many messages were delivered to a destination since a time and before another.
pub const DELIVERED_SINCE: &str = "
    SELECT count(*) FROM outbox
    WHERE destination = ?1 AND state = 'delivered'
        AND settled_at_milliseconds > ?2 AND settled_at_milliseconds <= ?3";

/// Leaves out every waiting message of a destination that is no sum of what was left out.
pub const LEAVE_OUT_MESSAGES: &str = "
    UPDATE outbox SET state = 'left_out', settled_at_milliseconds = ?2
    WHERE destination = ?1 AND state = 'waiting' AND kind <> 'left_out' AND tries = 0";

/// What was left out and not summed up, by pool and kind.
pub const LEFT_OUT_MESSAGES: &str = "
    SELECT pool, kind, count(*), min(written_at_milliseconds), max(written_at_milliseconds)
    FROM outbox WHERE destination = ?1 AND state = 'left_out' GROUP BY pool, kind
    ORDER BY pool, kind";

/// Notes that what was left out was summed up.
pub const SUM_UP_MESSAGES: &str =
    "UPDATE outbox SET state = 'summed_up' WHERE destination = ?1 AND state = 'left_out'";

/// The oldest waiting messages of a destination beyond so many.
pub const SURPLUS_MESSAGES: &str = "
    SELECT id, document FROM outbox WHERE destination = ?1 AND state = 'waiting'
    ORDER BY id DESC LIMIT 500 OFFSET ?2";

/// Who has messages waiting, how many, and since when the oldest.
pub const WAITING_MESSAGES: &str = "
    SELECT destination, count(*), min(written_at_milliseconds) FROM outbox
    WHERE state = 'waiting' GROUP BY destination ORDER BY destination";

/// A destination's messages, oldest first, whatever became of them.
pub const MESSAGES: &str = "
    SELECT state, tries, error, document FROM outbox WHERE destination = ?1 ORDER BY id";

/// Messages that came to something long ago, some at a time.
pub const PRUNE_MESSAGES: &str = "
    DELETE FROM outbox WHERE id IN (SELECT id FROM outbox
        WHERE settled_at_milliseconds < ?1 AND state <> 'left_out' LIMIT 500)";
/// Adds a pool's counts at a decision; the later of two at one moment counts.
pub const ADD_POINT: &str = "
    INSERT OR REPLACE INTO points (pool, at_milliseconds, desired, serving, on_the_way, standby,
        leaving, is_held, is_blind)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// The least and the most of a pool's counts in each bucket of a time. `?5` is not used.
pub const COUNT_BANDS: &str = "
    SELECT (at_milliseconds - ?2) / ?4, MIN(desired), MAX(desired), MIN(serving), MAX(serving),
        MIN(on_the_way), MAX(on_the_way), MIN(serving + on_the_way), MAX(serving + on_the_way),
        MIN(standby), MAX(standby), MIN(leaving), MAX(leaving)
    FROM points WHERE pool = ?1 AND at_milliseconds >= ?2 AND at_milliseconds < ?3
        AND ?5 IS NULL
    GROUP BY 1";

/// The least and the most of a signal in each bucket of a time.
pub const SIGNAL_BAND: &str = "
    SELECT (at_milliseconds - ?2) / ?4, MIN(value), MAX(value)
    FROM samples WHERE pool = ?1 AND signal = ?5 AND at_milliseconds >= ?2 AND at_milliseconds < ?3
    GROUP BY 1";

/// Decisions of a time that changed the count, newest first.
pub const COUNT_CHANGES: &str = "
    SELECT id, at_milliseconds, from_count, to_count, json_extract(decision, '$.reasons')
    FROM decisions WHERE pool = ?1 AND at_milliseconds >= ?2 AND at_milliseconds < ?3
        AND direction <> 'hold'
    ORDER BY at_milliseconds DESC, id DESC LIMIT ?4";

/// Where a hold or a blindness began or ended in a time, the first point included; and the time
/// of the last point.
pub const FREEZES: &str = "
    SELECT at_milliseconds, is_held, is_blind, last FROM (
        SELECT at_milliseconds, is_held, is_blind,
            MAX(at_milliseconds) OVER () AS last,
            LAG(is_held) OVER (ORDER BY at_milliseconds) AS was_held,
            LAG(is_blind) OVER (ORDER BY at_milliseconds) AS was_blind
        FROM points WHERE pool = ?1 AND at_milliseconds >= ?2 AND at_milliseconds < ?3)
    WHERE is_held IS NOT was_held OR is_blind IS NOT was_blind ORDER BY at_milliseconds";

/// Old points, some at a time.
pub const PRUNE_POINTS: &str = "
    DELETE FROM points WHERE (pool, at_milliseconds) IN
        (SELECT pool, at_milliseconds FROM points WHERE at_milliseconds < ?1 LIMIT 2000)";

/// Keeps what a candidate's next decision starts from.
pub const KEEP_SHADOW: &str = "
    INSERT INTO shadows (pool, candidate, policy_digest, at_milliseconds, state)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (pool, candidate) DO UPDATE
    SET policy_digest = ?3, at_milliseconds = ?4, state = ?5";

/// What every candidate of a pool starts from.
pub const SHADOWS: &str = "
    SELECT candidate, policy_digest, at_milliseconds, state FROM shadows
    WHERE pool = ?1 ORDER BY candidate";

/// Forgets what a candidate starts from.
pub const FORGET_SHADOW: &str = "DELETE FROM shadows WHERE pool = ?1 AND candidate = ?2";

/// Forgets what forecasters of a candidate have learned: their rules begin with a text.
pub const FORGET_SHADOW_FORECASTS: &str =
    "DELETE FROM forecasts WHERE pool = ?1 AND substr(rule, 1, length(?2)) = ?2";

/// Begins a span.
pub const ADD_SHADOW_SPAN: &str = "
    INSERT INTO shadow_spans (pool, candidate, policy_digest, from_milliseconds,
        until_milliseconds, span, observation, decision)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (pool, candidate, policy_digest, from_milliseconds) DO UPDATE
    SET until_milliseconds = ?5, span = ?6, observation = ?7, decision = ?8";

/// Moves a span's end.
pub const MOVE_SHADOW_SPAN: &str = "
    UPDATE shadow_spans SET until_milliseconds = ?5, span = ?6
    WHERE pool = ?1 AND candidate = ?2 AND policy_digest = ?3 AND from_milliseconds = ?4";

/// Spans of a candidate that ended at a time or later, oldest first.
pub const SHADOW_SPANS: &str = "
    SELECT span FROM shadow_spans
    WHERE pool = ?1 AND candidate = ?2 AND policy_digest = ?3 AND until_milliseconds >= ?4
    ORDER BY from_milliseconds";

/// The decisions that a candidate's spans began with, oldest first.
pub const SHADOW_DECISIONS: &str = "
    SELECT observation, decision FROM shadow_spans
    WHERE pool = ?1 AND candidate = ?2 AND policy_digest = ?3 ORDER BY from_milliseconds";

/// Old spans, some at a time.
pub const PRUNE_SHADOW_SPANS: &str = "
    DELETE FROM shadow_spans WHERE rowid IN (SELECT rowid FROM shadow_spans
        WHERE until_milliseconds < ?1 LIMIT 500)";

/// What is wrong with the file; one row `ok` where nothing is.
pub const INTEGRITY: &str = "PRAGMA integrity_check";

/// All of the above, for the test that prepares each.
#[cfg(test)]
pub const ALL: &[&str] = &[
    HISTORY,
    SET_HISTORY,
    NODES,
    SET_NODE,
    ADDRESSES,
    JOURNAL_END,
    MOVE_JOURNAL_END,
    LAST_JOURNAL_ROW,
    OLDEST_JOURNAL_ROW,
    KEEP_DISOWNED,
    PRUNE_JOURNAL,
    AUDIT,
    ADD_TOKEN,
    TOKEN,
    TOKENS,
    REVOKE_TOKEN,
    USE_TOKEN,
    ADD_JOURNAL,
    JOURNAL,
    JOURNAL_AFTER,
    JOURNAL_OF_POOLS_AFTER,
    JOURNAL_WHERE,
    SAMPLES_PAGE,
    ADD_DECISION,
    DECISIONS,
    CHANGES,
    DECISION,
    ADD_SAMPLE,
    ADD_COMMAND,
    COMMANDS,
    APPLY_COMMAND,
    END_COMMAND,
    COMMAND_LIST,
    COMMAND,
    IDEMPOTENCY_KEY,
    KEEP_IDEMPOTENCY_KEY,
    PRUNE_IDEMPOTENCY_KEYS,
    ADD_LEARNED,
    LEARNED,
    LIVES_TO_SERVE,
    LIVES_TO_LEAVE,
    LEARNED_OF_NODE,
    PRUNE_IDLE_DECISIONS,
    PRUNE_DECISIONS,
    PRUNE_SAMPLES,
    PRUNE_NODES,
    PRUNE_HINTS,
    KEEP_POLICY,
    POLICY_TEXT,
    KEEP_FORECAST,
    KEPT_FORECAST,
    ADD_HINT,
    CANCEL_HINT,
    HINTS,
    UNTOLD_HINTS,
    TELL_HINT,
    HINTS_TO_LEARN_FROM,
    KEEP_RESPONSE,
    RESPONSES,
    ORPHANS,
    SET_ORPHAN,
    FORGET_ORPHAN,
    DISOWNED,
    CONDITIONS,
    BEGIN_CONDITION,
    END_CONDITION,
    ADD_MESSAGE,
    DUE_MESSAGES,
    TRY_MESSAGE,
    DEFER_MESSAGE,
    SETTLE_MESSAGE,
    DELIVERED_SINCE,
    LEAVE_OUT_MESSAGES,
    LEFT_OUT_MESSAGES,
    SUM_UP_MESSAGES,
    SURPLUS_MESSAGES,
    WAITING_MESSAGES,
    MESSAGES,
    PRUNE_MESSAGES,
    ADD_POINT,
    COUNT_BANDS,
    SIGNAL_BAND,
    COUNT_CHANGES,
    FREEZES,
    PRUNE_POINTS,
    KEEP_SHADOW,
    SHADOWS,
    FORGET_SHADOW,
    FORGET_SHADOW_FORECASTS,
    ADD_SHADOW_SPAN,
    MOVE_SHADOW_SPAN,
    SHADOW_SPANS,
    SHADOW_DECISIONS,
    PRUNE_SHADOW_SPANS,
    INTEGRITY,
];
