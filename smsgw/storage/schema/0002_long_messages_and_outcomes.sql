-- Long messages both ways, and what becomes of segments whose response or receipt is lost.

-- A long message from a customer: one that waits for parts, or was closed so lately that a part of
-- it may come again. Its parts are rows of mo. When it is closed, the last of them stands for the
-- whole: it has the intent, and the text of all.
CREATE TABLE assembly (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    carrier     TEXT    NOT NULL,
    msisdn      TEXT    NOT NULL,
    destination TEXT    NOT NULL,
    joining     TEXT    NOT NULL,            -- userdata.Joining
    reference   INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    opened_at   REAL    NOT NULL,            -- since when parts are waited for
    closed_at   REAL,                        -- NULL: they still are
    came        INTEGER NOT NULL DEFAULT 0,  -- parts
    octets      INTEGER NOT NULL DEFAULT 0   -- of these
);
CREATE INDEX assembly_key    ON assembly (msisdn, reference);
CREATE INDEX assembly_open   ON assembly (opened_at) WHERE closed_at IS NULL;
CREATE INDEX assembly_closed ON assembly (closed_at) WHERE closed_at IS NOT NULL;

ALTER TABLE mo ADD COLUMN assembly INTEGER;  -- of a part; NULL: of none, or it came before
CREATE INDEX mo_assembly ON mo (assembly, part) WHERE assembly IS NOT NULL;

-- The last reference of a long message, by the bucket that its destination falls in: counted, so
-- that two messages to one handset never share one by chance.
CREATE TABLE reference (
    bucket INTEGER PRIMARY KEY,
    last   INTEGER NOT NULL
);

ALTER TABLE mt ADD COLUMN layout      TEXT NOT NULL DEFAULT 'plain';  -- message.Layout
ALTER TABLE mt ADD COLUMN reference   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mt ADD COLUMN valid_until REAL;                           -- NULL: as its kind has it

ALTER TABLE segment ADD COLUMN claimed_at  REAL;     -- the last time: when it was sent, if it was
ALTER TABLE segment ADD COLUMN response_id TEXT;     -- the id as the carrier wrote it, if otherwise
ALTER TABLE segment ADD COLUMN receipt     TEXT;     -- message.ReceiptState: the last one's
ALTER TABLE segment ADD COLUMN done_date   TEXT;     -- as that one gave it
ALTER TABLE segment ADD COLUMN asked       INTEGER NOT NULL DEFAULT 0;  -- times, for want of one
ALTER TABLE segment ADD COLUMN asked_at    REAL;     -- the last time
ALTER TABLE segment ADD COLUMN bare        INTEGER NOT NULL DEFAULT 0;  -- without vendor TLVs

UPDATE segment SET claimed_at = changed_at WHERE state IN ('claimed', 'accepted', 'unknown');
DROP INDEX segment_unknown;
CREATE INDEX segment_unknown ON segment (not_before) WHERE state = 'unknown';

-- Parked receipts may name a handset: the response that gives their id may be lost.
ALTER TABLE parked_receipt ADD COLUMN msisdn    TEXT;
ALTER TABLE parked_receipt ADD COLUMN done_date TEXT NOT NULL DEFAULT '';
ALTER TABLE parked_receipt ADD COLUMN blocked   INTEGER NOT NULL DEFAULT 0;  -- by a claimed segment
CREATE INDEX parked_receipt_handset ON parked_receipt (carrier, msisdn) WHERE msisdn IS NOT NULL;
CREATE INDEX parked_receipt_blocked ON parked_receipt (carrier, msisdn) WHERE blocked = 1;

-- Submits that the carrier may know by an id that we don't: the response was lost, or gave none.
CREATE TABLE unnamed_submit (
    carrier    TEXT    NOT NULL,
    msisdn     TEXT    NOT NULL,
    mt_id      INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,             -- segment.attempts after it
    claimed_at REAL    NOT NULL,
    PRIMARY KEY (carrier, msisdn, mt_id, part, attempt)
) WITHOUT ROWID;
INSERT INTO unnamed_submit
    SELECT segment.carrier, msisdn, mt_id, part, attempts, claimed_at
    FROM segment JOIN mt ON mt.id = mt_id WHERE state = 'unknown';

-- Receipts that belonged to nothing, kept for a look.
CREATE TABLE orphan_receipt (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    carrier     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    msisdn      TEXT,
    state       TEXT NOT NULL,
    error       TEXT NOT NULL,
    done_date   TEXT NOT NULL,
    received_at REAL NOT NULL,
    given_up_at REAL NOT NULL
);
