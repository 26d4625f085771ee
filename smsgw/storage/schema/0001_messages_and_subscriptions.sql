-- Times are seconds since 1970, UTC. Hot tables only grow at the end: no index on them has a
-- random key, so that fifty messages dirty a few pages and not fifty.

CREATE TABLE mo (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at REAL    NOT NULL,
    carrier     TEXT    NOT NULL,
    session     INTEGER NOT NULL,
    late        INTEGER NOT NULL DEFAULT 0,  -- acknowledged more than 10 s after it came
    msisdn      TEXT    NOT NULL,
    destination TEXT    NOT NULL,
    esm_class   INTEGER NOT NULL,
    data_coding INTEGER NOT NULL,
    octets      BLOB    NOT NULL,
    text        TEXT    NOT NULL,
    intent      TEXT,                        -- NULL: a part of a long message, not answered
    reference   INTEGER,                     -- of a part; with total and part
    total       INTEGER,
    part        INTEGER
);

-- A redelivery that a stored message absorbed.
CREATE TABLE redelivery (
    mo_id       INTEGER NOT NULL REFERENCES mo (id),
    received_at REAL    NOT NULL,
    session     INTEGER NOT NULL
);
CREATE INDEX redelivery_mo ON redelivery (mo_id);

-- SMPP sessions that ended while the daemon lived. One that is not here ended with its process.
CREATE TABLE session_end (
    session  INTEGER PRIMARY KEY,
    carrier  TEXT NOT NULL,
    ended_at REAL NOT NULL
);

CREATE TABLE mt (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    mo_id           INTEGER REFERENCES mo (id),  -- what it answers
    kind            INTEGER NOT NULL,            -- message.MessageKind: the priority
    carrier         TEXT    NOT NULL,
    msisdn          TEXT    NOT NULL,
    text            TEXT    NOT NULL,
    data_coding     INTEGER NOT NULL,
    created_at      REAL    NOT NULL
);

-- One submit_sm each.
CREATE TABLE segment (
    mt_id      INTEGER NOT NULL REFERENCES mt (id),
    part       INTEGER NOT NULL,             -- from 1
    total      INTEGER NOT NULL,
    carrier    TEXT    NOT NULL,
    kind       INTEGER NOT NULL,
    octets     BLOB    NOT NULL,             -- with the user data header, where there is one
    state      TEXT    NOT NULL,             -- message.MtState
    attempts   INTEGER NOT NULL DEFAULT 0,   -- submits whose outcome is known or lost
    lost       INTEGER NOT NULL DEFAULT 0,   -- of these, how many had no response
    not_before REAL,                         -- while waiting
    message_id TEXT,                         -- the carrier's
    error      TEXT,                         -- the carrier's word on the last refusal or receipt
    changed_at REAL    NOT NULL,
    PRIMARY KEY (mt_id, part)
) WITHOUT ROWID;
CREATE INDEX segment_queued   ON segment (carrier, kind, mt_id, part) WHERE state = 'queued';
CREATE INDEX segment_waiting  ON segment (not_before)                 WHERE state = 'waiting';
CREATE INDEX segment_claimed  ON segment (mt_id)                      WHERE state = 'claimed';
CREATE INDEX segment_accepted ON segment (carrier, message_id)        WHERE state = 'accepted';
CREATE INDEX segment_unknown  ON segment (changed_at)                 WHERE state = 'unknown';

-- Receipts that came before the response they belong to, or that belong to nothing.
CREATE TABLE parked_receipt (
    carrier     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    state       TEXT NOT NULL,               -- message.ReceiptState
    error       TEXT NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (carrier, message_id)
) WITHOUT ROWID;
CREATE INDEX parked_receipt_time ON parked_receipt (received_at);

CREATE TABLE subscription (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    msisdn          TEXT NOT NULL,
    customer_number TEXT NOT NULL,
    state           TEXT NOT NULL,           -- customer.SubscriptionState
    carrier         TEXT,                    -- NULL: nothing says yet
    script          TEXT NOT NULL,
    channel         TEXT NOT NULL,
    notify          INTEGER NOT NULL,        -- 1: tell the phone when it becomes active later
    requested_at    REAL NOT NULL,
    activated_at    REAL,
    ended_at        REAL
);
CREATE UNIQUE INDEX subscription_live ON subscription (msisdn, customer_number)
    WHERE state IN ('pending', 'active');
CREATE INDEX subscription_number  ON subscription (customer_number)
    WHERE state IN ('pending', 'active');
CREATE INDEX subscription_pending ON subscription (id) WHERE state = 'pending';
CREATE INDEX subscription_phone   ON subscription (msisdn);

-- Snapshots of the billing cache that were taken; the last row is the current one.
CREATE TABLE snapshot (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    file        TEXT    NOT NULL,            -- name in data_dir
    imported_at REAL    NOT NULL
);
