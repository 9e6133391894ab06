-- +goose Up
-- Many workers on one database: what each has done for a run, what they hand on to each other, and who they are.

ALTER TABLE runs DROP COLUMN counters;
ALTER TABLE runs ADD COLUMN schedule TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN cut TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN changes TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_open ON runs (id) WHERE state <> 'done';
CREATE INDEX runs_schedule ON runs (schedule, id) WHERE schedule <> '';

-- The pause that the holder of a lease owes its host after an exchange: whoever takes over from one that died keeps it.
ALTER TABLE hosts ADD COLUMN delay_ms BIGINT NOT NULL DEFAULT 0;

DROP INDEX tasks_open;
CREATE INDEX tasks_run ON tasks (run, due_at);

-- One row a worker and run: nobody waits for another's row.
CREATE TABLE progress (
  run      BIGINT NOT NULL,
  node     TEXT NOT NULL,
  found    BIGINT NOT NULL,
  ended    BIGINT NOT NULL,
  captured BIGINT NOT NULL,
  failed   BIGINT NOT NULL,
  bytes    BIGINT NOT NULL,
  PRIMARY KEY (run, node)
);

-- What whoever holds the host next needs of a task that has ended, before its segment is stored: robots.txt.
CREATE TABLE kept (
  run  BIGINT NOT NULL,
  host TEXT NOT NULL,
  task BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (run, host, task)
);

-- The runs of which a segment holds something, as long as it is not stored: a run is not done before.
CREATE TABLE segment_runs (
  segment TEXT NOT NULL,
  run     BIGINT NOT NULL,
  PRIMARY KEY (segment, run)
);
CREATE INDEX segment_runs_run ON segment_runs (run);
INSERT INTO segment_runs (segment, run)
  SELECT segment, run FROM captures WHERE segment IN (SELECT id FROM segments WHERE state IN ('open', 'sealed'))
  UNION
  SELECT segment, run FROM attempts WHERE segment IN (SELECT id FROM segments WHERE state IN ('open', 'sealed'));

CREATE TABLE nodes (
  node    TEXT NOT NULL PRIMARY KEY,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  version TEXT NOT NULL
);

-- +goose Down
DROP TABLE nodes;
DROP TABLE segment_runs;
DROP TABLE kept;
DROP TABLE progress;
DROP INDEX tasks_run;
ALTER TABLE hosts DROP COLUMN delay_ms;
CREATE INDEX tasks_open ON tasks (run) WHERE due_at < 1152921504606846976;
DROP INDEX runs_schedule;
DROP INDEX runs_open;
ALTER TABLE runs DROP COLUMN changes;
ALTER TABLE runs DROP COLUMN cut;
ALTER TABLE runs DROP COLUMN schedule;
ALTER TABLE runs ADD COLUMN counters TEXT NOT NULL DEFAULT '';
