#!/bin/bash
# Makes this host a NAT: at each boot, when the rules are gone, and whenever it is run. With
# `filter` as its argument it replaces the filter alone, as a live change should.
set -euo pipefail

# shellcheck source=cdk_nat_failover/instances/boot/lib.sh
source /etc/nat-failover/lib

interface=$(uplink)
mapfile -t sources < <(sources_of "$interface")
if ((${#sources[@]} == 0)); then
    echo "${interface} has no address" >&2
    exit 1
fi

# Those that were loaded last are better than none; at the first boot there may be neither for a moment.
vpc=$(networks_of "$interface") || vpc=$(cat "$state/vpc") || { sleep 3 && vpc=$(networks_of "$interface"); }

load() {
    local text
    text=$(sed "s/SAMPLE/$((entries / 128))/" "$@")
    if ! give_nft <<<"$text"; then
        # A kernel may lack nft_connlimit; a NAT without shares is better than none.
        echo "nft refused the rules: loading them without the share per host"
        grep --invert-match 'ct count' <<<"$text" | give_nft
    fi
}

give_nft() {
    nft --define vpc="{ ${vpc} }" --define uplink="$interface" --define address="${sources[0]}" --file -
}

# With several addresses, flows take turns: each has ports of its own.
take_turns() {
    local pool='' index
    for index in "${!sources[@]}"; do
        pool+="${pool:+, }${index} : ${sources[index]}"
    done
    echo "insert rule ip nat_failover_nat postrouting oifname ${interface} ip saddr \$vpc ip daddr != \$vpc" \
        "snat to numgen inc mod ${#sources[@]} map { ${pool} }"
}

load_all() {
    if ((${#sources[@]} > 1)); then
        take_turns | load "$home/nat.nft" "$home/filter.nft" -
    else
        load "$home/nat.nft" "$home/filter.nft"
    fi
}

# A kernel may lack nft_dup_ipv4: then flows are reset when their table moves, as without peers.
load_peers() {
    if ! give_nft <"$home/peers.nft"; then
        echo "nft refused the rules for peers: loading them without the hand-over of flows"
        grep --invert-match 'dup to' "$home/peers.nft" | give_nft || echo "nft refused them: no peer is heard"
    fi
    # Apart from the others: without these a NAT is well.
    rules peers >"$state/peers" || true
}

# By the machine's memory, of which an entry takes 375 bytes or so; a table whose buckets are fewer
# than its entries gets slow. What the kernel calls memory is a tenth less than the instance has.
entries=262144
memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
if ((memory < 700)); then
    entries=65536
elif ((memory < 1500)); then
    entries=131072
fi

mkdir --parents "$state"
if [[ ${1-} == filter ]]; then
    load "$home/filter.nft"
else
    load_all
fi
# At once: the watch compares, and takes a difference for an ailment.
rules nat filter >"$state/rules"
if [[ ${1-} != filter ]]; then
    load_peers
    sysctl --quiet --write net.netfilter.nf_conntrack_buckets="$entries" net.netfilter.nf_conntrack_max="$entries"
    sysctl --quiet --load "$home/sysctl.conf"
    # Nothing here is reached by IPv6, so nothing of it is taken in.
    sysctl --quiet --ignore --write "net.ipv4.conf.${interface}.send_redirects=0" \
        net.ipv6.conf.{default,"$interface"}.disable_ipv6=1
fi
echo "$vpc" >"$state/vpc"
