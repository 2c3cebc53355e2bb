-- How far an account has read where it is at home; so far everything.
ALTER TABLE standing ADD COLUMN read INTEGER NOT NULL DEFAULT 0;
UPDATE standing SET read = coalesce((SELECT max(seq) FROM entry WHERE entry.room = standing.room), 0)
WHERE resident;
