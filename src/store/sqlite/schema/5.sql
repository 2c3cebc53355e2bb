-- How far an account has read where it is at home; so far everything.
ALTER TABLE standing ADD COLUMN read INTEGER NOT NULL DEFAULT 0;
UPDATE standing SET read = coalesce((SELECT max(seq) FROM entry WHERE entry.room = standing.room), 0)
WHERE resident;

-- What is still there of a room's history, and what an owner wants kept of it at most.
ALTER TABLE room ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;   -- entries up to this seq are gone
ALTER TABLE room ADD COLUMN keep_ms INTEGER;
ALTER TABLE room ADD COLUMN keep_entries INTEGER;
ALTER TABLE room ADD COLUMN keep_bytes INTEGER;

-- The topic, when the entry that set it is gone.
ALTER TABLE room ADD COLUMN topic TEXT;
ALTER TABLE room ADD COLUMN topic_name TEXT;
ALTER TABLE room ADD COLUMN topic_time INTEGER;
ALTER TABLE room ADD COLUMN topic_seq INTEGER;

-- A room that was deleted has no name any more; its entries go a few at a time.
ALTER TABLE room ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;

-- A room's name may change; this does not, as long as its seqs mean the same.
CREATE UNIQUE INDEX room_epoch ON room (epoch);

-- Keys of entries that are gone: a retry must still be known.
CREATE TABLE spent (
    key  BLOB NOT NULL,
    room INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    re   INTEGER,
    PRIMARY KEY (key, room, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_time ON spent (time);
CREATE INDEX spent_room ON spent (room);

-- Whom accounts take no direct messages from.
CREATE TABLE block (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    blocked INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (account, blocked)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_blocked ON block (blocked);
