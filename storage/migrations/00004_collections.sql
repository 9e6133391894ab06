-- +goose Up
-- Collections with what they tell of themselves, and what a purge needs: who refers to what, which exchanges did not
-- count, which blobs are to go, which segments have gone, and who did it.

CREATE TABLE collections (
  name    TEXT NOT NULL PRIMARY KEY,
  about   TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE INDEX captures_refers ON captures (refers_to) WHERE refers_to <> '';
CREATE INDEX attempts_segment ON attempts (segment, pos);
CREATE INDEX posts_segment ON posts (segment, pos);

-- Exchanges that stand in a segment and did not count: their leases were no longer held.
CREATE TABLE voided (
  collection TEXT NOT NULL,
  urlkey     TEXT NOT NULL,
  at         BIGINT NOT NULL,
  segment    TEXT NOT NULL,
  pos        BIGINT NOT NULL,
  url        TEXT NOT NULL,
  run        BIGINT NOT NULL,
  PRIMARY KEY (collection, urlkey, at, segment, pos)
);
CREATE INDEX voided_segment ON voided (segment, pos);

-- Blobs that no row names, or soon none will: whoever purges next deletes them.
CREATE TABLE doomed (
  location TEXT NOT NULL PRIMARY KEY
);

-- Segments that a purge has replaced: a copy that a spool still has goes, too.
CREATE TABLE purged (
  segment TEXT NOT NULL PRIMARY KEY
);

CREATE TABLE audit (
  id     TEXT NOT NULL PRIMARY KEY,
  at     BIGINT NOT NULL,
  node   TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL
);

-- Work that one process at a time may do, whatever the number of machines.
CREATE TABLE locks (
  name  TEXT NOT NULL PRIMARY KEY,
  token BIGINT NOT NULL,
  owner TEXT NOT NULL,
  until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE locks;
DROP TABLE audit;
DROP TABLE purged;
DROP TABLE doomed;
DROP TABLE voided;
DROP INDEX posts_segment;
DROP INDEX attempts_segment;
DROP INDEX captures_refers;
DROP TABLE collections;
