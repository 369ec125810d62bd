#!/bin/bash
# Loads the rules again if something removed or changed them, or if the VPC has other networks than
# they say, and says so. Says also that the connection table is nearly full, or that a host has its
# share of it: a line each time, at most. Costs three listings and two questions to the metadata service,
# whose silence changes nothing.
set -euo pipefail

# shellcheck source=cdk_nat_failover/instances/boot/lib.sh
source /etc/nat-failover/lib

tell_the_fill() {
    local count max over
    count=$(</proc/sys/net/netfilter/nf_conntrack_count)
    max=$(</proc/sys/net/netfilter/nf_conntrack_max)
    over=$(nft list set ip nat_failover_filter over | grep --only-matching '[0-9.]* expires' | head --lines 9) || true
    if [[ -n $over ]] || ((count * 5 > max * 4)); then
        echo "${count} of ${max} entries of the connection table are taken; refused for having half of them:" "${over//expires?/}"
    fi
}

as_loaded() {
    [[ $(rules nat filter) == "$(<"$state/rules")" && $(rules peers) == "$(<"$state/peers")" ]]
} 2>/dev/null

if [[ -e /run/netns/$space ]]; then
    (flock --nonblock 9 && remove_test) 9>"$state/self-test" || true
fi
vpc=$(cat "$state/vpc") || true
now=$(networks_of "$(uplink)") || now=$vpc
if [[ $now == "$vpc" ]] && as_loaded && (($(</proc/sys/net/ipv4/ip_forward) == 1)); then
    tell_the_fill
    exit 0
fi
echo "the rules, the forwarding or the VPC's networks are not as this host loaded them: loading them again"
exec "$home/up"
