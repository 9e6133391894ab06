-- +goose Up
-- Links are watched: one row a link, a target that posts of a collection cite, with what is known of its life. All of it can be made
-- anew, from posts, captures and the looks that attempts tell of: a rebuild begins with none, and folds them again.

CREATE TABLE links (
  id         BIGINT NOT NULL PRIMARY KEY, -- hash of collection and url; also the id of its task in run 0
  collection TEXT NOT NULL,
  url        TEXT NOT NULL,
  urlkey     TEXT NOT NULL DEFAULT '',
  host       TEXT NOT NULL DEFAULT '',    -- of its task; empty until it was folded first
  added      BIGINT NOT NULL,             -- microseconds: when the first post that cites it was captured
  live       TEXT NOT NULL DEFAULT '',    -- the word of its state, see archive/link
  since      BIGINT NOT NULL DEFAULT 0,   -- microseconds
  strikes    BIGINT NOT NULL DEFAULT 0,
  looked     BIGINT NOT NULL DEFAULT 0,   -- microseconds: the last look or capture that the state knows of
  next_at    BIGINT NOT NULL DEFAULT 0,   -- milliseconds: when it is looked at again
  state      TEXT NOT NULL DEFAULT '',    -- JSON; the crawler's, opaque here
  look       TEXT NOT NULL DEFAULT '',    -- JSON; the same: the look that is under way
  hop        BIGINT NOT NULL DEFAULT 0,   -- id of the task in run 0 that goes on with that look; 0: none
  stale      BIGINT NOT NULL DEFAULT 1    -- what came since the state was folded
);
CREATE INDEX links_hop ON links (hop) WHERE hop <> 0;
CREATE INDEX links_stale ON links (id) WHERE stale <> 0;
CREATE INDEX links_live ON links (live, since);

CREATE TABLE link_posts (
  link BIGINT NOT NULL,
  post TEXT NOT NULL,
  PRIMARY KEY (link, post)
);
CREATE INDEX link_posts_post ON link_posts (post);

-- 1: the post's links have their rows.
ALTER TABLE posts ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;
CREATE INDEX posts_unlinked ON posts (id, run) WHERE linked = 0;

-- Of a look at a link: which, and the evidence as JSON, opaque here; empty while the look goes on elsewhere.
ALTER TABLE attempts ADD COLUMN link BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN look TEXT NOT NULL DEFAULT '';
CREATE INDEX attempts_link ON attempts (link, at) WHERE link <> 0;

-- +goose Down
DROP INDEX attempts_link;
ALTER TABLE attempts DROP COLUMN look;
ALTER TABLE attempts DROP COLUMN link;
DROP INDEX posts_unlinked;
ALTER TABLE posts DROP COLUMN linked;
DROP TABLE link_posts;
DROP TABLE links;
