"""What settings are allowed, and what a person is told about those that are not."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cdk_nat_failover.network.address_plan import LETTERS
from cdk_nat_failover.options.instances import InstanceOptions
from nat_failover.contract import Failback, Strategy
from stacks.settings.app import AppSettings
from stacks.settings.reader import SettingsError, read_app_context, read_settings

IMAGES = "/aws/service/ami-amazon-linux-latest"
CIDR = "an IPv4 network from /16 to /25 that hosts can use, such as '10.0.0.0/16'"
ZONES = (
    "null for the first two of the Region, or a list of two or more Availability Zones of one"
    " Region, each once, such as ['eu-west-1a', 'eu-west-1b'] or by their ids ['euw1-az1',"
    " 'euw1-az2']"
)
NETWORKS = (
    "a list of up to 4 more networks of the VPC whose hosts may use the NATs, such as"
    " ['100.64.0.0/16']"
)
ELASTIC_IPS = (
    "null for those of the launch, 'created' for Elastic IPs of the stack, 'retained' for such that"
    " stay when the stack is destroyed, or a list of the allocations of one's own, one for each"
    " NAT, such as ['eipalloc-0123456789abcdef0', 'eipalloc-0fedcba9876543210']"
)
TARGETS = (
    "null for the Region's endpoints, or a list of 1 to 4 IPv4 addresses or host names that take"
    " connections at port 443, any one of which proves that a NAT forwards, such as"
    " ['checkip.amazonaws.com', '1.1.1.1']"
)
ADOPT = "true, false, or a list of ids of the private route tables"
EMAILS = "a list of up to 100 e-mail addresses without a slash, each once"
DAYS = (
    "a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365,"
    " 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
)
INSTANCES = "a number of instances"
STANDBY = "null, or the id of a public NAT gateway of the VPC, such as 'nat-0123456789abcdef0'"
DRAIN = "a number of seconds, from 30 to 2700"
LIFETIME = "a number of days, from 1 to 365, or null for no limit"
MAXIMUM = (
    f"null for one in each zone, or as many as desired, or {INSTANCES}, from 2 and the number of"
    " zones to 100"
)
ASSOCIATIONS = (
    "allowed: networks that the table 'IPv4 CIDR block association restrictions' of the VPC user"
    " guide permits, such as '100.64.0.0/16'"
)

ANY_VPC, ANY_SUBNET = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0"
ANY_TABLE = "rtb-0123456789abcdef0"
EXISTING = {"vpc": ANY_VPC, "public_subnets": [ANY_SUBNET], "route_tables": [ANY_TABLE]}
VPC = (
    "null for a new VPC, or the id of one in the account and Region, such as"
    " 'vpc-0123456789abcdef0'"
)
PUBLIC_SUBNETS = (
    "a list of up to 10 ids of public subnets, one for each NAT and in different zones, such as"
    " ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1']; with vpc only"
)
ROUTE_TABLES = (
    "a list of up to 30 ids of route tables, such as ['rtb-0123456789abcdef0',"
    " 'rtb-0123456789abcdef1']; with vpc only"
)
SERVED = "a list of up to 50 IPv4 networks from /8, such as ['10.1.0.0/16']"

# A machine that is busy with something else makes no setting wrong.
patient = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

MISTAKES: list[tuple[Any, str]] = [
    # the value as a whole
    (
        "{name: Egress}",
        (
            "context key nat is '{name: Egress}': Expecting property name enclosed in double"
            " quotes: line 1 column 2 (char 1); allowed: a JSON object"
        ),
    ),
    ([], "context key nat is []; allowed: a JSON object"),
    # keys
    (
        {"stack": "Egress"},
        (
            "stack is not a setting; allowed here: name, account, region, network, fleet, topic,"
            " failover, alerts, logs"
        ),
    ),
    (
        {"network": {"cdir": "10.0.0.0/16"}},
        (
            "network.cdir is not a setting; allowed here: cidr, additional_cidrs, zones,"
            " served_cidrs, vpc, public_subnets, route_tables; did you mean cidr?"
        ),
    ),
    (
        {"fleet": {"ami": {"id": "ami-0123456789abcdef0", "arch": "arm64"}}},
        (
            "fleet.ami.architecture is missing; allowed: 'arm64' or 'x86_64'\n"
            "fleet.ami.arch is not a setting; allowed here: id, architecture"
        ),
    ),
    (
        {"network": "10.0.0.0/16"},
        (
            "network is '10.0.0.0/16'; allowed: an object with cidr, additional_cidrs, zones,"
            " served_cidrs, vpc, public_subnets, route_tables"
        ),
    ),
    # more networks, targets of the self-test
    (
        {"network": {"additional_cidrs": ["10.0.3.0/24"]}},
        (
            "network.additional_cidrs has '10.0.3.0/24', which overlaps network.cidr,"
            " '10.0.0.0/16'; allowed: networks without a common address"
        ),
    ),
    (
        {"network": {"additional_cidrs": ["10.1.0.0/16", "10.1.3.0/24"]}},
        (
            "network.additional_cidrs is ['10.1.0.0/16', '10.1.3.0/24']: 10.1.0.0/16 and"
            f" 10.1.3.0/24 overlap: name networks without a common address; allowed: {NETWORKS}"
        ),
    ),
    (
        {"network": {"additional_cidrs": ["127.1.0.0/16"]}},
        (
            "network.additional_cidrs[0] is '127.1.0.0/16': it overlaps 127.0.0.0/8, whose"
            f" addresses hosts cannot have; allowed: {NETWORKS}"
        ),
    ),
    (
        {"network": {"additional_cidrs": [f"10.{n}.0.0/16" for n in range(1, 6)]}},
        (
            "network.additional_cidrs is ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16',"
            f" '10.4.0.0/16', '10.5.0.0/16']; allowed: {NETWORKS}"
        ),
    ),
    # a VPC that is there already, networks elsewhere
    (
        {"network": {"vpc": "vpc-1"}},
        f"network.vpc is 'vpc-1'; allowed: {VPC}",
    ),
    (
        {"network": {"vpc": ANY_VPC, "public_subnets": ["subnet-1"], "route_tables": ["rtb-1"]}},
        (
            f"network.public_subnets[0] is 'subnet-1'; allowed: {PUBLIC_SUBNETS}\n"
            f"network.route_tables[0] is 'rtb-1'; allowed: {ROUTE_TABLES}"
        ),
    ),
    (
        {"network": {"vpc": ANY_VPC, "public_subnets": [ANY_SUBNET]}},
        (
            f"network.vpc is '{ANY_VPC}', but network.route_tables is empty; allowed: its public"
            " subnets for the NATs, and its private route tables"
        ),
    ),
    (
        {"network": {"route_tables": [ANY_TABLE]}},
        (
            f"network.route_tables is ['{ANY_TABLE}'], but network.vpc is null; allowed: both, for"
            " a VPC that is there, or neither, for a new one"
        ),
    ),
    (
        {"network": {**EXISTING, "route_tables": [ANY_TABLE, ANY_TABLE]}},
        (
            f"network.route_tables is ['{ANY_TABLE}', '{ANY_TABLE}']: '{ANY_TABLE}' is there twice:"
            f" name each once; allowed: {ROUTE_TABLES}"
        ),
    ),
    (
        {"network": {**EXISTING, "zones": ["eu-west-1a", "eu-west-1b"]}},
        (
            f"network.zones is ['eu-west-1a', 'eu-west-1b'], but the zones of {ANY_VPC} are those"
            " of its subnets; allowed: null with network.vpc"
        ),
    ),
    (
        {"network": EXISTING, "failover": {"strategy": "swap-route-table"}},
        (
            f"failover.strategy is 'swap-route-table', but network.vpc is '{ANY_VPC}', whose"
            " subnets are associated by others; allowed: 'replace-route' with network.vpc"
        ),
    ),
    (
        {"network": {"served_cidrs": ["0.0.0.0/0"]}},
        (
            "network.served_cidrs[0] is '0.0.0.0/0': it is larger than a /8: name the networks in"
            f" it that are served; allowed: {SERVED}"
        ),
    ),
    (
        {"network": {"served_cidrs": ["224.0.0.0/8"]}},
        (
            "network.served_cidrs[0] is '224.0.0.0/8': it overlaps 224.0.0.0/4, whose addresses"
            f" hosts cannot have; allowed: {SERVED}"
        ),
    ),
    (
        {"network": {"served_cidrs": ["10.1.0.0/16", "10.1.0.0/16"]}},
        (
            "network.served_cidrs is ['10.1.0.0/16', '10.1.0.0/16']: '10.1.0.0/16' is there twice:"
            f" name each once; allowed: {SERVED}"
        ),
    ),
    (
        {"network": {"served_cidrs": ["1.0.0.0/8"]}, "fleet": {"self_test": ["1.1.1.1"]}},
        (
            "fleet.self_test has '1.1.1.1', an address of a served network (1.0.0.0/8), which a NAT"
            " does not forward to; allowed: addresses and names on the internet"
        ),
    ),
    ({"fleet": {"self_test": []}}, f"fleet.self_test is []; allowed: {TARGETS}"),
    (
        {"fleet": {"self_test": ["a_b.com", "1.2.3"]}},
        (
            "fleet.self_test[0] is 'a_b.com': 'a_b.com' is neither an IPv4 address nor a host"
            f" name; allowed: {TARGETS}\n"
            "fleet.self_test[1] is '1.2.3': '1.2.3' is neither an IPv4 address nor a host name;"
            f" allowed: {TARGETS}"
        ),
    ),
    (
        {"fleet": {"self_test": [".".join(["a" * 50] * 5)]}},
        (
            f"fleet.self_test[0] is '{'.'.join(['a' * 50] * 5)}': '{'.'.join(['a' * 50] * 5)}' is"
            f" neither an IPv4 address nor a host name; allowed: {TARGETS}"
        ),
    ),
    (
        {"fleet": {"self_test": ["169.254.169.254"]}},
        (
            "fleet.self_test[0] is '169.254.169.254': 169.254.169.254 is not an address of a host"
            f" on the internet; allowed: {TARGETS}"
        ),
    ),
    (
        {"fleet": {"self_test": ["100.64.0.1"]}},
        (
            "fleet.self_test[0] is '100.64.0.1': 100.64.0.1 is not an address of a host on the"
            f" internet; allowed: {TARGETS}"
        ),
    ),
    (
        {"fleet": {"self_test": ["1.1.1.1", "1.1.1.1"]}},
        (
            "fleet.self_test is ['1.1.1.1', '1.1.1.1']: '1.1.1.1' is there twice: name each once;"
            f" allowed: {TARGETS}"
        ),
    ),
    (
        {"network": {"cidr": "8.8.8.0/24"}, "fleet": {"self_test": ["example.com", "8.8.8.8"]}},
        (
            "fleet.self_test has '8.8.8.8', an address of the VPC (8.8.8.0/24), which a NAT does"
            " not forward to; allowed: addresses and names on the internet"
        ),
    ),
    # name, account, Region
    (
        {"name": "2 NATs"},
        (
            "name is '2 NATs'; allowed: a stack name: a letter, then up to 127 letters, digits and"
            " hyphens"
        ),
    ),
    (
        {"account": 123456789012, "region": "eu-west-1"},
        (
            "account is 123456789012; allowed: null for the account deployed to, or 12 digits in"
            " quotes"
        ),
    ),
    (
        {"account": "1234", "region": "eu-west-1"},
        "account is '1234'; allowed: null for the account deployed to, or 12 digits in quotes",
    ),
    (
        {"account": "123456789012", "region": "eu-west-1a"},
        (
            "region is 'eu-west-1a'; allowed: null for the Region deployed to, or a Region such as"
            " 'eu-west-1'"
        ),
    ),
    (
        {"account": "123456789012"},
        "account is '123456789012', but region is null; allowed: both or neither",
    ),
    (
        {"region": "eu-west-1"},
        "region is 'eu-west-1', but account is null; allowed: both or neither",
    ),
    # network.cidr
    (
        {"network": {"cidr": "10.0.0.0"}},
        "network.cidr is '10.0.0.0': a VPC is between /16 and /28; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "fd00::/56"}},
        "network.cidr is 'fd00::/56': it is not an IPv4 network; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": 10}},
        "network.cidr is 10: it is not an IPv4 network; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "10.0.0.1/16"}},
        "network.cidr is '10.0.0.1/16': it has bits set after the prefix: write 10.0.0.0/16;"
        " allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "10.0.0.0/255.255.0.0"}},
        "network.cidr is '10.0.0.0/255.255.0.0': its prefix is no plain number: write 10.0.0.0/16;"
        " allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "10.0.0.0/8"}},
        "network.cidr is '10.0.0.0/8': a VPC is between /16 and /28; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "169.254.0.0/16"}},
        "network.cidr is '169.254.0.0/16': it overlaps 169.254.0.0/16, whose addresses hosts cannot"
        " have; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "127.1.0.0/16"}},
        "network.cidr is '127.1.0.0/16': it overlaps 127.0.0.0/8, whose addresses hosts cannot"
        " have; allowed: " + CIDR,
    ),
    (
        {"network": {"cidr": "10.0.0.0/26"}},
        (
            "network.cidr is '10.0.0.0/26', too small for two subnets in each of the zones a and b"
            " (each letter has its own share, so that a zone can be added, dropped or replaced"
            " later); allowed: /16 to /25"
        ),
    ),
    (
        {"network": {"cidr": "10.0.0.0/25", "zones": [f"us-east-1{zone}" for zone in "fa"]}},
        (
            "network.cidr is '10.0.0.0/25', too small for two subnets in each of the zones a and f"
            " (each letter has its own share, so that a zone can be added, dropped or replaced"
            " later); allowed: /16 to /23"
        ),
    ),
    # network.zones
    (
        {"network": {"zones": ["eu-west-1a", "eu-west-1g"]}},
        (
            "network.zones has eu-west-1g, for which the address plan has no room; allowed:"
            " zones with the letters a to f, or the numbers 1 to 6"
        ),
    ),
    (
        {"network": {"zones": ["euw1-az1", "euw1-az7"]}},
        (
            "network.zones has euw1-az7, for which the address plan has no room; allowed:"
            " zones with the letters a to f, or the numbers 1 to 6"
        ),
    ),
    (
        {"network": {"zones": ["eu-west-1a"]}},
        "network.zones is ['eu-west-1a']: the NATs of one zone cannot stand in for each other when"
        " the zone fails; allowed: " + ZONES,
    ),
    (
        {"network": {"zones": ["eu-west-1a", "eu-west-1a"]}},
        "network.zones is ['eu-west-1a', 'eu-west-1a']: 'eu-west-1a' is there twice: name each"
        " once; allowed: " + ZONES,
    ),
    (
        {"network": {"zones": ["eu-west-1a", "euw1"]}},
        (
            "network.zones[1] is 'euw1': it is neither the name nor the id of an Availability Zone;"
            f" allowed: {ZONES}"
        ),
    ),
    (
        {"network": {"zones": ["eu-west-1a", "euw1-az2"]}},
        (
            "network.zones is ['eu-west-1a', 'euw1-az2'], zones of eu-west-1 and euw1;"
            " allowed: zones of one Region, all by their names or all by their ids"
        ),
    ),
    (
        {"network": {"zones": ["eu-west-1a", "eu-west-2a"]}},
        (
            "network.zones is ['eu-west-1a', 'eu-west-2a'], zones of eu-west-1 and eu-west-2;"
            " allowed: zones of one Region, all by their names or all by their ids"
        ),
    ),
    (
        {
            "account": "123456789012",
            "region": "eu-west-1",
            "network": {"zones": ["eu-west-2a", "eu-west-2b"]},
        },
        (
            "network.zones has eu-west-2a, eu-west-2b, but region is 'eu-west-1'; allowed: zones of"
            " the Region"
        ),
    ),
    (
        {"network": {"zones": ["us-west-2a", "us-west-2-lax-1a"]}},
        "network.zones[1] is 'us-west-2-lax-1a': it is a Local Zone or a Wavelength"
        " Zone: name Availability Zones of its Region; allowed: " + ZONES,
    ),
    (
        {"network": {"zones": ["us-east-1a", "us-east-1-wl1-bos-wlz-1"]}},
        "network.zones[1] is 'us-east-1-wl1-bos-wlz-1': it is a Local Zone or"
        " a Wavelength Zone: name Availability Zones of its Region; allowed: " + ZONES,
    ),
    # networks that are not associated with each other
    (
        {"network": {"additional_cidrs": ["198.19.0.0/16"]}},
        (
            "network.additional_cidrs has '198.19.0.0/16', which EC2 refuses beside '10.0.0.0/16'"
            f" (nothing of 198.19.0.0/16); {ASSOCIATIONS}"
        ),
    ),
    (
        {"network": {"additional_cidrs": ["100.64.0.0/16", "192.168.0.0/16"]}},
        (
            "network.additional_cidrs has '192.168.0.0/16', which EC2 refuses beside '10.0.0.0/16'"
            f" (nothing of 192.168.0.0/16); {ASSOCIATIONS}"
        ),
    ),
    (
        {"network": {"cidr": "10.1.0.0/16", "additional_cidrs": ["10.0.0.0/20"]}},
        (
            "network.additional_cidrs has '10.0.0.0/20', which EC2 refuses beside '10.1.0.0/16'"
            f" (nothing of 10.0.0.0/16); {ASSOCIATIONS}"
        ),
    ),
    (
        {"network": {"cidr": "172.16.0.0/16", "additional_cidrs": ["172.31.0.0/16"]}},
        (
            "network.additional_cidrs has '172.31.0.0/16', which EC2 refuses beside"
            f" '172.16.0.0/16' (nothing of 172.31.0.0/16); {ASSOCIATIONS}"
        ),
    ),
    (
        {"network": {"cidr": "100.64.0.0/16", "additional_cidrs": ["10.0.0.0/16"]}},
        (
            "network.additional_cidrs has '10.0.0.0/16', which EC2 refuses beside '100.64.0.0/16'"
            f" (nothing of 10.0.0.0/8); {ASSOCIATIONS}"
        ),
    ),
    # fleet
    (
        {"fleet": {"launch": "config"}},
        (
            "fleet.launch is 'config'; allowed: 'template', or 'configuration' where the account"
            " may still create one"
        ),
    ),
    (
        {"fleet": {"instance_type": "t4g"}},
        "fleet.instance_type is 't4g'; allowed: an EC2 instance type, such as 't4g.nano'",
    ),
    (
        {"fleet": {"image": "amzn-ami-vpc-nat"}},
        (
            "fleet.image is 'amzn-ami-vpc-nat'; allowed: null for Amazon Linux 2023 with kernel"
            " 6.12, for the architecture of the instance type, or a public parameter of Amazon"
            f" Linux 2023, such as '{IMAGES}/al2023-ami-kernel-6.12-arm64'"
        ),
    ),
    (
        {"fleet": {"ami": {"id": "ami-1", "architecture": "arm64"}}},
        (
            "fleet.ami.id is 'ami-1'; allowed: the id of an image of Amazon Linux 2023, such as"
            " 'ami-0123456789abcdef0'"
        ),
    ),
    (
        {"fleet": {"ami": "ami-0123456789abcdef0"}},
        (
            "fleet.ami is 'ami-0123456789abcdef0'; allowed: null for the image, or an image of"
            " one's own, such as {'id': 'ami-0123456789abcdef0', 'architecture': 'arm64'}"
        ),
    ),
    (
        {"fleet": {"instance_type": "t3.nano", "image": f"{IMAGES}/al2023-ami-kernel-6.12-arm64"}},
        (
            "fleet.instance_type is 't3.nano', which is x86_64 by its name, but fleet.image is"
            f" '{IMAGES}/al2023-ami-kernel-6.12-arm64', which is arm64; allowed: the same"
            " architecture"
        ),
    ),
    (
        {"fleet": {"ami": {"id": "ami-0123456789abcdef0", "architecture": "x86_64"}}},
        (
            "fleet.instance_type is 't4g.nano', which is arm64 by its name, but fleet.ami is"
            " 'ami-0123456789abcdef0', which is x86_64; allowed: the same architecture"
        ),
    ),
    ({"fleet": {"min": 0}}, f"fleet.min is 0; allowed: {INSTANCES}, 1 or more"),
    ({"fleet": {"min": "1"}}, f"fleet.min is '1'; allowed: {INSTANCES}, 1 or more"),
    (
        {"fleet": {"max": 1, "desired": 1}},
        f"fleet.max is 1; allowed: {MAXIMUM}",
    ),
    (
        {"fleet": {"max": 10**12}},
        f"fleet.max is 1000000000000; allowed: {MAXIMUM}",
    ),
    (
        {"network": {"zones": [f"eu-west-1{letter}" for letter in "abc"]}, "fleet": {"max": 2}},
        (
            "fleet.max is 2, less than the 3 zones of network.zones: a zone would never have a NAT"
            " of its own; allowed: 3 or more, or null"
        ),
    ),
    (
        {"fleet": {"min": 2, "desired": 1}},
        "fleet.min is 2, more than fleet.desired, 1; allowed: min <= desired <= max",
    ),
    (
        {"fleet": {"desired": 3, "max": 2}},
        "fleet.desired is 3, more than fleet.max, 2; allowed: min <= desired <= max",
    ),
    (
        {"fleet": {"session_manager": 1}},
        "fleet.session_manager is 1; allowed: true or false",
    ),
    (
        {
            "fleet": {
                "session_manager": True,
                "image": f"{IMAGES}/al2023-ami-minimal-kernel-6.12-arm64",
            }
        },
        (
            "fleet.session_manager is true, but fleet.image is"
            f" '{IMAGES}/al2023-ami-minimal-kernel-6.12-arm64', which has no SSM Agent; allowed: an"
            " image without 'minimal', or fleet.session_manager false"
        ),
    ),
    # standby gateway
    (
        {"failover": {"standby_gateway": "nat-1"}},
        f"failover.standby_gateway is 'nat-1'; allowed: {STANDBY}",
    ),
    (
        {"failover": {"standby_gateway": True}},
        f"failover.standby_gateway is true; allowed: {STANDBY}",
    ),
    (
        {"failover": {"standby_gateway": "igw-0123456789abcdef0"}},
        f"failover.standby_gateway is 'igw-0123456789abcdef0'; allowed: {STANDBY}",
    ),
    # drain, renewal, watch
    ({"fleet": {"watch": "on"}}, "fleet.watch is 'on'; allowed: true or false"),
    ({"fleet": {"drain_s": 29}}, f"fleet.drain_s is 29; allowed: {DRAIN}"),
    ({"fleet": {"drain_s": 2701}}, f"fleet.drain_s is 2701; allowed: {DRAIN}"),
    ({"fleet": {"drain_s": 60.5}}, f"fleet.drain_s is 60.5; allowed: {DRAIN}"),
    ({"fleet": {"max_lifetime_days": 0}}, f"fleet.max_lifetime_days is 0; allowed: {LIFETIME}"),
    ({"fleet": {"max_lifetime_days": 366}}, f"fleet.max_lifetime_days is 366; allowed: {LIFETIME}"),
    (
        {"fleet": {"elastic_ips": "mine"}},
        (
            "fleet.elastic_ips is 'mine': it is neither a word that is allowed nor a list; allowed:"
            f" {ELASTIC_IPS}"
        ),
    ),
    (
        {"fleet": {"elastic_ips": ["eipalloc-1", "eipalloc-0123456789abcdef0"]}},
        (
            "fleet.elastic_ips is ['eipalloc-1', 'eipalloc-0123456789abcdef0']: 'eipalloc-1' is not"
            " the id of an allocation, eipalloc- and 8 or 17 hexadecimal digits; allowed: "
            + ELASTIC_IPS
        ),
    ),
    (
        {"fleet": {"elastic_ips": ["eipalloc-0123456789abcdef0"] * 2}},
        (
            "fleet.elastic_ips is ['eipalloc-0123456789abcdef0', 'eipalloc-0123456789abcdef0']:"
            " 'eipalloc-0123456789abcdef0' is there twice: name each once; allowed: " + ELASTIC_IPS
        ),
    ),
    (
        {"fleet": {"elastic_ips": ["eipalloc-0123456789abcdef0"]}},
        "fleet.elastic_ips has 1, but fleet.desired is 2; allowed: one for each NAT",
    ),
    (
        {"fleet": {"image_updates": "never"}},
        (
            "fleet.image_updates is 'never'; allowed: 'at-deployment', or 'at-launch' with a launch"
            " template and a public image"
        ),
    ),
    (
        {"fleet": {"image_updates": "at-launch", "launch": "configuration"}},
        (
            "fleet.image_updates is 'at-launch', but fleet.launch is 'configuration', which names"
            " an image by its id alone; allowed: fleet.launch 'template', or fleet.image_updates"
            " 'at-deployment'"
        ),
    ),
    (
        {
            "fleet": {
                "image_updates": "at-launch",
                "ami": {"id": "ami-0123456789abcdef0", "architecture": "arm64"},
            }
        },
        (
            "fleet.image_updates is 'at-launch', but fleet.ami is 'ami-0123456789abcdef0', which is"
            " one image for ever; allowed: fleet.ami null, or fleet.image_updates 'at-deployment'"
        ),
    ),
    # topic, failover, alerts, logs
    (
        {"topic": {"customer_key": "yes"}},
        "topic.customer_key is 'yes'; allowed: true or false",
    ),
    (
        {"failover": {"strategy": "swap"}},
        "failover.strategy is 'swap'; allowed: 'replace-route' or 'swap-route-table'",
    ),
    (
        {"failover": {"failback": None}},
        "failover.failback is null; allowed: 'automatic' or 'manual'",
    ),
    ({"failover": {"adopt": 0}}, f"failover.adopt is 0: it is neither; allowed: {ADOPT}"),
    (
        {"failover": {"adopt": ["rtb-any"]}},
        (
            "failover.adopt is ['rtb-any']: 'rtb-any' is not the id of a route table;"
            f" allowed: {ADOPT}"
        ),
    ),
    (
        {"failover": {"adopt": ["rtb-01234567", "rtb-01234567"]}},
        (
            "failover.adopt is ['rtb-01234567', 'rtb-01234567']: 'rtb-01234567' is there twice:"
            f" name each once; allowed: {ADOPT}"
        ),
    ),
    (
        {"alerts": {"emails": ["ops@example.com", "ops"]}},
        "alerts.emails[1] is 'ops': An email address must have an @-sign.; allowed: " + EMAILS,
    ),
    (
        {"alerts": {"emails": ["ops@example.com", "Ops@Example.com"]}},
        "alerts.emails is ['ops@example.com', 'Ops@Example.com']: 'ops@example.com' is there twice:"
        " name each once; allowed: " + EMAILS,
    ),
    (
        {"alerts": {"emails": ["a/b@example.com", "a--b@example.com"]}},
        "alerts.emails[0] is 'a/b@example.com': a/b@example.com has a slash, which stands for two"
        " hyphens in the template; allowed: " + EMAILS,
    ),
    (
        {"alerts": {"emails": [f"{number:03}@example.com" for number in range(101)]}},
        "alerts.emails is ["
        + "".join(f"'{number:03}@example.com', " for number in range(16))[:299]
        + "…; allowed: "
        + EMAILS,
    ),
    ({"logs": {"retention_days": 31}}, f"logs.retention_days is 31; allowed: {DAYS}"),
    (
        {"logs": {"retention_days": True}},
        f"logs.retention_days is true: it is not a whole number; allowed: {DAYS}",
    ),
    (
        {"logs": {"retention_days": 30.0}},
        f"logs.retention_days is 30.0: it is not a whole number; allowed: {DAYS}",
    ),
    (
        {"fleet": {"self_test": ["0x7f.0x1"]}},
        "fleet.self_test[0] is '0x7f.0x1': '0x7f.0x1' is neither an IPv4 address nor a host name;"
        " allowed: " + TARGETS,
    ),
    (
        {"fleet": {"self_test": ["any.Local"]}},
        "fleet.self_test[0] is 'any.Local': 'any.Local' is not the name of a host on the internet;"
        " allowed: " + TARGETS,
    ),
    (
        {"alerts": {"emails": ["\u00f6ps@example.com"]}},
        (
            "alerts.emails[0] is '\u00f6ps@example.com': \u00f6ps@example.com has letters that"
            f" e-mail systems do not all take: use ASCII; allowed: {EMAILS}"
        ),
    ),
    # what is JSON to one parser and not to another
    (
        {"fleet": {"max": 10**5000}},
        (
            "context key nat holds what JSON cannot: Exceeds the limit (4300 digits) for integer"
            " string conversion; use sys.set_int_max_str_digits() to increase the limit; allowed: a"
            " JSON object"
        ),
    ),
    (
        '{"name": "\\ud800"}',
        (
            'context key nat is {"name": "\\ud800"}: unexpected end of hex escape at line 1 column'
            " 17; allowed: a JSON object"
        ),
    ),
    (
        '{"name": ' * 500 + "1" + "}" * 500,
        "context key nat is "
        + ('{"name": ' * 34)[:300]
        + "…: recursion limit exceeded at line 1 column 1810; allowed: a JSON object",
    ),
]


@pytest.mark.parametrize(("context", "message"), MISTAKES, ids=[row[1][:40] for row in MISTAKES])
def test_settings_are_refused_with_a_sentence_when_mistaken(context: object, message: str) -> None:
    """The key, the value, what is allowed, and how to mend it where that is not plain."""
    with pytest.raises(SettingsError) as refusal:
        read_settings(context)
    assert str(refusal.value) == message


def test_settings_report_every_mistake_at_once_when_there_are_several() -> None:
    """Mistakes in one setting and between two, in one go; none of them follows from another."""
    with pytest.raises(SettingsError) as refusal:
        read_settings(
            {
                "region": "eu-west-1",
                "network": {"cidr": "10.0.0.0/27", "zones": ["eu-west-1a"]},
                "fleet": {"min": "one", "desired": 5, "max": 2, "session_manager": 1},
            }
        )
    keys = [line.split(" is ")[0] for line in str(refusal.value).splitlines()]
    # Not network.cidr: whether it is too small depends on the zones, which are wrong.
    assert keys == [
        "network.zones",
        "fleet.min",
        "fleet.session_manager",
        "region",
        "fleet.desired",
    ]


@pytest.mark.parametrize(
    ("cidr", "more"),
    [
        ("10.0.0.0/16", ["10.1.0.0/16", "100.64.0.0/16", "203.0.113.0/24"]),
        ("10.0.0.0/16", ["100.64.0.0/16", "10.1.0.0/16"]),
        ("172.16.0.0/16", ["172.17.0.0/16", "100.64.0.0/16"]),
        ("192.168.0.0/20", ["192.168.16.0/20", "100.127.0.0/16"]),
        ("100.64.0.0/16", ["100.65.0.0/16", "203.0.113.0/24"]),
    ],
)
def test_networks_are_accepted_when_the_vpc_guide_permits_them_together(
    cidr: str, more: list[str]
) -> None:
    """Of the same family, 100.64.0.0/10 or public."""
    network = read_settings({"network": {"cidr": cidr, "additional_cidrs": more}}).network
    assert [str(row) for row in network.additional_cidrs] == more


@pytest.mark.parametrize(
    "region",
    [
        "eu-west-1",
        "ap-southeast-4",
        "mx-central-1",
        "cn-northwest-1",
        "us-gov-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
        "eusc-de-east-1",
    ],
)
def test_region_and_its_zones_are_accepted_in_every_partition(region: str) -> None:
    """Not every name begins with two letters."""
    zones = [f"{region}a", f"{region}b"]
    given = {"account": "123456789012", "region": region, "network": {"zones": zones}}
    assert read_settings(given).region == region


@pytest.mark.parametrize("key", ["NAT", "nats", "Nat.name"])
def test_context_key_that_is_nearly_nat_is_refused(key: str) -> None:
    """Nothing would read it."""
    with pytest.raises(SettingsError) as refusal:
        read_app_context({key: "any"})
    assert str(refusal.value) == (
        f"context key {key} sets nothing; allowed: one key, nat, with a JSON object:"
        ' --context nat=\'{"name": "…"}\', or the key in cdk.json'
    )


def test_context_key_that_looks_like_a_setting_is_refused_with_what_to_write() -> None:
    """`--context nat.failover.strategy=…` would be ignored by everybody."""
    with pytest.raises(SettingsError) as refusal:
        read_app_context({"nat": {}, "nat.failover.strategy": "swap-route-table", "native": 1})
    assert str(refusal.value) == (
        "context key nat.failover.strategy sets nothing; allowed: one key, nat, with a JSON object:"
        ' --context nat=\'{"failover": {"strategy": "…"}}\', or the key in cdk.json'
    )


def test_settings_are_those_of_the_context_key_nat() -> None:
    """What else the context holds is the CDK's."""
    assert read_app_context({"@aws-cdk/core:any": True}) == AppSettings()
    assert read_app_context({"nat": {"name": "Egress"}}).name == "Egress"


