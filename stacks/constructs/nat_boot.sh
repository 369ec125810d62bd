#!/bin/bash
# Makes this Amazon Linux 2023 instance a NAT for the VPC, or switches it off: the group replaces an
# instance that stops, while one that runs without forwarding would look healthy. The app fills in
# the VPC's CIDR and the ruleset. Run twice, it leaves the same NAT.
set -euo pipefail

readonly vpc='@VPC_CIDR@'
readonly home=/etc/nat-failover
readonly attempts=3
readonly attempt_limit=90
step='start'

say() {
    logger --tag nat-boot -- "$*" || true
    echo "nat-boot: $*" >/dev/console || true
}

at_exit() {
    local status=$?
    if ((status != 0)); then
        say "FAILED to ${step} (exit ${status}); shutting down, so that the group replaces this instance"
        shutdown --poweroff now
    fi
}
trap at_exit EXIT

# The image has neither nftables nor iptables. Another dnf may hold the lock, and the network may
# not be there yet: both pass.
install_nftables() {
    local attempt
    for ((attempt = 1; attempt <= attempts; attempt++)); do
        if timeout "$attempt_limit" dnf --assumeyes --quiet install nftables; then
            return 0
        fi
        say "attempt ${attempt} of ${attempts} to install nftables failed"
        sleep $((attempt * 3))
    done
    return 1
}

# dnf needs more memory than the 512 MiB of the smallest instances, and is killed for it.
with_swap() {
    dd if=/dev/zero of=/var/nat-boot.swap bs=1M count=512 status=none
    chmod 600 /var/nat-boot.swap
    mkswap /var/nat-boot.swap >/dev/null
    swapon /var/nat-boot.swap
    "$@"
    swapoff /var/nat-boot.swap
    rm --force /var/nat-boot.swap
}

write_files() {
    mkdir --parents "$home"

    cat >"$home/ruleset.nft" <<'RULESET'
@RULESET@
RULESET

    # A router with one interface would tell its clients to go around it.
    cat >/etc/sysctl.d/90-nat-failover.conf <<'SYSCTL'
net.ipv4.ip_forward = 1
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
SYSCTL

    # At every boot, because the name of the interface is only known then.
    cat >"$home/up" <<'UP'
#!/bin/bash
set -euo pipefail
uplink=$(ip -4 route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }')
if [[ -z $uplink ]]; then
    echo "no default route" >&2
    exit 1
fi
sysctl --quiet --load /etc/sysctl.d/90-nat-failover.conf
sysctl --quiet --write "net.ipv4.conf.${uplink}.send_redirects=0"
exec nft --define vpc="$1" --define uplink="$uplink" --file /etc/nat-failover/ruleset.nft
UP
    chmod 755 "$home/up"

    cat >/etc/systemd/system/nat-failover.service <<UNIT
[Unit]
Description=Forwarding and source NAT for ${vpc}
Wants=network-online.target
After=network-online.target
FailureAction=poweroff

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${home}/up ${vpc}
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
UNIT
}

start_nat() {
    systemctl daemon-reload
    systemctl enable --quiet nat-failover.service
    systemctl restart nat-failover.service
}

if ! command -v nft >/dev/null; then
    step='install nftables'
    with_swap install_nftables
fi
step='write the configuration'
write_files
step='load the ruleset'
start_nat
say "ready: source NAT for ${vpc}"
