-- The order of publication was kept beside the version, and read by nobody. Every column that is written after
-- the row, and every index, is paid for by each logout.

DROP INDEX revocations_by_position;
ALTER TABLE revocations DROP COLUMN position;
