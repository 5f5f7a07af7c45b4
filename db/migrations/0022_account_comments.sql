-- 0022_account_comments: plainer comments on tables and columns of accounts
comment on table private.web_sessions is
    'Sessions of browsers. The cookie holds 32 random bytes; the row holds their SHA-256.';
comment on column private.web_sessions.tokens is
    'Tokens that an outside identity provider gave for this session, encrypted by the application.';
comment on column private.web_sessions.renewing_until is
    'Until this moment one request is renewing the tokens, or has just failed to; no other request tries.';
comment on table private.login_sessions is
    'Log-ins through the API of the embedded identity provider, one row each. Tokens of a session that has ended are refused.';
comment on table private.refresh_tokens is
    'Refresh tokens of the embedded identity provider, as SHA-256. Each may be used once.';
comment on table private.password_resets is
    'Links to set a new password, as SHA-256 of their token. Each may be used once.';
comment on table private.analyst_logins is
    'SQL logins of analysts, and the organization that each reads. A login without a row here reads no rows.';
comment on column private.analyst_logins.role_name is
    'Name of the database role. It tells nothing about the organization, because every login can list all roles.';
comment on column private.analyst_logins.name is 'Name of the analyst or the purpose, as the operator gave it.';
comment on column private.provider_keys.fingerprint is
    'HMAC of the OpenAI key: equal for equal keys. Null for a key stored before the column existed; it is treated as shared.';
comment on table private.login_attempts is
    'Log-ins of the last 15 minutes that failed or whose password is being checked.';
comment on column private.login_attempts.account_hash is
    'SHA-256 of the e-mail address that was given, in lower case; there may be no such account.';
comment on column private.login_attempts.address is 'IPv4 address of the client, or the /64 network of its IPv6 address.';
comment on column public.members.email is 'E-mail address at the last log-in; the identity provider may have a newer one.';
