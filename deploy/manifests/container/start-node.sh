#!/bin/sh
# Begins what a node runs: `start-node patroni`, `start-node etcd`, or asks it: `start-node patronictl list`.
# Passwords come from files, all else from the environment.
set -eu
secrets=${SECRETS:-/run/secrets}

password() {
    cat "$secrets/$1_password"
}

# What runs the node, and what asks it: `exec` into a container brings none of what this script found.
passwords_of_patroni() {
    PATRONI_SUPERUSER_PASSWORD=$(password superuser)
    PATRONI_REPLICATION_PASSWORD=$(password replication)
    PATRONI_REWIND_PASSWORD=$(password rewind)
    PATRONI_RESTAPI_PASSWORD=$(password restapi)
    export PATRONI_SUPERUSER_PASSWORD PATRONI_REPLICATION_PASSWORD PATRONI_REWIND_PASSWORD PATRONI_RESTAPI_PASSWORD
}

case $1 in
patroni)
    passwords_of_patroni
    exec patroni /etc/patroni/config.yml
    ;;
patronictl)
    shift
    passwords_of_patroni
    exec patronictl --config-file /etc/patroni/config.yml "$@"
    ;;
roles)
    PGPASSWORD=$(password superuser)
    export PGPASSWORD
    until psql --quiet --command "SELECT 1" "$DATABASE" > /dev/null 2>&1; do sleep 1; done
    exec psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set admin_password="$(password admin)" \
        --set web_password="$(password web)" --file /roles.sql "$DATABASE"
    ;;
*)
    exec "$@"
    ;;
esac
