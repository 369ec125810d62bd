#!/bin/bash
# Proves that this host forwards: a namespace behind it opens a connection to one of several targets
# on the internet, through forward and source NAT, and the connection table says that it left from
# an address of this host. Leaves nothing behind; what it leaves when it is killed goes with the next,
# or with the next look at the rules.
#
# It cannot see the source/destination check, which is outside of the instance and drops only what
# other hosts send: the failover function looks after that.
set -euo pipefail

# shellcheck source=cdk_nat_failover/instances/boot/lib.sh
source /etc/nat-failover/lib

readonly port=443
readonly inside='^(10|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.'
readonly rounds=2

readonly far=nat-test1
readonly gateway=169.254.240.1
# The fourth address of a network of the VPC: no host has it, since AWS reserves it in the subnet that
# begins there, if one does ("Subnet CIDR blocks", VPC user guide).
IFS=./, read -r a b c d _ <"$state/vpc"
readonly address=$a.$b.$c.$((d + 3))
# Ports of this run alone: the kernel may remember translations of an earlier one.
readonly first=$((1024 + ${EPOCHREALTIME//[!0-9]/} / 100000 % 1000 * 60))
readonly last=$((first + 59))

build() {
    remove_test
    ip netns add "$space"
    ip link add "$near" type veth peer name "$far" netns "$space"
    ip address add "$gateway/32" dev "$near"
    ip link set "$near" up
    ip route add "$address/32" dev "$near"
    ip -netns "$space" address add "$address/32" dev "$far"
    ip -netns "$space" link set "$far" up
    ip -netns "$space" route add "$gateway/32" dev "$far" scope link
    ip -netns "$space" route add default via "$gateway" dev "$far"
    ip netns exec "$space" sysctl --quiet --write net.ipv4.ip_local_port_range="$first $last"
}

# Answers whose connection left from an address of this host are counted.
watch_translation() {
    local interface sources
    interface=$(uplink)
    sources=$(addresses_of "$interface" | paste --serial --delimiters ,)
    nft --file - <<RULES
table ip nat_failover_test {
	counter translated {
	}
	chain forward {
		type filter hook forward priority filter - 1;
		oifname "${near}" tcp dport ${first}-${last} ct original ip saddr ${address} ct reply ip daddr { ${sources} } counter name translated
	}
}
RULES
}

translated() {
    [[ $(nft list counter ip nat_failover_test translated) == *'packets '[1-9]* ]]
}

# A name that leads into the VPC, as an interface endpoint's does, proves nothing: it is passed over.
resolve() {
    local found
    found=$(timeout 2 getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
    [[ $1 == "$found" || ! $found =~ $inside ]] && echo "$found"
}

# connects TARGET [COMMAND…]: the command runs the attempt, in the namespace or here.
connects() {
    local target=$1 found
    shift
    found=$(resolve "$target") || return 1
    # shellcheck disable=SC2016 # for the other shell
    [[ -n $found ]] && timeout 3 "$@" bash -c ': <"/dev/tcp/$1/$2"' connect "$found" "$port" 2>/dev/null
}

any_connects() {
    local target
    for target in ${targets:?}; do
        if connects "$target" "$@"; then
            echo "$target"
            return 0
        fi
    done
    return 1
}

explain() {
    local reached
    if reached=$(any_connects); then
        echo "this host reaches ${reached}, but what it forwards does not: forwarding or source NAT" >&2
    else
        echo "neither this host nor what it forwards reaches port ${port} of any of: ${targets}" >&2
    fi
}

# One at a time; who looks after what a killed one left asks for this lock too.
exec {lock}>"$state/self-test"
flock "$lock"
# `timeout` ends a command with two signals: the second may not cut short what the first began.
trap 'exit 143' TERM
trap 'trap "" TERM; remove_test' EXIT
build
watch_translation
for ((round = 1; round <= rounds; round++)); do
    if reached=$(any_connects ip netns exec "$space"); then
        if translated; then
            echo "forwards: ${reached} answered through source NAT"
            exit 0
        fi
        echo "${reached} answered, but not to an address of this host: source NAT" >&2
        exit 1
    fi
done
explain
exit 1
