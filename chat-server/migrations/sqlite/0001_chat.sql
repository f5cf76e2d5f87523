-- Times are microseconds since 1970-01-01T00:00:00Z. Ids are never used twice (AUTOINCREMENT).

CREATE TABLE users (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL UNIQUE,
    last_seen INTEGER
) STRICT;

CREATE TABLE rooms (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL UNIQUE,
    display_name TEXT,
    access       TEXT NOT NULL DEFAULT 'open' CHECK (access IN ('open', 'members')),
    owner_id     INTEGER REFERENCES users (id) ON DELETE SET NULL,
    -- What the room is for, where there must be only one such room.
    purpose      TEXT UNIQUE,
    -- The number of the room's newest message; kept here so that it outlives the message.
    last_seq     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE members (
    -- Grows with every joining, so that it is their order.
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    UNIQUE (room_id, user_id)
) STRICT;
CREATE INDEX members_by_user ON members (user_id, room_id);

CREATE TABLE messages (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id   INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    sender_id INTEGER NOT NULL REFERENCES users (id),
    text      TEXT NOT NULL,
    sent_at   INTEGER NOT NULL,
    client_id TEXT,
    UNIQUE (room_id, seq)
) STRICT;
CREATE UNIQUE INDEX messages_by_client_id ON messages (room_id, sender_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE read_marks (
    room_id INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX read_marks_by_seq ON read_marks (room_id, seq);

CREATE TABLE notifications (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    sender_id    INTEGER NOT NULL REFERENCES users (id),
    recipient_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text         TEXT NOT NULL,
    sent_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_by_recipient ON notifications (recipient_id, id);
