-- Registrations whose phone was erased, or that ended too long ago to be kept: what reports of old
-- days are made of. Both are keyed digests: they tell one from another, and say nothing else.
CREATE TABLE erased_registration (
    person       BLOB NOT NULL,
    customer     BLOB NOT NULL,
    activated_at REAL NOT NULL,
    ended_at     REAL NOT NULL
);
CREATE INDEX erased_registration_ended ON erased_registration (ended_at);

-- Phones that were erased lately, as keyed digests: of what carriers still say about them, the
-- number isn't written down.
CREATE TABLE erased_person (
    person BLOB PRIMARY KEY,
    at     REAL NOT NULL
) WITHOUT ROWID;

-- What is next to be dropped, in the order of time.
CREATE INDEX history_mo_text ON history_mo (received_at) WHERE text IS NOT NULL;
CREATE INDEX history_mt_text ON history_mt (created_at)  WHERE text IS NOT NULL;
CREATE INDEX evidence_kept   ON evidence (final_at)      WHERE msisdn IS NOT NULL;
