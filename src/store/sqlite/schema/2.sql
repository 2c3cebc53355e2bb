-- How often the file was opened by a server: what tells one run's guests from another's.
CREATE TABLE server (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    runs INTEGER NOT NULL
) STRICT;

INSERT INTO server (one, runs) VALUES (1, 0);

-- Who is registered. An id is never given again: what an account said keeps its author.
CREATE TABLE account (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    skeleton TEXT NOT NULL UNIQUE,      -- equal for names that look alike
    password TEXT NOT NULL,             -- argon2id, as a PHC string
    admin    INTEGER NOT NULL,
    created  INTEGER NOT NULL           -- milliseconds since 1970, UTC
) STRICT;

-- Where an account is logged in.
CREATE TABLE device (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    token   BLOB NOT NULL UNIQUE,       -- SHA-256 of the token
    label   TEXT NOT NULL,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL            -- when it logged in last
) STRICT;

CREATE INDEX device_account ON device (account);

-- Invitations that are not used yet.
CREATE TABLE invitation (
    code  BLOB PRIMARY KEY,             -- SHA-256 of the code
    until INTEGER,
    admin INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How accounts stand to rooms.
CREATE TABLE standing (
    room         INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    resident     INTEGER NOT NULL,      -- it comes back there at each login
    rank         INTEGER NOT NULL,      -- 0 member, 1 moderator, 2 owner
    invited      INTEGER NOT NULL,
    banned_until INTEGER,               -- milliseconds since 1970, UTC
    muted_until  INTEGER,
    PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX standing_account ON standing (account);

-- How rooms are set.
ALTER TABLE room ADD COLUMN access INTEGER NOT NULL DEFAULT 0;       -- 0 public, 1 private
ALTER TABLE room ADD COLUMN announcement INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN slow_ms INTEGER NOT NULL DEFAULT 0;
