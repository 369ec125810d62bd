#!/bin/bash
# Makes this Amazon Linux 2023 instance a NAT, proves that it forwards, and tells its group so. An
# instance that fails is abandoned and switched off: the group replaces it. The user data has written
# the settings and the files. Run twice, it leaves the same NAT.
# The steps run in shells of their own, which get all that is defined here.
set -aeuo pipefail

home=/etc/nat-failover
# cloud-init's folder of this instance: an image made from it boots with another.
own=/var/lib/cloud/instance/nat-failover
swap=/var/nat-boot.swap
current='start'

say() {
    timeout 5 logger --tag nat-boot -- "$*" || true
    echo "nat-boot: $*" >/dev/console || true
}

# step LIMIT NAME COMMAND…: no step may take longer than its limit, in seconds. Before "||" the shell
# does not end at what fails, so this returns by itself.
step() {
    local limit=$1 began=$SECONDS
    current=$2
    shift 2
    timeout --kill-after=5 "$limit" bash -euo pipefail -c '"$@"' nat-boot "$@" || return
    say "$((SECONDS - began)) s to ${current}"
}

# When only the telling fails, the group may have been told and the answer lost: then this instance
# serves. If it was not told, the heartbeat of its hook ends the launch.
at_exit() {
    local status=$?
    if ((status == 0)); then
        return
    fi
    if [[ $current == 'complete the launch action' ]]; then
        say "FAILED to ${current} (exit ${status}); unless the group was told, its hook abandons this launch"
        return
    fi
    say "FAILED to ${current} (exit ${status}); the launch is abandoned, shutting down"
    timeout 30 bash -euo pipefail -c 'complete_launch ABANDON 1' || say "the group was not told"
    shutdown --poweroff now
}

# --- The steps; each runs in a shell of its own -----------------------------------------------------

# Updates come with a new image. dnf's own timers, and the message of the day that asks dnf for
# updates at each boot, would hold its lock while it is needed here. Masked by hand and stopped by
# pattern, because systemctl fails for units that an image does not have.
quiet() {
    local unit
    for unit in dnf-makecache.timer dnf-automatic.timer dnf-automatic-install.timer update-motd.{timer,service}; do
        ln --symbolic --force /dev/null "/etc/systemd/system/$unit"
        systemctl stop "[${unit:0:1}]${unit:1}"
    done
    systemctl daemon-reload
    systemctl restart systemd-journald.service
    set_up_sessions
}

# The agent is as the image has it, and that may be from an instance with the other setting.
set_up_sessions() {
    local agent=amazon-ssm-agent.service
    # shellcheck source=/dev/null
    source "$home/settings"
    if [[ ${session_manager:?} == off ]]; then
        systemctl disable --now "$agent" || true
    elif ! { systemctl unmask "$agent" && systemctl enable --now "$agent"; }; then
        say 'the SSM agent does not start: no sessions'
    fi
}

# The image has neither nftables nor iptables. dnf needs more memory than the 512 MiB of the
# smallest instances, and is killed for it. It waits for the lock of another dnf, gives a mirror that
# is silent up by itself, and is tried again until the limit of this step.
install_nftables() {
    with_swap
    until dnf --assumeyes --quiet --setopt=timeout=10 --setopt=max_parallel_downloads=1 \
        --setopt=install_weak_deps=False install nftables; do
        say 'nftables is not installed yet'
        sleep 5
    done
    without_swap
}

with_swap() {
    without_swap
    dd if=/dev/zero of="$swap" bs=1M count=512 status=none
    chmod 600 "$swap"
    mkswap "$swap" >/dev/null
    swapon "$swap"
}

without_swap() {
    swapoff "$swap" 2>/dev/null || true
    rm --force "$swap"
}

start_units() {
    mkdir --parents "$own"
    systemctl daemon-reload
    systemctl --quiet enable nat-failover.service nat-failover-health.timer
    systemctl restart nat-failover.service nat-failover-health.timer
    set_up_watch
}

# It only adds: a NAT whose watch does not start serves. The image may be from one that had it.
set_up_watch() {
    local unit=nat-failover-watch.service
    # shellcheck source=/dev/null
    source "$home/settings"
    if [[ ${watch-off} == off ]]; then
        systemctl disable --now "$unit" || true
    elif ! { systemctl enable "$unit" && systemctl --no-block restart "$unit"; }; then
        say 'the watch does not start: peers and function hear nothing of this NAT'
    fi
}

# complete_launch RESULT ATTEMPTS: tell the group how the launch went. The action may not have begun
# yet when the instance is fast. CloudTrail shows the step in the call's user agent, since the call
# itself takes no reason. In the foreground, the call ends with its step. The CLI's first call reads
# all of it from a cold volume, and by itself it would ask the metadata service once, for a second.
complete_launch() {
    local attempt instance region
    # shellcheck source=cdk_nat_failover/instances/boot/lib.sh
    source "$home/lib"
    instance=$(metadata instance-id)
    region=$(metadata placement/region)
    for ((attempt = 1; attempt <= $2; attempt++)); do
        if AWS_SDK_UA_APP_ID="nat-boot.${current// /-}" AWS_MAX_ATTEMPTS=2 \
            AWS_METADATA_SERVICE_TIMEOUT=3 AWS_METADATA_SERVICE_NUM_ATTEMPTS=3 timeout --foreground 20 \
            aws autoscaling complete-lifecycle-action --region "$region" \
            --cli-connect-timeout 4 --cli-read-timeout 8 --auto-scaling-group-name "${group:?}" \
            --lifecycle-hook-name "${hook:?}" --instance-id "$instance" \
            --lifecycle-action-result "$1"; then
            return 0
        fi
        sleep 3
    done
    return 1
}

# Lets a deployment that waits for it go on, half a minute from now: by then the group has taken the
# instance into service, and the function has seen it. At any other time the signal is refused.
signal_stack() {
    # shellcheck source=cdk_nat_failover/instances/boot/lib.sh
    source "$home/lib"
    # shellcheck source=/dev/null
    source "$home/settings"
    systemd-run --quiet --collect --on-active=30 --timer-property=AccuracySec=1s \
        --property=RuntimeMaxSec=60 --setenv=AWS_METADATA_SERVICE_TIMEOUT=5 \
        --setenv=AWS_METADATA_SERVICE_NUM_ATTEMPTS=4 aws cloudformation signal-resource \
        --region "$(metadata placement/region)" --stack-name "${stack:?}" \
        --logical-resource-id "${resource:?}" --unique-id "$(metadata instance-id)" --status SUCCESS
}

trap at_exit EXIT
step 15 'quieten the system' quiet
if ! command -v nft >/dev/null; then
    step 145 'install nftables' install_nftables
fi
step 20 'load the rules' "$home/up"
step 50 'forward in the self-test' "$home/self-test"
step 15 'start the units' start_units
if [[ ! -e $own/launch-completed ]]; then
    step 45 'complete the launch action' complete_launch CONTINUE 10
    touch "$own/launch-completed"
    step 15 'signal the stack' signal_stack || say 'the stack gets no signal'
fi
say 'ready'
