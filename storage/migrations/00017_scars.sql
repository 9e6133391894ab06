-- +goose Up
-- The damaged citations of a post: places where a link was lost from its text. The post record tells them.
CREATE TABLE scars (
  post       TEXT NOT NULL,
  run        BIGINT NOT NULL,
  seq        BIGINT NOT NULL,
  class      TEXT NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  c_start    BIGINT NOT NULL,           -- in the source, Unicode code points
  c_end      BIGINT NOT NULL,
  words      TEXT NOT NULL,             -- what stands there
  context    TEXT NOT NULL,
  reason     TEXT NOT NULL,
  scar       TEXT NOT NULL,             -- its key: the same in each copy of the text
  PRIMARY KEY (post, run, seq)
);

-- +goose Down
DROP TABLE scars;
