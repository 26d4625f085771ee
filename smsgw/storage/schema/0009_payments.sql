-- Payments that the billing system told of: what of a bill is left to pay. They stand in the cache,
-- too; from here they go into one that is made of an older state.
CREATE TABLE payment (
    customer_number TEXT    NOT NULL,
    bill_number     TEXT    NOT NULL,
    remaining       INTEGER NOT NULL,        -- cents of the bill's currency
    at              REAL    NOT NULL,        -- when it was paid
    told_at         REAL    NOT NULL,
    PRIMARY KEY (customer_number, bill_number)
) WITHOUT ROWID;
CREATE INDEX payment_told ON payment (told_at);