@pytest.mark.parametrize("context", [None, {}, "{}"])
def test_settings_are_the_defaults_when_nothing_is_named(context: object) -> None:
    """A checkout without a setting deploys."""
    assert read_settings(context) == AppSettings()


def test_settings_keep_the_other_defaults_when_one_is_named() -> None:
    """Within a section too."""
    settings = read_settings('{"failover": {"strategy": "swap-route-table"}}')
    assert settings.failover.strategy is Strategy.SWAP_ROUTE_TABLE
    assert settings.failover.failback is Failback.AUTOMATIC
    assert settings.model_copy(update={"failover": AppSettings().failover}) == AppSettings()


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [
        ("a1.medium", "arm64"),
        ("t4g.nano", "arm64"),
        ("c7gn.medium", "arm64"),
        ("im4gn.large", "arm64"),
        ("is4gen.medium", "arm64"),
        ("x2gd.medium", "arm64"),
        ("g5g.xlarge", "arm64"),
        ("t3.nano", "x86_64"),
        ("t3a.nano", "x86_64"),
        ("g4dn.xlarge", "x86_64"),
        ("m7i-flex.large", "x86_64"),
        ("c6in.large", "x86_64"),
        ("u-6tb1.metal", "x86_64"),
    ],
)
def test_instance_type_tells_its_architecture(instance_type: str, architecture: str) -> None:
    """By the letters after the generation, as AWS names its families."""
    assert InstanceOptions(instance_type=instance_type).instance_architecture == architecture


