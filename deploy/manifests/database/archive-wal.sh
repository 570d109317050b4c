#!/bin/sh
# Keeps a file of PostgreSQL's write-ahead log in an archive: whole, on the disk, and never over another. In
# postgresql.conf:
#
#   archive_command = '/usr/local/bin/archive-wal %p /var/backups/postgresql/wal/%f'
#
# After a crash PostgreSQL sends a file once more: the same bytes are taken, others are refused.
set -eu
[ ! -e "$2" ] || exec cmp "$1" "$2"
cp "$1" "$2.part"
sync "$2.part"
mv "$2.part" "$2"
sync "$(dirname "$2")"
