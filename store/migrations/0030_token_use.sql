-- When a token was last used, to about five minutes: so an administrator finds tokens that are not used, and revokes them.
ALTER TABLE api_token ADD COLUMN used_at timestamptz;
