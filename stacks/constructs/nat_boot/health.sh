#!/bin/bash
# Loads the rules again if something removed or changed them, and says so. Costs two listings.
set -euo pipefail

readonly home=/etc/nat-failover
# shellcheck source=stacks/constructs/nat_boot/lib.sh
source "$home/lib"

if [[ $(rules 2>/dev/null) == "$(</run/nat-failover/rules)" ]] && (($(</proc/sys/net/ipv4/ip_forward) == 1)); then
    exit 0
fi
echo "the rules or the forwarding were not as this host loaded them: loading them again"
exec "$home/up"
