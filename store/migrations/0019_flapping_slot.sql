-- The seconds of a slot of a station's present episode; it follows what the station promised when that began.
ALTER TABLE flapping_memory ADD COLUMN slot double precision NOT NULL DEFAULT 180;
