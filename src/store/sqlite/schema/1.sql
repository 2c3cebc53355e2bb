-- The rooms in which something was said.
CREATE TABLE room (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    kind   INTEGER NOT NULL,            -- 1 public, 2 direct
    one    INTEGER,                     -- the two accounts of a direct room
    other  INTEGER,
    epoch  INTEGER NOT NULL             -- continuity of the history
) STRICT;

-- What was said, in the order of the commits: appending is what SQLite does fastest.
CREATE TABLE entry (
    id      INTEGER PRIMARY KEY,
    room    INTEGER NOT NULL REFERENCES room (id),
    seq     INTEGER NOT NULL,           -- place in the room's order
    time    INTEGER NOT NULL,           -- milliseconds since 1970, UTC
    kind    INTEGER NOT NULL,           -- 1 message, 2 topic
    account INTEGER NOT NULL,
    name    TEXT NOT NULL,              -- the account's name at that time
    text    TEXT NOT NULL,
    re      INTEGER,                    -- the seq that it is about
    key     BLOB                        -- the client's key of the request
) STRICT;

CREATE UNIQUE INDEX entry_seq ON entry (room, seq);

-- Keys that begin with the time of their making go in at the end, which costs next to nothing.
CREATE INDEX entry_key ON entry (key) WHERE key IS NOT NULL;

-- Finds a room's topic.
CREATE INDEX entry_topic ON entry (room, seq) WHERE kind = 2;
