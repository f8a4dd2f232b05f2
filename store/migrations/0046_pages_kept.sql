-- Pages of incidents that closed long ago are deleted, with their messages and attempts (alerting/delivery/pages/forgetting_store.py).
CREATE INDEX page_created ON page (created_at);
CREATE INDEX message_created ON message (created_at);
