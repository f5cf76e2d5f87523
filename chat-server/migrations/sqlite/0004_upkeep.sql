-- The newest message that was removed from a room; whoever has it misses nothing.
ALTER TABLE rooms ADD COLUMN pruned_id INTEGER;
ALTER TABLE rooms ADD COLUMN pruned_seq INTEGER NOT NULL DEFAULT 0;

-- Written to find out whether anything can be.
CREATE TABLE checks (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO checks VALUES (1, 0);
