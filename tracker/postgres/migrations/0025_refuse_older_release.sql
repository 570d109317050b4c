-- Older releases read and write `projection.tracking` without comparing the code that made the rows with
-- their own. A rebuild by this release puts a view of this function in the place of that table: every
-- statement of an older server then fails as if the database were away, so it writes no rows, answers
-- UNAVAILABLE and is not ready.
CREATE FUNCTION log.refuse_older_release() RETURNS TABLE (projection text, "position" bigint, fold text)
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a newer release maintains the rows; restart with it' USING ERRCODE = 'cannot_connect_now';
END $$;
