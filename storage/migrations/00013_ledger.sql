-- +goose Up
-- What a run came to, added up as it goes: nothing needs to be counted over a million rows to be told.

-- Exchanges by segment, run, host and outcome; and, under the word "out:" and a reason, the links that the host's pages
-- name and the run left out. A segment that is lost or purged takes its lines with it. Times are milliseconds.
CREATE TABLE ledger (
  run      BIGINT NOT NULL,
  segment  TEXT NOT NULL,
  host     TEXT NOT NULL,
  word     TEXT NOT NULL,
  n        BIGINT NOT NULL,
  revisits BIGINT NOT NULL, -- of the n: the payload was there already
  bytes    BIGINT NOT NULL, -- of payloads …
  fresh    BIGINT NOT NULL, -- … and of those that were new
  ms       BIGINT NOT NULL,
  ms_max   BIGINT NOT NULL,
  example  TEXT NOT NULL,   -- the first address of which no response came, or that was left out
  PRIMARY KEY (run, segment, host, word)
);
CREATE INDEX ledger_segment ON ledger (segment);

-- The payload's size, and how long the exchange took. -1: nobody knows, it was written by an older version.
ALTER TABLE captures ADD COLUMN size BIGINT NOT NULL DEFAULT -1;
ALTER TABLE captures ADD COLUMN ms BIGINT NOT NULL DEFAULT -1;
ALTER TABLE attempts ADD COLUMN ms BIGINT NOT NULL DEFAULT -1;

-- How fast each node works: exchanges and bytes a minute, for the last hour. May be lost.
CREATE TABLE speed (
  node   TEXT NOT NULL,
  minute BIGINT NOT NULL, -- of the epoch
  n      BIGINT NOT NULL,
  bytes  BIGINT NOT NULL,
  PRIMARY KEY (node, minute)
);

-- What a node says of itself: what its spool holds and may hold, and what it waits for (empty: nothing).
ALTER TABLE nodes ADD COLUMN spool_used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN spool_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN waits TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE nodes DROP COLUMN waits;
ALTER TABLE nodes DROP COLUMN spool_max;
ALTER TABLE nodes DROP COLUMN spool_used;
DROP TABLE speed;
ALTER TABLE attempts DROP COLUMN ms;
ALTER TABLE captures DROP COLUMN ms;
ALTER TABLE captures DROP COLUMN size;
DROP TABLE ledger;
