-- A message as it is now: its text may be another one than that which was said, or none.
ALTER TABLE entry ADD COLUMN edited INTEGER;    -- when the text was last changed
ALTER TABLE entry ADD COLUMN deleted INTEGER;   -- when it was deleted; the text is empty since then

-- Finds the edits of a message that is deleted.
CREATE INDEX entry_edit ON entry (room, re) WHERE kind = 3;

-- The reactions that are there: each account once for each message and reaction.
CREATE TABLE reaction (
    room    INTEGER NOT NULL REFERENCES room (id),
    re      INTEGER NOT NULL,           -- the message's seq
    account INTEGER NOT NULL,
    text    TEXT NOT NULL,
    name    TEXT NOT NULL,              -- the account's name at that time
    seq     INTEGER NOT NULL,           -- the entry that added it
    PRIMARY KEY (room, re, account, text)
) STRICT, WITHOUT ROWID;
