-- +goose Up
-- Revisits of other programs name their originals by record id.
CREATE INDEX captures_record ON captures (record_id) WHERE segment >= 'imported-' AND segment < 'imported.';

-- +goose Down
DROP INDEX captures_record;
