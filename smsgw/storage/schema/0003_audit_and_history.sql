-- What happened to every registration, and by whom; append-only. Personal values stand in columns
-- that erasing empties; the chain of digests runs over keyed digests of them, which stay.
CREATE TABLE audit (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    at              REAL NOT NULL,
    change          TEXT NOT NULL,           -- audit.Change
    msisdn          TEXT,                    -- NULL: erased
    customer_number TEXT,                    -- NULL: erased
    value           TEXT NOT NULL,           -- what it was changed to: a carrier, a script; or why
    channel         TEXT NOT NULL,           -- message.Channel
    who             TEXT NOT NULL,           -- 'customer', 'daemon', or a clerk's name
    person          BLOB NOT NULL,           -- keyed digest of the MSISDN
    customer        BLOB NOT NULL,           -- keyed digest of the customer number
    digest          BLOB NOT NULL            -- keyed, over the row before's and all of this row
);
CREATE INDEX audit_msisdn ON audit (msisdn) WHERE msisdn IS NOT NULL;
CREATE INDEX audit_number ON audit (customer_number) WHERE customer_number IS NOT NULL;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
WHEN new.id <> old.id OR new.at <> old.at OR new.change <> old.change OR new.value <> old.value
    OR new.channel <> old.channel OR new.who <> old.who OR new.person <> old.person
    OR new.customer <> old.customer OR new.digest <> old.digest
    OR new.msisdn IS NOT NULL AND new.msisdn IS NOT old.msisdn
    OR new.customer_number IS NOT NULL AND new.customer_number IS NOT old.customer_number
BEGIN
    SELECT raise(ABORT, 'the audit is append-only');
END;

-- Phones that said stop: no import and no partner registers them until a message of theirs does.
-- The keyed digest outlives the erasing of all else.
CREATE TABLE stop (
    person BLOB PRIMARY KEY,
    at     REAL NOT NULL
) WITHOUT ROWID;

-- What a message took of its sender's day: the counts are rebuilt from here at start.
ALTER TABLE mo ADD COLUMN silence TEXT;      -- today.Silence: why it has no answer
ALTER TABLE mo ADD COLUMN used    TEXT;      -- today.Used, a digit each; NULL: nothing
ALTER TABLE mo ADD COLUMN tried   TEXT;      -- customer numbers that a wrong code was given for

-- Of a pending registration: the keyed digest of the invoice's code that came with it.
ALTER TABLE subscription ADD COLUMN code BLOB;

-- When the carrier said that the phone is not its own. NULL: it didn't, or the registration was
-- moved since, or the phone wrote over that carrier.
ALTER TABLE subscription ADD COLUMN suspect_at REAL;
CREATE INDEX subscription_suspect ON subscription (id) WHERE suspect_at IS NOT NULL;
ALTER TABLE parked_receipt ADD COLUMN not_ours INTEGER NOT NULL DEFAULT 0;

-- Messages whose carrier said that the phone is not its own, and what repeats them over the others,
-- one after another: each until it has ended.
CREATE TABLE search (
    mt_id    INTEGER PRIMARY KEY REFERENCES mt (id),
    tried    TEXT    NOT NULL,               -- carriers before this message's, a JSON array
    disowned INTEGER NOT NULL                -- 1: this message's carrier says so, too
);
ALTER TABLE mt ADD COLUMN found_from INTEGER;  -- the message that this one repeats

-- Finished messages: they move here in batches, so that the tables of what is on its way stay
-- small, and can have no index with a random key.
CREATE TABLE history_mo (
    id          INTEGER PRIMARY KEY,         -- as in mo
    received_at REAL    NOT NULL,
    carrier     TEXT    NOT NULL,
    msisdn      TEXT,                        -- NULL: erased
    text        TEXT,                        -- NULL: no longer kept
    intent      TEXT,                        -- NULL: a part that stands for itself, not answered
    silence     TEXT,
    parts       INTEGER NOT NULL,            -- that it came in
    repeats     INTEGER NOT NULL             -- deliveries that it absorbed
);
CREATE INDEX history_mo_phone ON history_mo (msisdn, received_at) WHERE msisdn IS NOT NULL;

CREATE TABLE history_mt (
    id          INTEGER PRIMARY KEY,         -- as in mt
    mo_id       INTEGER,                     -- what it answers, in mo or history_mo
    kind        INTEGER NOT NULL,
    carrier     TEXT    NOT NULL,
    msisdn      TEXT,                        -- NULL: erased
    text        TEXT,                        -- NULL: no longer kept
    data_coding INTEGER NOT NULL,
    layout      TEXT    NOT NULL,
    reference   INTEGER NOT NULL,
    created_at  REAL    NOT NULL,
    valid_until REAL,
    found_from  INTEGER,                     -- the message that it repeats over another carrier
    state       TEXT    NOT NULL,            -- message_state of its segments
    final_at    REAL    NOT NULL,
    segments    TEXT    NOT NULL             -- JSON: what became of each
);
CREATE INDEX history_mt_phone ON history_mt (msisdn, created_at) WHERE msisdn IS NOT NULL;

-- Which messages speak of a customer number.
CREATE TABLE history_number (
    customer_number TEXT    NOT NULL,
    at              REAL    NOT NULL,
    mo_id           INTEGER,
    mt_id           INTEGER
);
CREATE INDEX history_number_at ON history_number (customer_number, at);
CREATE INDEX history_number_mo ON history_number (mo_id) WHERE mo_id IS NOT NULL;
CREATE INDEX history_number_mt ON history_number (mt_id) WHERE mt_id IS NOT NULL;
