-- Incidents that have a common cause, and alerts that wait.

-- A child and its parent are written together, in whatever order.
ALTER TABLE incident ALTER CONSTRAINT incident_parent_fkey DEFERRABLE INITIALLY DEFERRED;

-- Told not before this: until the station opens.
ALTER TABLE notification ADD COLUMN not_before timestamptz;
