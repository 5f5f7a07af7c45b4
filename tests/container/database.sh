#!/bin/sh
# What the image postgres:18 does at a start: a new data folder is made and initialized through a socket, then it serves.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    socket="-c listen_addresses= -c unix_socket_directories=/run/postgresql"
    pg_ctl --wait --options="$socket" --log=/dev/null start >/dev/null
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql --host=/run/postgresql --username=postgres --no-psqlrc --set=ON_ERROR_STOP=1 --file="$file"
    done
    pg_ctl --wait --mode=fast stop >/dev/null
fi
exec postgres -c "listen_addresses=*" -c unix_socket_directories=/run/postgresql
