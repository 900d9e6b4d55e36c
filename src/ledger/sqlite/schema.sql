-- The ledger, version 1. Times are microseconds since 1970 (UTC), costs millionths of the currency's unit; hashes are the
-- first 64 bits of an HMAC-SHA256 with ledger.pseudonym_key. No code, no text, no plain number, no plain address.
CREATE TABLE message (
    id                BLOB    NOT NULL PRIMARY KEY, -- a UUID version 7, so rows lie in the order of their time
    admitted_at       INTEGER NOT NULL,
    sent_at           INTEGER,
    settled_at        INTEGER,
    usage_type        TEXT    NOT NULL,
    locale            TEXT,
    template_variant  TEXT,
    country           TEXT,
    number_masked     TEXT    NOT NULL,
    number_hash       INTEGER NOT NULL,
    range3_hash       INTEGER NOT NULL,
    range4_hash       INTEGER NOT NULL,
    ip_hash           INTEGER,
    counted           INTEGER NOT NULL,             -- bit 0: by the limits, bit 1: by the address, too
    encoding          TEXT,
    segments          INTEGER,
    outcome           TEXT,                         -- none while the message is open
    error_kind        TEXT,
    error_code        INTEGER,
    gatewayapi_id     INTEGER,
    cost_micros       INTEGER,
    currency          TEXT,
    delivery_status   TEXT,
    delivery_time     INTEGER,
    delivery_error_group TEXT,
    delivery_error_code  INTEGER
) STRICT, WITHOUT ROWID;

-- Where the messages of a number are. An index that is kept up with each message would cost more than the message itself,
-- for numbers lie everywhere in it; so it is filled later, up to the mark 'indexed'.
CREATE TABLE message_of_number (
    number_hash       INTEGER NOT NULL,
    id                BLOB    NOT NULL,
    PRIMARY KEY (number_hash, id)
) STRICT, WITHOUT ROWID;

-- Places in the order of ids.
CREATE TABLE mark (
    name              TEXT    NOT NULL PRIMARY KEY, -- 'indexed', or 'started': when the present process did
    id                BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
