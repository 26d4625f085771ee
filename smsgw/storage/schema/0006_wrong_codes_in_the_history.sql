-- Customer numbers that a wrong code was given for, as in mo; NULL: none, or no longer kept.
ALTER TABLE history_mo ADD COLUMN tried TEXT;
