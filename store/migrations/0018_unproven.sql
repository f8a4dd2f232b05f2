-- Stations whose silence proves nothing, because gaps of the pipeline leave open whether heartbeats were lost, are unknown:
-- they are counted apart. (Unknown because a clock says nothing are those of whole partitions, and counted by nobody.)
ALTER TABLE area_count ADD COLUMN unknown integer NOT NULL DEFAULT 0;
