-- Parts of statements that look up versions. Every entity is looked up at the moment by its name. The cost
-- depends on their number, not on their history.

-- name: version
-- The version of one entity at a moment. It is in the last generation that begins by then (see
-- entity_rows.py), among the last of the rows that begin by the day. The limit keeps one lookup per
-- entity; otherwise the planner would read the whole history.
SELECT * FROM versions
WHERE entity = {entity}
  AND generation = (
      SELECT max(generation) FROM versions WHERE entity = {entity} AND generation <= {position})
  AND since <= {position} AND until > {position} AND first_day <= {day} AND last_day >= {day}
ORDER BY first_day DESC, since DESC LIMIT 1

-- name: versions_in
-- The versions of one entity on some days, as recorded at a position.
SELECT * FROM versions
WHERE entity = {entity}
  AND generation = (
      SELECT max(generation) FROM versions WHERE entity = {entity} AND generation <= {position})
  AND since <= {position} AND until > {position} AND first_day <= {last} AND last_day >= {first}

-- name: versions_of
-- The versions of some entities at a moment, or on some days.
(
    {entities}
) AS subject CROSS JOIN LATERAL (
    {version}
) AS version

-- name: whole_state
-- The state of a version. If it is stored without its long lists (see elements.py of the domain), the list
-- elements at the position, on the first day of the version, are inserted.
CASE WHEN ascii({version}.state) <> 2 THEN {version}.state ELSE (
    SELECT split_part({version}.state, E'\x02', 4)
           || string_agg(element.text, ',' ORDER BY element.place) FILTER (WHERE element.list = 1)
           || split_part({version}.state, E'\x02', 5)
           || coalesce(string_agg(element.text, ',' ORDER BY element.place)
                       FILTER (WHERE element.list = 2), '')
           || split_part({version}.state, E'\x02', 6)
    FROM {elements}) END

-- name: whole_sources
-- The sources of a version; an element has one, or several in a list.
coalesce({version}.sources, (
    SELECT jsonb_path_query_array(jsonb_agg(element.source), '$[*][*]')
    FROM {elements}
      AND element.source IS NOT NULL))

-- name: elements
elements AS element
WHERE element.entity = {version}.entity
  AND element.until > {version}.since AND element.since <= {version}.since
  AND element.first_day <= {version}.first_day AND element.last_day >= {version}.first_day
