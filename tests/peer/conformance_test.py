#!/usr/bin/env python3
"""Some of every file of the public OpenFlow 1.3 conformance suite against our switch (tests/conformance/run.py runs all)."""
import json
import pathlib
import subprocess
import sys

RUN = pathlib.Path(__file__).resolve().parent.parent / "conformance" / "run.py"


def main():
    done = subprocess.run([sys.executable, str(RUN), "--subset", "fast", "--json"], capture_output=True, text=True)
    if done.returncode == 77:
        print(done.stdout.strip())
        sys.exit(77)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    for case in told["cases"]:
        if not case["ok"]:
            print(f"{case['file']}: {case['case']}\n    {case['reason'][:400]}")
    print(f"{told['passed']} cases passed, {told['failed']} failed, in {told['seconds']} s")
    sys.exit(1 if told["failed"] or told["passed"] < 200 else 0)


if __name__ == "__main__":
    main()
