-- +goose Up
-- Attempts are cited by the name of their record.
CREATE INDEX attempts_record ON attempts (record_id) WHERE record_id <> '';

-- +goose Down
DROP INDEX attempts_record;
