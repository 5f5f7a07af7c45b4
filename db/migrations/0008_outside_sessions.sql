-- 0008_outside_sessions: who renews the tokens that an outside identity provider gave for a browser session
alter table private.web_sessions add column renewing_until timestamptz;
comment on column private.web_sessions.renewing_until is
    'Until then one request is trading the tokens for new ones, or has just failed to; the others leave it alone.';
