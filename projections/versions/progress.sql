-- name: tracking
-- How far the projection has come, and by which code.
SELECT position, fold FROM tracking WHERE projection = 'versions';
