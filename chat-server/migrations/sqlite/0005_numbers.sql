-- A message's id and its number follow from the newest message there is, or, where that was removed, from what the room
-- notes of it. Noted with every message, as before, they were two of the four pages that each commit writes.

-- Both kinds of key are the same on the disk, so that no message need be copied. The changes further down have every
-- connection read the tables' definitions anew.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY AUTOINCREMENT', 'PRIMARY KEY')
WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;
DELETE FROM sqlite_sequence WHERE name = 'messages';

ALTER TABLE rooms DROP COLUMN last_seq;
CREATE INDEX rooms_by_pruned_id ON rooms (pruned_id) WHERE pruned_id IS NOT NULL;
