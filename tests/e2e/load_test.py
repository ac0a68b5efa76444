#!/usr/bin/env python3
"""20,000 phones attach, go idle, come back and detach, twice: none fails, nothing grows."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import FUNCTIONS, Network  # noqa: E402

ROUNDS = 2


def main():
    with Network("examples/load.yaml") as net:
        after = []
        for number in range(ROUNDS):
            for step in net.scenario("load", 200)["steps"]:
                print(f"round {number + 1}: {step['step']:16} {step['phones']} phones in {step['seconds']:.2f} s, "
                      f"{step['failed']} failed", flush=True)
                assert step["failed"] == 0
                assert step["phones"] in (0, 20000)
            after.append({f: net.metrics(f)["process_resident_memory_bytes"] for f in FUNCTIONS})
        assert net.get("mme", "/state?what=subscribers") == [], "the MME still has contexts"
        for function in FUNCTIONS:
            growth = after[-1][function] - after[0][function]
            print(f"{function}: {after[0][function] / 1e6:.1f} MB after the first round, {growth / 1e6:+.1f} MB after the last")
            assert growth < 8e6 + 0.1 * after[0][function], f"{function} grows"


main()
