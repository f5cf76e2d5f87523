-- Accounts of this server's own, and who is signed in to them.

CREATE TABLE accounts (
    user_id       BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash TEXT NOT NULL,
    is_active     BOOLEAN NOT NULL DEFAULT true,
    -- Grows with every new password, and when the account is closed or opened: sessions of an earlier one have ended.
    generation    BIGINT NOT NULL DEFAULT 1,
    created_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of what the cookie holds, so that who reads this table cannot sign in with it.
    hash       BYTEA PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
