-- +goose Up
-- How each host fares, whoever asks it, and why it is left alone until polite_until. All of it may be lost: a rebuild begins
-- without, and learns it anew.

-- Why nobody is to ask it before polite_until: a word of crawler/pace (delay, crawl-delay, retry-after, backoff, down, robots).
ALTER TABLE hosts ADD COLUMN wait_reason TEXT NOT NULL DEFAULT '';

-- Exchanges in a row that failed, when the first of them ended, before when the host is not to be asked because of the last
-- one (milliseconds), and why: backoff, retry-after, down.
ALTER TABLE hosts ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN failing_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN failing_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN failing_why TEXT NOT NULL DEFAULT '';

-- How long it takes to answer, smoothed; 0 if nobody knows.
ALTER TABLE hosts ADD COLUMN response_ms BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE hosts DROP COLUMN response_ms;
ALTER TABLE hosts DROP COLUMN failing_why;
ALTER TABLE hosts DROP COLUMN failing_until;
ALTER TABLE hosts DROP COLUMN failing_since;
ALTER TABLE hosts DROP COLUMN failures;
ALTER TABLE hosts DROP COLUMN wait_reason;
