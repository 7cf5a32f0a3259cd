#!/bin/sh
# A new, empty database at every start, for POSTGRES_USER with POSTGRES_PASSWORD.
set -e
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/tmp/data
printf %s "$POSTGRES_PASSWORD" > /tmp/password
initdb -D "$data" -U "${POSTGRES_USER:-postgres}" --auth=scram-sha-256 --pwfile=/tmp/password > /dev/null
rm /tmp/password
echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
exec postgres -D "$data" -k /tmp -c listen_addresses='*'
