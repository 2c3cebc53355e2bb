-- Who is not let in at all.
CREATE TABLE ban (
    kind   INTEGER NOT NULL,            -- 1 a network, 2 a name
    target TEXT NOT NULL,               -- the network, or the name's skeleton
    shown  TEXT NOT NULL,               -- as people write it
    reason TEXT,
    since  INTEGER NOT NULL,
    until  INTEGER,                     -- none: for good
    PRIMARY KEY (kind, target)
) STRICT, WITHOUT ROWID;