@patient
@given(
    prefix=st.integers(min_value=16, max_value=28),
    letters=st.sets(st.sampled_from(LETTERS), min_size=2),
)
def test_network_is_accepted_just_when_its_subnets_find_room(
    prefix: int, letters: set[str]
) -> None:
    """No subnet is smaller than a /28 ("Subnet sizing", VPC user guide)."""
    cidr = IPv4Network(f"10.0.0.0/{prefix}")
    network = {"cidr": str(cidr), "zones": [f"us-east-1{letter}" for letter in letters]}
    given = {"network": network, "fleet": {"max": len(letters)}}
    smallest = {"a": 8, "b": 8, "c": 8, "d": 16, "e": 32, "f": 32}
    fits = all(cidr.num_addresses // smallest[letter] >= 16 for letter in letters)
    if fits:
        assert read_settings(given).network.cidr == IPv4Network(network["cidr"])
    else:
        with pytest.raises(SettingsError, match=r"^network\.cidr is .* too small"):
            read_settings(given)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
SECTIONS = st.dictionaries(
    st.sampled_from(list(AppSettings.model_fields)),
    JSON | st.dictionaries(st.sampled_from(["cidr", "zones", "ami", "min", "emails", "id"]), JSON),
)


@patient
@given(context=SECTIONS)
def test_settings_are_read_or_refused_with_sentences_whatever_is_given(
    context: dict[str, Any],
) -> None:
    """No JSON object makes another error than the one that `app.py` shows."""
    try:
        settings = read_settings(context)
    except SettingsError as refusal:
        lines = str(refusal).splitlines()
        assert [line for line in lines if "allowed" not in line] == []
    else:
        assert read_settings(json.loads(settings.model_dump_json())) == settings
