-- +goose Up
-- A revisit whose server answered 304 (WARC 1.1 §6.7.3): what a reader gets of it, its head too, is that of what it refers to.
-- 0: any other capture.
ALTER TABLE captures ADD COLUMN unmodified BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE captures DROP COLUMN unmodified;
