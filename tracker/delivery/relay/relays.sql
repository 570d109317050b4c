-- name: begin
-- Begin a relay, if there is none of this name yet.
INSERT INTO delivery.relays
    (name, sink, types, commodities, places, entity, started_after, position, previous_position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)
ON CONFLICT (name) DO NOTHING;

-- name: read
SELECT types, commodities, places, entity, started_after, position, previous_position, sequence, refills
FROM delivery.relays WHERE name = $1;

-- name: all
SELECT name, position, refills FROM delivery.relays ORDER BY name;

-- name: write
-- Write the progress; $6 is 1 if the broker had lost events.
UPDATE delivery.relays
SET sink = $2, position = $3, previous_position = $4, sequence = $5, refills = refills + $6,
    updated_at = clock_timestamp()
WHERE name = $1;
