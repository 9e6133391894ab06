-- +goose Up
-- Addresses that are known in a collection, by how they end: links of its posts, and documents that were captured. What is left of a
-- cut URL is looked for here. All of it is made anew from links and captures: it may be lost, and a rebuild begins with none.
CREATE TABLE tails (
  id         BIGINT NOT NULL PRIMARY KEY, -- hash of collection and url, as of links
  collection TEXT NOT NULL,
  url        TEXT NOT NULL,
  urlkey     TEXT NOT NULL,               -- of its captures; empty: no document of it was captured yet
  tail       TEXT NOT NULL                -- the end of host and path, backwards, without case, all dashes as one
);
CREATE INDEX tails_tail ON tails (collection, tail);
CREATE INDEX tails_head ON tails (collection, substr(url, 1, 200));

-- Segments of which the addresses are to be noted yet, as in archives of an older version. Empty: those of links.
CREATE TABLE untailed (
  segment TEXT NOT NULL PRIMARY KEY
);
INSERT INTO untailed (segment) SELECT id FROM segments;
INSERT INTO untailed (segment) SELECT '' FROM links LIMIT 1;

-- +goose Down
DROP TABLE untailed;
DROP TABLE tails;
