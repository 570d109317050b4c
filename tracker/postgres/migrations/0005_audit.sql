-- The log as a transparency log (docs/audit.md): what is published about it, and by whom.
--
--   tracker_publisher  reads the log; adds tiles, checkpoints and cosignatures
--
-- The owner, as which migrations run, makes no roles: that takes the login. Other databases of the
-- server may have made this one already, or be making it at this moment.
RESET ROLE;
DO $$
BEGIN
    IF to_regrole('tracker_publisher') IS NULL THEN
        BEGIN
            CREATE ROLE tracker_publisher NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'tracker_publisher', 'SET') THEN
        GRANT tracker_publisher TO CURRENT_USER;
    END IF;
END $$;
SET LOCAL ROLE tracker_owner;

-- The complete tiles of the tree over the log's entries: 256 hashes of one level and the root over
-- them, which is a hash of the level above. Entry number n is the event at position n + 1. What is
-- not complete yet, at the right edge, follows from these roots and from the entries.
--
-- The hashes of entries are kept here and not beside the entries: appends pay nothing for them, and
-- an entry that somebody changes with force no longer fits what was published of it.
CREATE TABLE log.tiles (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 256 * 32),
    root   bytea NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (level, number)
);
ALTER TABLE log.tiles ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not get smaller

-- The signed heads of the log. A size has one, for ever.
CREATE TABLE log.checkpoints (
    size      bigint PRIMARY KEY CHECK (size >= 0),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    note      text NOT NULL,  -- as it was signed
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What witnesses signed of them.
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

GRANT USAGE ON SCHEMA log TO tracker_publisher;
GRANT SELECT ON log.events TO tracker_publisher;
GRANT SELECT ON log.tiles, log.checkpoints, log.cosignatures
    TO tracker_publisher, tracker_api, tracker_projector;
GRANT INSERT ON log.tiles, log.checkpoints, log.cosignatures TO tracker_publisher;
