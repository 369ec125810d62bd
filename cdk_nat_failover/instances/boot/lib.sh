# shellcheck shell=bash
# What the scripts share: the settings, the interface to the internet, whatever it is called, the
# networks of the VPC, the addresses that flows may leave from, and the rules as they are loaded.

home=/etc/nat-failover
# shellcheck disable=SC2034 # for the scripts
state=/run/nat-failover
# shellcheck source=/dev/null
source "$home/settings"

uplink() {
    local interface
    interface=$(ip -4 route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && !found++) print $(i + 1) }')
    if [[ -z $interface ]]; then
        echo "no default route: which interface leads to the internet is not known" >&2
        return 1
    fi
    echo "$interface"
}

# One a line, the primary one first.
addresses_of() {
    ip -4 -oneline address show dev "$1" scope global | awk '{ sub("/.*", "", $4); print $4 }'
}

metadata() {
    local token
    token=$(ask_metadata api/token --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60') || return 1
    ask_metadata "meta-data/$1" --header "X-aws-ec2-metadata-token: ${token}"
}

# What is lost or throttled is asked for again: for 8 s at most.
ask_metadata() {
    local path=$1
    shift
    curl --silent --fail --max-time 2 --retry 2 --retry-delay 1 --retry-connrefused "$@" "http://169.254.169.254/latest/$path"
}

# The networks whose hosts this one serves, separated by commas: first those of the VPC that the
# interface is in, the ones it has now, which may be more than when this host was launched. nft
# merges what overlaps.
networks_of() {
    local vpc
    vpc=$(metadata "network/interfaces/macs/$(<"/sys/class/net/$1/address")/vpc-ipv4-cidr-blocks" | grep . | paste --serial --delimiters ,) || return 1
    echo "$vpc${served:+,$served}"
}

# The internet gateway drops what comes from an address without a public one. The primary address
# has one, or nothing works; the others are asked for.
sources_of() {
    local address first='' mac associated
    mac=$(<"/sys/class/net/$1/address")
    for address in $(addresses_of "$1"); do
        if [[ -z $first ]]; then
            first=$address
            echo "$address"
            continue
        fi
        associated=${associated-$(associated_with "$mac" || unknown "$first")}
        if grep --quiet --line-regexp --fixed-strings "$address" <<<"$associated"; then
            echo "$address"
        fi
    done
}

associated_with() {
    local all public macs="network/interfaces/macs/$1/ipv4-associations"
    all=$(metadata "$macs/") || return 1
    for public in $all; do
        metadata "$macs/$public" || return 1
        echo
    done
}

unknown() {
    echo "the metadata service does not say which addresses have a public one: using $1 alone" >&2
}

# rules TABLE…, without what changes with each packet, and without what the watch tells the kernel.
rules() {
    local table
    for table; do
        nft --stateless --terse list table ip "nat_failover_$table"
    done
}

# What the self-test builds; the namespace comes first and goes last.
space=nat-self-test near=nat-test0
remove_test() {
    nft delete table ip nat_failover_test || true
    ip link delete "$near" || true
    ip netns delete "$space" || true
} 2>/dev/null
