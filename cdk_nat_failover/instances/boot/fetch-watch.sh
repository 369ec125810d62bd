#!/bin/bash
# Fetches the modules of the watch, unless they are there: user data has no room for them. Its unit
# tries again until it succeeds; the NAT serves meanwhile.
set -euo pipefail

# shellcheck source=cdk_nat_failover/instances/boot/lib.sh
source /etc/nat-failover/lib

# Each try costs the NAT processor time, so that the next one does not follow at once.
trap 'sleep 30' ERR

if [[ $(cat "$home/watch/from" 2>/dev/null) == "${code:?}" ]]; then
    exit 0
fi
rm --recursive --force "$home/watch"
AWS_METADATA_SERVICE_TIMEOUT=3 AWS_METADATA_SERVICE_NUM_ATTEMPTS=3 aws s3 cp --only-show-errors \
    --region "$(metadata placement/region)" "$code" "$home/watch.zip"
/usr/bin/python3 -m zipfile -e "$home/watch.zip" "$home/watch"
echo "$code" >"$home/watch/from"
