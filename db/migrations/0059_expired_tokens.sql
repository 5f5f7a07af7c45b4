-- 0059_expired_tokens: an index that finds expired refresh tokens, which app.login_session_start removes
-- squawk-ignore require-concurrent-index-creation -- a small table, written at log-in only
create index on private.refresh_tokens (expires_at);
