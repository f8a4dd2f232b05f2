-- On whose behalf a share was acknowledged, as the client said; nobody has checked it.
ALTER TABLE incident_share_ack ADD COLUMN acknowledged_remark text CHECK (char_length(acknowledged_remark) <= 200);
