-- +goose Up
-- The page of a document on which a citation stands, from 1; 0 where there are none. The post record tells it.
ALTER TABLE citations ADD COLUMN page BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE citations DROP COLUMN page;
