-- The ledger, version 1. Times are microseconds since 1970 (UTC), costs millionths of the currency's unit; hashes are the
-- first 64 bits of an HMAC-SHA256 with ledger.pseudonym_key. No code, no text, no plain number, no plain address.
CREATE TABLE message (
    id                uuid   NOT NULL PRIMARY KEY, -- version 7, so rows lie in the order of their time
    admitted_at       bigint NOT NULL,
    sent_at           bigint,
    settled_at        bigint,
    usage_type        text   NOT NULL,
    locale            text,
    template_variant  text,
    country           text,
    number_masked     text   NOT NULL,
    number_hash       bigint NOT NULL,
    range3_hash       bigint NOT NULL,
    range4_hash       bigint NOT NULL,
    ip_hash           bigint,
    counted           bigint NOT NULL,             -- bit 0: by the limits, bit 1: by the address, too
    encoding          text,
    segments          bigint,
    outcome           text,                        -- none while the message is open
    error_kind        text,
    error_code        bigint,
    gatewayapi_id     bigint,
    cost_micros       bigint,
    currency          text,
    delivery_status   text,
    delivery_time     bigint,
    delivery_error_group text,
    delivery_error_code  bigint,
    instance          bigint NOT NULL              -- of the process that opened it, which holds an advisory lock on it
);

CREATE INDEX message_by_number ON message (number_hash, id);
CREATE INDEX message_open ON message (admitted_at) WHERE outcome IS NULL;

-- What the limits remember of each subject. Room is left in each page, so that a state is changed in place.
CREATE TABLE limit_state (
    "limit"           text     NOT NULL,
    subject           bigint   NOT NULL,
    stamps            bigint[] NOT NULL,
    version           bigint   NOT NULL,           -- one more with each change
    touched_at        bigint   NOT NULL,           -- up to the next whole hour, so that its index changes seldom
    PRIMARY KEY ("limit", subject)
) WITH (fillfactor = 60);

CREATE INDEX limit_state_by_age ON limit_state (touched_at);
