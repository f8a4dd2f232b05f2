-- A photo of an incident may show one of its repairs: the page of the incident has it beside the repair (registry/photos).

ALTER TABLE repair ADD CONSTRAINT repair_of_incident UNIQUE (id, incident);
ALTER TABLE photo ADD COLUMN repair bigint;
ALTER TABLE photo ADD CHECK (repair IS NULL OR incident IS NOT NULL);
ALTER TABLE photo ADD CONSTRAINT photo_repair_fkey FOREIGN KEY (repair, incident) REFERENCES repair (id, incident);
