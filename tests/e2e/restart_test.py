#!/usr/bin/env python3
"""Kills each function without warning: phones that attach (or send) afterwards work, without a restart of the rest."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import FUNCTIONS, Network, wait_for  # noqa: E402


def works_again(net):
    """Phones may be told to attach anew once; then everything works."""
    def attempt():
        try:
            net.scenario("again", 40)
            return True
        except AssertionError as why:
            attempt.why = why
            return False
    try:
        wait_for("service", attempt, 30, 0.5)
    except AssertionError:
        raise attempt.why from None


def main():
    with Network("tests/e2e/restart.yaml") as net:
        net.scenario("again", 40)
        for function in FUNCTIONS:
            others = {f: net.pid(f) for f in FUNCTIONS if f != function}
            net.kill(function)
            works_again(net)
            changed = [f for f, pid in others.items() if net.pid(f) != pid]
            assert not changed, f"the restart of {function} took {changed} with it"
            print(f"{function} was killed; phones attach and send again")


main()
