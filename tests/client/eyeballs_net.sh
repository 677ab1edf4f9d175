#!/bin/sh
# Runs a command in a network of its own, without any way out. 198.51.100.0/24
# leads nowhere: what is sent there is lost. Needs `unshare -rnm` around it.
set -e
hosts=$1
shift
ip link set lo up
ip addr add 203.0.113.9/32 dev lo
ip route add 198.51.100.0/24 dev lo
cat >"$hosts" <<EOF
127.0.0.1 localhost
198.51.100.1 dead.test
198.51.100.2 dead.test
203.0.113.9 dead.test
198.51.100.3 dead.test
198.51.100.1 slow.test
198.51.100.2 slow.test
198.51.100.3 slow.test
EOF
mount --bind "$hosts" /etc/hosts
exec "$@"
