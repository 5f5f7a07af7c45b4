-- 0029_signup_attempts: sign-ups are counted per address like log-ins, and an address that is known for an account counts as such
create table private.signup_attempts (
    id bigint generated always as identity primary key,
    address text not null,
    at timestamptz not null default clock_timestamp()
);
create index on private.signup_attempts (address, at);
create index on private.signup_attempts (at);
alter table private.signup_attempts enable row level security;
comment on table private.signup_attempts is 'Sign-ups of the last 15 minutes, whether or not they went well.';
comment on column private.signup_attempts.address is 'Network address of the client; of IPv6 the /64 it is in.';

create table private.login_places (
    account_hash bytea not null,
    address text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (account_hash, address)
);
create index on private.login_places (at);
alter table private.login_places enable row level security;
comment on table private.login_places is 'From where accounts logged in during the last 90 days: app.login_attempt does not lock them out there.';
comment on column private.login_places.account_hash is 'SHA-256 of the e-mail address in lower case.';
comment on column private.login_places.address is 'Network address of the client; of IPv6 the /64 it is in.';
comment on column private.login_places.at is 'When the account last logged in from there.';
