#!/bin/sh
# Runs a command in a network of its own, without any way out. 198.51.100.0/24
# leads nowhere: what is sent there is lost, questions to the name server among it.
# Needs `unshare -rnm` around it. The first argument is a folder for its files.
set -e
folder=$1
shift
ip link set lo up
ip addr add 203.0.113.9/32 dev lo
ip addr add 203.0.113.8/32 dev lo
ip route add 198.51.100.0/24 dev lo
cat >"$folder/hosts" <<EOF
127.0.0.1 localhost
198.51.100.1 dead.test
198.51.100.2 dead.test
203.0.113.9 dead.test
198.51.100.3 dead.test
198.51.100.1 slow.test
198.51.100.2 slow.test
198.51.100.3 slow.test
203.0.113.8 refused.test
203.0.113.9 refused.test
EOF
mount --bind "$folder/hosts" /etc/hosts
echo "nameserver 198.51.100.53" >"$folder/resolv.conf"
mount --bind "$folder/resolv.conf" /etc/resolv.conf
exec "$@"
