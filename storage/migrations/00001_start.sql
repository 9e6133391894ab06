-- +goose Up
-- Portable SQL: the same text serves SQLite and PostgreSQL. Times are integers: milliseconds of the epoch in the
-- frontier, microseconds in the index. 1152921504606846976 is 1<<60, "never".

CREATE TABLE runs (
  id         BIGINT NOT NULL PRIMARY KEY,
  collection TEXT NOT NULL,
  source     TEXT NOT NULL,
  spec       TEXT NOT NULL,
  counters   TEXT NOT NULL DEFAULT '',
  state      TEXT NOT NULL,
  started    BIGINT NOT NULL,
  ended      BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE documents (
  run  BIGINT NOT NULL PRIMARY KEY,
  mime TEXT NOT NULL,
  body BYTEA NOT NULL
);

CREATE TABLE hosts (
  host         TEXT NOT NULL PRIMARY KEY,
  next_at      BIGINT NOT NULL,
  polite_until BIGINT NOT NULL DEFAULT 0,
  lease        BIGINT NOT NULL DEFAULT 0,
  owner        TEXT NOT NULL DEFAULT ''
);
CREATE INDEX hosts_due ON hosts (next_at);
CREATE INDEX hosts_leased ON hosts (lease) WHERE lease <> 0;

CREATE TABLE tasks (
  host     TEXT NOT NULL,
  run      BIGINT NOT NULL,
  id       BIGINT NOT NULL,
  url      TEXT NOT NULL,
  kind     TEXT NOT NULL,
  depth    BIGINT NOT NULL,
  hops     TEXT NOT NULL,
  via      TEXT NOT NULL,
  due_at   BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  outcome  TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (host, run, id)
);
CREATE INDEX tasks_due ON tasks (host, due_at) WHERE due_at < 1152921504606846976;
CREATE INDEX tasks_open ON tasks (run) WHERE due_at < 1152921504606846976;

CREATE TABLE segments (
  id         TEXT NOT NULL PRIMARY KEY,
  collection TEXT NOT NULL,
  node       TEXT NOT NULL,
  location   TEXT NOT NULL DEFAULT '',
  state      TEXT NOT NULL,
  committed  BIGINT NOT NULL DEFAULT 0,
  size       BIGINT NOT NULL DEFAULT 0,
  sha256     TEXT NOT NULL DEFAULT '',
  created    BIGINT NOT NULL
);
CREATE INDEX segments_waiting ON segments (node, state) WHERE state <> 'stored';

CREATE TABLE captures (
  collection TEXT NOT NULL,
  urlkey     TEXT NOT NULL,
  at         BIGINT NOT NULL,
  segment    TEXT NOT NULL,
  pos        BIGINT NOT NULL,
  length     BIGINT NOT NULL,
  url        TEXT NOT NULL,
  status     BIGINT NOT NULL,
  mime       TEXT NOT NULL,
  digest     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  refers_to  TEXT NOT NULL DEFAULT '',
  redirect   TEXT NOT NULL DEFAULT '',
  record_id  TEXT NOT NULL,
  run        BIGINT NOT NULL,
  outcome    TEXT NOT NULL,
  PRIMARY KEY (collection, urlkey, at, segment, pos)
);
CREATE INDEX captures_digest ON captures (digest, collection) WHERE kind = 'response';
CREATE INDEX captures_segment ON captures (segment, pos);

CREATE TABLE attempts (
  collection TEXT NOT NULL,
  urlkey     TEXT NOT NULL,
  at         BIGINT NOT NULL,
  segment    TEXT NOT NULL,
  pos        BIGINT NOT NULL,
  url        TEXT NOT NULL,
  run        BIGINT NOT NULL,
  outcome    TEXT NOT NULL,
  detail     TEXT NOT NULL,
  PRIMARY KEY (collection, urlkey, at, segment, pos)
);

CREATE TABLE posts (
  id         TEXT NOT NULL,
  run        BIGINT NOT NULL,
  collection TEXT NOT NULL,
  source     TEXT NOT NULL,
  url        TEXT NOT NULL,
  title      TEXT NOT NULL,
  dated      TEXT NOT NULL,
  at         BIGINT NOT NULL,
  segment    TEXT NOT NULL,
  pos        BIGINT NOT NULL,
  PRIMARY KEY (id, run)
);
CREATE INDEX posts_at ON posts (at);
CREATE INDEX posts_run ON posts (run);

CREATE TABLE citations (
  post       TEXT NOT NULL,
  run        BIGINT NOT NULL,
  seq        BIGINT NOT NULL,
  url        TEXT NOT NULL,
  raw        TEXT NOT NULL,
  anchor     TEXT NOT NULL,
  context    TEXT NOT NULL,
  c_start    BIGINT NOT NULL,
  c_end      BIGINT NOT NULL,
  place      TEXT NOT NULL,
  left_out   TEXT NOT NULL,
  original_of TEXT NOT NULL,
  PRIMARY KEY (post, run, seq)
);

-- +goose Down
DROP TABLE citations;
DROP TABLE posts;
DROP TABLE attempts;
DROP TABLE captures;
DROP TABLE segments;
DROP TABLE tasks;
DROP TABLE hosts;
DROP TABLE documents;
DROP TABLE runs;
