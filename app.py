"""The CDK app: settings from context in, one stack out."""

import sys

import aws_cdk as cdk

from cdk_nat_failover import OptionsError
from cdk_nat_failover.instances.nat_user_data import UserDataError
from stacks.nat_stack import NatStack
from stacks.settings.reader import SettingsError, read_app_context


def main() -> None:
    """Synthesize the stack, or say what is wrong with the settings."""
    app = cdk.App()
    try:
        settings = read_app_context(app.node.get_all_context())
        NatStack(app, settings.name, settings=settings)
    except (SettingsError, OptionsError, UserDataError) as error:
        sys.exit(str(error))
    app.synth()


main()
