-- +goose Up
-- Schedules: what starts runs, what feeds and sitemaps have listed, and how each task of a run ended, to be compared.

CREATE TABLE schedules (
  name     TEXT NOT NULL PRIMARY KEY,
  spec     TEXT NOT NULL,
  paused   BIGINT NOT NULL DEFAULT 0,
  created  BIGINT NOT NULL,
  last_run BIGINT NOT NULL DEFAULT 0,
  fault    TEXT NOT NULL DEFAULT '' -- why its last tick began no run
);

-- stamp is what was listed when the entry was last captured ('' if it never was), listed what stands there now; task is the
-- one that stands for the entry in the run under way: its own, or the target of its redirects.
CREATE TABLE entries (
  schedule TEXT NOT NULL,
  id       BIGINT NOT NULL,
  url      TEXT NOT NULL,
  stamp    TEXT NOT NULL DEFAULT '',
  listed   TEXT NOT NULL,
  task     BIGINT NOT NULL,
  run      BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (schedule, id)
);
CREATE INDEX entries_task ON entries (schedule, task);

-- Why what the run watches could not be read, though it answered.
ALTER TABLE runs ADD COLUMN fault TEXT NOT NULL DEFAULT '';

-- In which segment the last try stands: a few bytes of a hash of its name, 0 if nobody knows.
ALTER TABLE tasks ADD COLUMN stands INTEGER NOT NULL DEFAULT 0;

-- Of the last answer: its status, and a hash of its payload's digest. Both 0 if there was none.
ALTER TABLE tasks ADD COLUMN status BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE progress ADD COLUMN pages BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE progress DROP COLUMN pages;
ALTER TABLE tasks DROP COLUMN version;
ALTER TABLE tasks DROP COLUMN status;
ALTER TABLE tasks DROP COLUMN stands;
ALTER TABLE runs DROP COLUMN fault;
DROP TABLE entries;
DROP TABLE schedules;
