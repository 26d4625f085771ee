-- Runs of notices. A notice is one message to one phone about one customer number.

CREATE TABLE notice_run (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    kind      TEXT    NOT NULL,              -- notices.NoticeKind
    day       TEXT    NOT NULL,              -- the local date it is for: nothing goes out before
    state     TEXT    NOT NULL,              -- notices.RunState
    automatic INTEGER NOT NULL,              -- 1: the daily one
    made_at   REAL    NOT NULL,
    notices   INTEGER NOT NULL DEFAULT 0,    -- how many it was made with
    hold      TEXT    NOT NULL DEFAULT '',   -- why it has to be confirmed; empty: it need not be
    text      TEXT                           -- of an announcement
);
CREATE UNIQUE INDEX notice_run_daily ON notice_run (kind, day) WHERE automatic = 1;
CREATE INDEX notice_run_made  ON notice_run (kind, made_at);
CREATE INDEX notice_run_alive ON notice_run (id)
    WHERE state IN ('making', 'held', 'running', 'paused');

-- What became of a run, and by whom: every state it went into.
CREATE TABLE notice_run_change (
    run    INTEGER NOT NULL REFERENCES notice_run (id),
    at     REAL    NOT NULL,
    state  TEXT    NOT NULL,
    who    TEXT    NOT NULL,                 -- 'daemon', or a clerk's name
    reason TEXT    NOT NULL
);
CREATE INDEX notice_run_change_run ON notice_run_change (run);

CREATE TABLE notice (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    run             INTEGER NOT NULL REFERENCES notice_run (id),
    msisdn          TEXT,                    -- NULL: erased
    customer_number TEXT,                    -- NULL: erased
    bills           TEXT,                    -- JSON [[bill number, attempt], …]; NULL: erased
    carrier         TEXT    NOT NULL,
    script          TEXT    NOT NULL,
    state           TEXT    NOT NULL,        -- notices.NoticeState
    reason          TEXT    NOT NULL DEFAULT '',  -- why it was cancelled: notices.Cancelled
    changed_at      REAL    NOT NULL,
    mt_id           INTEGER,                 -- its message, once it is sent
    parameters      TEXT                     -- JSON: what filled the text of that; NULL: erased
);
CREATE INDEX notice_of_run  ON notice (run, id);
CREATE INDEX notice_planned ON notice (run, carrier, id) WHERE state = 'planned';
CREATE INDEX notice_message ON notice (mt_id) WHERE mt_id IS NOT NULL;
CREATE INDEX notice_phone   ON notice (msisdn) WHERE msisdn IS NOT NULL;
CREATE INDEX notice_number  ON notice (customer_number) WHERE customer_number IS NOT NULL;

-- Which notice has (kind, customer number, bill, attempt, MSISDN), as one keyed digest of these:
-- it outlives the notice, and the erasing of the person. Of an announcement the bill is a digest of
-- its text and day. A notice that was never sent gives its keys back.
CREATE TABLE notice_key (
    digest BLOB    PRIMARY KEY,
    notice INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX notice_key_notice ON notice_key (notice);
