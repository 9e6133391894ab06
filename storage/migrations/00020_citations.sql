-- +goose Up
-- What a post's record tells of each citation, besides: the text directive that leads to its place, the quotation that it supports,
-- when its author cited it if that is told of it alone, the entry of a feed in which it stands, and other addresses that may
-- be meant, a line each.
ALTER TABLE citations ADD COLUMN selector TEXT NOT NULL DEFAULT '';
ALTER TABLE citations ADD COLUMN quotation TEXT NOT NULL DEFAULT '';
ALTER TABLE citations ADD COLUMN dated TEXT NOT NULL DEFAULT '';
ALTER TABLE citations ADD COLUMN entry TEXT NOT NULL DEFAULT '';
ALTER TABLE citations ADD COLUMN alternatives TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE citations DROP COLUMN alternatives;
ALTER TABLE citations DROP COLUMN entry;
ALTER TABLE citations DROP COLUMN dated;
ALTER TABLE citations DROP COLUMN quotation;
ALTER TABLE citations DROP COLUMN selector;
