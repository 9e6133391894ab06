-- +goose Up
-- How many pages of a run's host are of a kind, for the limits against traps: what names the kind, see crawler/scope. Rows go
-- when the run is done; a rebuild does without, so that a run that goes on after one counts from 0 again.

CREATE TABLE traps (
  run     BIGINT NOT NULL,
  host    TEXT NOT NULL,
  what    TEXT NOT NULL,
  n       BIGINT NOT NULL,
  same    BIGINT NOT NULL, -- the last ones that had the same content …
  version BIGINT NOT NULL, -- … and a hash of it; 0 of what counts as none
  PRIMARY KEY (run, host, what)
);

-- The preferred address of the page, as it says itself. Empty: it says nothing, or its own.
ALTER TABLE captures ADD COLUMN canonical TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE captures DROP COLUMN canonical;
DROP TABLE traps;
