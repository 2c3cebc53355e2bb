-- Pairs of letters of messages, by the entry's id. It fills when there is nothing else to write; a
-- message that it finds is compared with what was asked, so what it has too much does no harm.
CREATE VIRTUAL TABLE search USING fts5 (
    pairs, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- Up to which entry it is filled.
CREATE TABLE search_state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    indexed INTEGER NOT NULL
) STRICT;
INSERT INTO search_state (one, indexed) VALUES (1, 0);

-- Entries before that whose text was changed since.
CREATE TABLE search_again (
    entry INTEGER PRIMARY KEY
) STRICT;
