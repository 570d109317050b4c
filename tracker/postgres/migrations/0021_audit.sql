-- The log as a transparency log (docs/audit.md): its published hashes and signatures.
--
-- Complete tiles of the tree over the log's entries: 256 hashes of one level and the root over them,
-- which is a hash of the level above. Entry number n is the event at position n + 1. The incomplete
-- tiles at the right edge follow from these roots and from the entries.
--
-- The hashes stand here and not beside the entries: appends do not pay for them, and an entry that is
-- changed by force no longer fits its published hash.
CREATE TABLE log.tiles (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 256 * 32),
    root   bytea NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (level, number)
);
ALTER TABLE log.tiles ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not get smaller

-- Signed heads of the log: one per size, for ever.
CREATE TABLE log.checkpoints (
    size      bigint PRIMARY KEY CHECK (size >= 0),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    note      text NOT NULL,  -- as it was signed
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Signatures of witnesses.
CREATE TABLE log.cosignatures (
    size      bigint NOT NULL REFERENCES log.checkpoints,
    witness   text NOT NULL,  -- its verifier key
    signature text NOT NULL,  -- a line for the note
    PRIMARY KEY (size, witness)
);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on log.% is refused: what is published never changes', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE EXECUTE ON FUNCTION log.refuse_change FROM PUBLIC;

CREATE TRIGGER tiles_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.tiles
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER cosignatures_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log.cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
ALTER TABLE log.tiles ENABLE ALWAYS TRIGGER tiles_never_change;
ALTER TABLE log.checkpoints ENABLE ALWAYS TRIGGER checkpoints_never_change;
ALTER TABLE log.cosignatures ENABLE ALWAYS TRIGGER cosignatures_never_change;

GRANT SELECT ON log.tiles, log.checkpoints, log.cosignatures
    TO tracker_publisher, tracker_api, tracker_projector;
GRANT INSERT ON log.tiles, log.checkpoints, log.cosignatures TO tracker_publisher;
