-- 0011_login_attempts: log-ins that failed lately, so that nobody can try passwords without end
create table private.login_attempts (
    id bigint generated always as identity primary key,
    account_hash bytea not null,
    address text not null,
    at timestamptz not null default clock_timestamp()
);
create index on private.login_attempts (address, at);
create index on private.login_attempts (at);
alter table private.login_attempts enable row level security;
comment on table private.login_attempts is 'Log-ins that failed in the last 15 minutes, or are just being tried.';
comment on column private.login_attempts.account_hash is 'SHA-256 of the e-mail address as typed, in lower case: it may belong to nobody.';
comment on column private.login_attempts.address is 'Network address of the client; of IPv6 the /64 it is in.';
