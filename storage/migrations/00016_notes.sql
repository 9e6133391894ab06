-- +goose Up
-- What people add to the archive beside its captures: accepted and rejected repairs, identifiers. Nothing here is ever changed:
-- what holds of a subject is what its notes, in order, say together.

CREATE TABLE notes (
  id         TEXT NOT NULL PRIMARY KEY,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  seq        BIGINT NOT NULL,           -- order among the notes of its kind and subject, from 0
  collection TEXT NOT NULL,             -- in whose segments it is told
  target     TEXT NOT NULL,             -- what else it is about; empty: nothing
  at         BIGINT NOT NULL,           -- microseconds
  node       TEXT NOT NULL,
  body       TEXT NOT NULL,             -- JSON; opaque here
  segment    TEXT NOT NULL              -- that tells of the note; empty: none does yet
);
CREATE UNIQUE INDEX notes_subject ON notes (kind, subject, seq);
CREATE INDEX notes_target ON notes (kind, target) WHERE target<>'';
CREATE INDEX notes_untold ON notes (at) WHERE segment='';
CREATE INDEX notes_segment ON notes (segment) WHERE segment<>'';

-- +goose Down
DROP TABLE notes;
