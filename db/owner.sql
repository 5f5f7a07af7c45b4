-- The owner of the database, and the database: what compose.yaml's Postgres runs once, as a superuser, when its volume is new
--
-- The superuser has no password afterwards: docker compose exec database psql spendai lets it in, the network does not.
\set password `cat /run/secrets/database_password`
create role spendai login createrole password :'password';
create database spendai owner spendai;
alter role postgres password null;
