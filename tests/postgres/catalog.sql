-- name: catalog
-- Everything that migrations make, as text: objects, owners and access rights.
WITH ours AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname IN ('log', 'projection', 'projection_next', 'delivery', 'watch', 'review')),
rights (object, acl) AS (
    SELECT format('schema %s of %s', nspname, nspowner::regrole), nspacl
    FROM pg_namespace WHERE oid IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('relation %s (%s) of %s', c.oid::regclass, relkind, relowner::regrole), relacl
    FROM pg_class c WHERE relnamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('column %s %s %s %s %s %s', attrelid::regclass, attnum, attname,
                  format_type(atttypid, atttypmod), attnotnull, attstorage), attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace IN (SELECT oid FROM ours) AND attnum > 0
    UNION ALL
    SELECT format('%s of %s', pg_get_functiondef(p.oid), proowner::regrole), proacl
    FROM pg_proc p WHERE pronamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('default of %s', defaclrole::regrole), defaclacl FROM pg_default_acl)
SELECT format('%s: %s', object, array(SELECT unnest(acl)::text ORDER BY 1)) FROM rights
UNION ALL
SELECT format('default %s', pg_get_expr(adbin, adrelid)) FROM pg_attrdef
JOIN pg_class c ON c.oid = adrelid WHERE relnamespace IN (SELECT oid FROM ours)
UNION ALL
SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index
JOIN pg_class c ON c.oid = indrelid WHERE relnamespace IN (SELECT oid FROM ours)
UNION ALL
SELECT format('%s %s', pg_get_triggerdef(t.oid), tgenabled) FROM pg_trigger t
JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace IN (SELECT oid FROM ours) AND NOT tgisinternal
UNION ALL
SELECT format('view %s', pg_get_viewdef(c.oid)) FROM pg_class c
WHERE relnamespace IN (SELECT oid FROM ours) AND relkind = 'v'
ORDER BY 1;
