-- +goose Up
-- What a transaction leaves behind, so that it can be found out whether it was committed when the server's answer was
-- lost: one row a connection's worth of work, overwritten each time. Unused on SQLite, which always answers.

CREATE TABLE receipts (
  slot  TEXT NOT NULL PRIMARY KEY,
  token BIGINT NOT NULL,
  at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE receipts;
