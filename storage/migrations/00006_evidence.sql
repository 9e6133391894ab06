-- +goose Up
-- What a capture is beyond its bytes, and what its server said of its version; attempts that can be cited.

-- Words of archive/wall, a space between them: why a reader is not served this copy if there is another. Empty: none.
ALTER TABLE captures ADD COLUMN flags TEXT NOT NULL DEFAULT '';

-- ETag and Last-Modified as they were sent, for the conditional request of the next capture. Empty: it sent none.
ALTER TABLE captures ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE captures ADD COLUMN modified TEXT NOT NULL DEFAULT '';

-- Why the certificate did not verify. Empty: it did, or there was none.
ALTER TABLE captures ADD COLUMN tls_invalid TEXT NOT NULL DEFAULT '';

-- WARC-Record-ID of the metadata record that tells of the attempt. Empty: written before attempts had one here.
ALTER TABLE attempts ADD COLUMN record_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE attempts DROP COLUMN record_id;
ALTER TABLE captures DROP COLUMN tls_invalid;
ALTER TABLE captures DROP COLUMN modified;
ALTER TABLE captures DROP COLUMN etag;
ALTER TABLE captures DROP COLUMN flags;
