-- The tables and queries of the recorders. The names in braces are those of one application; they
-- are checked and quoted by recorders.named.

-- name: create_aggregate_events
CREATE TABLE IF NOT EXISTS {events} (
    originator_id      {id} NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    state              bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);

-- name: create_application_events
CREATE TABLE IF NOT EXISTS {events} (
    originator_id      {id} NOT NULL,
    originator_version bigint NOT NULL,
    topic              text NOT NULL,
    state              bytea NOT NULL,
    notification_id    bigint NOT NULL UNIQUE,
    PRIMARY KEY (originator_id, originator_version)
);

-- name: create_insert
-- Insert in one transaction, each insert completely or not at all. The result of each is the notification
-- id of its first event, or its conflict. Insert c has sizes[c] events of the arrays.
-- With `again`, identical existing events are those of an earlier attempt.
-- The advisory lock is held until commit, so notification ids are gapless, commit in their own order,
-- and a reader that has seen one never sees a smaller one appear later.
CREATE OR REPLACE FUNCTION {insert}(
    again boolean, sizes integer[], ids {id}[], versions bigint[], topics text[], states bytea[]
) RETURNS TABLE (first_id bigint, conflict text)
LANGUAGE plpgsql AS $insert$
DECLARE
    head bigint;
    a    integer;
    b    integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended({lock}, 0));
    SELECT coalesce(max(e.notification_id), 0) INTO head FROM {events} e;

    BEGIN
        INSERT INTO {events} (originator_id, originator_version, topic, state, notification_id)
        SELECT n.id, n.version, n.topic, n.state, head + n.i
            FROM unnest(ids, versions, topics, states) WITH ORDINALITY
                 AS n (id, version, topic, state, i);
        PERFORM pg_notify({channel}, '');
        FOR c IN 1 .. cardinality(sizes) LOOP
            first_id := head + b + 1;
            b := b + sizes[c];
            RETURN NEXT;
        END LOOP;
        RETURN;
    EXCEPTION WHEN unique_violation THEN
        -- At least one conflicts: find out which, and insert the others.
    END;

    FOR c IN 1 .. cardinality(sizes) LOOP
        a := b + 1;
        b := b + sizes[c];
        BEGIN
            INSERT INTO {events} (originator_id, originator_version, topic, state, notification_id)
            SELECT n.id, n.version, n.topic, n.state, head + n.i
                FROM unnest(ids[a:b], versions[a:b], topics[a:b], states[a:b]) WITH ORDINALITY
                     AS n (id, version, topic, state, i);
            first_id := head + 1;
            conflict := NULL;
            head := head + sizes[c];
        EXCEPTION WHEN unique_violation THEN
            first_id := NULL;
            GET STACKED DIAGNOSTICS conflict = PG_EXCEPTION_DETAIL;
            IF again THEN
                SELECT min(e.notification_id) INTO first_id
                FROM unnest(ids[a:b], versions[a:b], topics[a:b], states[a:b])
                     AS n (id, version, topic, state)
                JOIN {events} e ON e.originator_id = n.id AND e.originator_version = n.version
                    AND e.topic = n.topic AND e.state = n.state
                HAVING count(*) = sizes[c];
            END IF;
        END;
        RETURN NEXT;
    END LOOP;
    PERFORM pg_notify({channel}, '');
END $insert$;

-- name: insert_aggregate_events
INSERT INTO {events} (originator_id, originator_version, topic, state)
SELECT * FROM unnest($1::{id}[], $2::bigint[], $3::text[], $4::bytea[]);

-- name: insert_application_events
SELECT first_id, conflict FROM {insert}($1, $2, $3, $4, $5, $6);

-- name: select_events
SELECT originator_id, originator_version, topic, state FROM {events}
WHERE originator_id = $1 AND originator_version > coalesce($2, -9223372036854775808)
  AND originator_version <= coalesce($3, 9223372036854775807)
ORDER BY originator_version
LIMIT $4::bigint;

-- name: select_events_backwards
SELECT originator_id, originator_version, topic, state FROM {events}
WHERE originator_id = $1 AND originator_version > coalesce($2, -9223372036854775808)
  AND originator_version <= coalesce($3, 9223372036854775807)
ORDER BY originator_version DESC
LIMIT $4::bigint;

-- name: select_notifications
SELECT originator_id, originator_version, topic, state, notification_id FROM {events}
WHERE notification_id >= $1 AND notification_id <= coalesce($2, 9223372036854775807)
  AND ($3::text[] IS NULL OR topic = ANY ($3))
ORDER BY notification_id
LIMIT $4::bigint;

-- name: max_notification_id
SELECT max(notification_id) FROM {events};

-- name: create_tracking
CREATE TABLE IF NOT EXISTS {tracking} (
    application_name text PRIMARY KEY,
    notification_id  bigint NOT NULL
);

-- name: insert_tracking
-- Returns nothing if the application has already been tracked up to here.
INSERT INTO {tracking} AS t (application_name, notification_id) VALUES ($1, $2)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
    WHERE t.notification_id < excluded.notification_id
RETURNING notification_id;

-- name: max_tracking_id
SELECT max(notification_id) FROM {tracking} WHERE application_name = $1;
