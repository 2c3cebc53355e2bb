-- The index has three letters in a row too, and is filled anew: pairs alone are in too many messages.
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
UPDATE search_state SET indexed = 0;
DELETE FROM search_again;
