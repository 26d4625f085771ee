-- Acceptances of a submit that was given up, which came while its segment was on the wire once more:
-- they count if that comes to nothing.
CREATE TABLE late_acceptance (
    mt_id       INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,            -- segment.attempts after it
    message_id  TEXT    NOT NULL,            -- '': it gave none
    response_id TEXT    NOT NULL,
    PRIMARY KEY (mt_id, part)
) WITHOUT ROWID;
