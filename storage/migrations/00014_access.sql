-- +goose Up
-- Who may see what: the changes of access rules. What holds of a rule is what the last change of it says.

CREATE TABLE access (
  id         TEXT NOT NULL PRIMARY KEY, -- of the change
  collection TEXT NOT NULL,
  rule       TEXT NOT NULL,
  at         BIGINT NOT NULL,           -- microseconds
  sets       BIGINT NOT NULL,           -- 1: the rule holds as the change says; 0: it holds no longer
  change     TEXT NOT NULL,             -- JSON; opaque here
  segment    TEXT NOT NULL              -- that tells of the change; empty: none does yet
);
CREATE INDEX access_rule ON access (rule, at);
CREATE INDEX access_untold ON access (at) WHERE segment='';

-- One row: its stamp is another one after each change, so that whoever knows the rules knows whether they still hold. May be lost.
CREATE TABLE access_stamp (
  one   BIGINT NOT NULL PRIMARY KEY,
  stamp TEXT NOT NULL
);

-- +goose Down
DROP TABLE access_stamp;
DROP TABLE access;
