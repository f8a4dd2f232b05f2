-- When a token was last used, to about five minutes: who administers tokens revokes those that nobody uses.
ALTER TABLE api_token ADD COLUMN used_at timestamptz;
