-- What outlives messages: counts, kept for good, and the evidence of notices.

-- Messages to customers, by the local day they were made on. Counted when they go to the history.
CREATE TABLE count_sent (
    day      TEXT    NOT NULL,
    kind     INTEGER NOT NULL,               -- message.MessageKind
    purpose  TEXT    NOT NULL,               -- the intent it answers, the notices.NoticeKind, or ''
    carrier  TEXT    NOT NULL,
    state    TEXT    NOT NULL,               -- of the message: a message.MtState that is final
    messages INTEGER NOT NULL,
    parts    INTEGER NOT NULL,               -- that the carrier accepted
    cost     INTEGER NOT NULL,               -- of these, in thousandths of a cent of EUR
    PRIMARY KEY (day, kind, purpose, carrier, state)
) WITHOUT ROWID;

-- Messages from customers, by the local day they came on.
CREATE TABLE count_received (
    day      TEXT    NOT NULL,
    carrier  TEXT    NOT NULL,
    intent   TEXT    NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (day, carrier, intent)
) WITHOUT ROWID;

-- What happened to registrations, by local day: counted from the audit, as far as `count_mark` says.
CREATE TABLE count_registered (
    day     TEXT    NOT NULL,
    change  TEXT    NOT NULL,                -- audit.Change
    channel TEXT    NOT NULL,                -- of what was made active or rejected: its request's
    changes INTEGER NOT NULL,
    PRIMARY KEY (day, change, channel)
) WITHOUT ROWID;
CREATE TABLE count_mark (
    audit INTEGER NOT NULL                   -- the last entry that is counted
);
INSERT INTO count_mark VALUES (0);

-- Different customers of a month: a keyed digest of each, until the month is long past; then how
-- many they were.
CREATE TABLE count_customer (
    month    TEXT    NOT NULL,               -- 2026-11
    what     TEXT    NOT NULL,               -- report.Customers
    customer INTEGER NOT NULL,               -- the first 8 octets of the digest
    PRIMARY KEY (month, what, customer)
) WITHOUT ROWID;
CREATE TABLE count_month (
    month     TEXT    NOT NULL,
    what      TEXT    NOT NULL,
    customers INTEGER NOT NULL,
    PRIMARY KEY (month, what)
) WITHOUT ROWID;

-- Active registrations at the end of each month.
CREATE TABLE count_active (
    month         TEXT    PRIMARY KEY,
    numbers       INTEGER NOT NULL,          -- different customer numbers
    phones        INTEGER NOT NULL,
    registrations INTEGER NOT NULL
) WITHOUT ROWID;

-- What became of each message of a notice; append-only. Personal values stand in columns that
-- erasing empties; the chain of digests runs over keyed digests of them, which stay.
CREATE TABLE evidence (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    notice          INTEGER NOT NULL,
    run             INTEGER NOT NULL,
    kind            TEXT    NOT NULL,        -- notices.NoticeKind
    mt_id           INTEGER NOT NULL UNIQUE,
    carrier         TEXT    NOT NULL,
    made_at         REAL    NOT NULL,        -- when the message was made
    state           TEXT    NOT NULL,        -- message.MtState, final
    final_at        REAL    NOT NULL,
    segments        TEXT    NOT NULL,        -- JSON, as in history_mt
    msisdn          TEXT,                    -- NULL: erased
    customer_number TEXT,                    -- NULL: erased
    bills           TEXT,                    -- JSON, as in notice; with the two below
    parameters      TEXT,
    text            TEXT,                    -- NULL: all three are erased, or no longer kept
    person          BLOB    NOT NULL,        -- keyed digest of the MSISDN
    customer        BLOB    NOT NULL,        -- keyed digest of the customer number
    said            BLOB    NOT NULL,        -- keyed digest of bills, parameters and text
    digest          BLOB    NOT NULL         -- keyed, over the row before's and all of this row
);
CREATE INDEX evidence_notice ON evidence (notice);  -- all else about notices finds these
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence BEGIN
    SELECT raise(ABORT, 'the evidence is append-only');
END;
CREATE TRIGGER evidence_is_not_changed BEFORE UPDATE ON evidence
WHEN new.id <> old.id OR new.notice <> old.notice OR new.run <> old.run OR new.kind <> old.kind
    OR new.mt_id <> old.mt_id OR new.carrier <> old.carrier OR new.made_at <> old.made_at
    OR new.state <> old.state OR new.final_at <> old.final_at OR new.segments <> old.segments
    OR new.person <> old.person OR new.customer <> old.customer OR new.said <> old.said
    OR new.digest <> old.digest
    OR new.msisdn IS NOT NULL AND new.msisdn IS NOT old.msisdn
    OR new.customer_number IS NOT NULL AND new.customer_number IS NOT old.customer_number
    OR new.bills IS NOT NULL AND new.bills IS NOT old.bills
    OR new.parameters IS NOT NULL AND new.parameters IS NOT old.parameters
    OR new.text IS NOT NULL AND new.text IS NOT old.text
BEGIN
    SELECT raise(ABORT, 'the evidence is append-only');
END;
