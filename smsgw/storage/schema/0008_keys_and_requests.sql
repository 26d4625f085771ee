-- Partners' keys. A key itself is nowhere: it is known by its digest.
CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,             -- what its changes are signed with
    digest     BLOB    NOT NULL UNIQUE,
    channel    TEXT    NOT NULL,             -- message.Channel
    scopes     TEXT    NOT NULL,             -- partner.Scope, blanks between them
    rate       REAL,                         -- requests a second; NULL: as the configuration has it
    made_at    REAL    NOT NULL,
    made_by    TEXT    NOT NULL,
    revoked_at REAL,
    revoked_by TEXT
);
CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE revoked_at IS NULL;

-- What partners asked to be done. No personal value stands here but in `answer`, which is kept for
-- a day, for who asks again under the same Idempotency-Key.
CREATE TABLE request (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          REAL    NOT NULL,
    key         INTEGER NOT NULL REFERENCES api_key (id),
    operation   TEXT    NOT NULL,            -- "register", "send", …
    once        TEXT,                        -- the Idempotency-Key; NULL: none came
    fingerprint BLOB    NOT NULL,            -- keyed digest of what was asked
    person      BLOB,                        -- keyed digest of the phone that it is about
    status      INTEGER,                     -- of HTTP; NULL: under way, or cut off
    reason      TEXT    NOT NULL DEFAULT '', -- why it was refused, in a word
    mt_id       INTEGER,                     -- the message that came of it
    answer      TEXT                         -- JSON; NULL: none yet, or no longer kept
);
CREATE UNIQUE INDEX request_once ON request (key, once) WHERE once IS NOT NULL;
CREATE INDEX request_key    ON request (key, at);
CREATE INDEX request_person ON request (person) WHERE person IS NOT NULL;
CREATE INDEX request_message ON request (mt_id) WHERE mt_id IS NOT NULL;
CREATE INDEX request_answer ON request (at) WHERE answer IS NOT NULL;
