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
