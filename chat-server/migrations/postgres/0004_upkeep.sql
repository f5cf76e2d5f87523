-- The newest message that was removed from a room; whoever has it misses nothing.
ALTER TABLE rooms ADD COLUMN pruned_id BIGINT;
ALTER TABLE rooms ADD COLUMN pruned_seq BIGINT NOT NULL DEFAULT 0;

-- Written to find out whether anything can be.
CREATE TABLE checks (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    count BIGINT NOT NULL
);
INSERT INTO checks VALUES (1, 0);
