#!/bin/sh
# Makes the passwords of the database, and the settings that hold them, in `secrets` beside this file.
# What is there already stays: a database knows the passwords that it was begun with.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets  # nobody else on this machine gets in; the users in the containers read the files
umask 022

password() {
    [ -e "secrets/$1_password" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$1_password"
}

# settings NAME LOGIN PASSWORD DATABASE
settings() {
    [ -e "secrets/$1.toml" ] || cat > "secrets/$1.toml" << END
# Settings of the tracker (docs/operating/configure.md).
database_url = "postgresql://$2:$(cat "secrets/$3_password")@$4"
END
}

for login in superuser admin web replication rewind restapi; do password "$login"; done
settings admin minerals_admin admin database/minerals
settings web web web database/minerals
CLUSTER="db1,db2,db3/minerals?target_session_attrs=read-write"
settings cluster_admin minerals_admin admin "$CLUSTER"
settings cluster_web web web "$CLUSTER"
