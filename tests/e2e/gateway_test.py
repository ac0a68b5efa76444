#!/usr/bin/env python3
"""S-GW and P-GW as one process, by configuration: phones attach, ping, sleep and are paged; it is killed and comes back."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import TOP, Network, wait_for  # noqa: E402

FUNCTIONS = ("hss", "mme", "gateway", "controller", "switch")


def main():
    text = (TOP / "tests/e2e/restart.yaml").read_text()
    text = text.replace("[hss, mme, sgw, pgw, controller, switch]", "[hss, mme, gateway, controller, switch]")
    text += "\ngateway:\n"
    with Network("restart.yaml", text=text, functions=FUNCTIONS) as net:
        assert not net.is_up("sgw") and not net.is_up("pgw"), "S-GW and P-GW run beside the gateway"
        net.scenario("again", 40)
        assert len(net.get("gateway", "/state?what=pgw-sessions")) == 4
        net.kill("gateway")

        def works():
            try:
                return net.scenario("again", 40)
            except AssertionError:
                return None
        wait_for("service after the gateway was killed", works, 30, 0.5)


main()
