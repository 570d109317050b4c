#!/bin/sh
# Makes the passwords of the database, and the settings that hold them, in `secrets` beside this file.
# What is there already stays: a database knows the passwords that it was begun with.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets  # nobody else on this machine gets in; the users in the containers read the files
umask 022

password() {
    [ -e "secrets/$1" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$1"
}

settings() {
    [ -e "secrets/$1.toml" ] || cat > "secrets/$1.toml" << END
# Settings of the tracker (docs/operating/configure.md).
database_url = "postgresql://$2:$(cat "secrets/$3")@database/minerals"
END
}

password superuser_password
password admin_password
password web_password
settings admin minerals_admin admin_password
settings web web web_password
