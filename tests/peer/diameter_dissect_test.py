#!/usr/bin/env python3
"""Every Diameter message we can send, with every AVP of its table, shown to tshark: nothing malformed, no expert error."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import STROWGER, need, skip  # noqa: E402

need("tshark", "text2pcap")
SAMPLES = os.path.join(os.path.dirname(STROWGER), "tests", "peer", "diameter_samples")
if not os.access(SAMPLES, os.X_OK):
    skip(f"{SAMPLES} is not built")

samples = [line.split() for line in subprocess.check_output([SAMPLES], text=True).splitlines()]
directory = tempfile.mkdtemp(prefix="strowger-dissect-")
try:
    dump = ""
    for _, digits in samples:
        octets = [digits[i:i + 2] for i in range(0, len(digits), 2)]
        for at in range(0, len(octets), 16):
            dump += f"{at:06x} {' '.join(octets[at:at + 16])}\n"
        dump += "\n"
    # One Diameter message in each SCTP DATA chunk (PPID 46).
    subprocess.run(["text2pcap", "-q", "-S", "3868,3868,46", "-", f"{directory}/samples.pcap"], input=dump, text=True,
                   check=True, stderr=subprocess.DEVNULL)
    fields = ["diameter.cmd.code", "diameter.flags.request", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
              "diameter.avp.unknown", "diameter.avp.invalid-data"]
    known = subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True).stdout
    fields = [f for f in fields if f"\t{f}\t" in known]
    rows = subprocess.run(["tshark", "-r", f"{directory}/samples.pcap", "-T", "fields", "-E", "occurrence=a"] +
                          [part for field in fields for part in ("-e", field)],
                          capture_output=True, text=True, check=True).stdout.splitlines()
    print(f"1..{len(samples)}")
    failed = len(rows) != len(samples)
    for number, ((name, _), row) in enumerate(zip(samples, rows), 1):
        seen = dict(zip(fields, row.split("\t")))
        # Expert severities: 0x00600000 is a warning, 0x00800000 an error.
        severe = [s for s in seen.get("_ws.expert.severity", "").split(",") if s and int(s, 0) >= 0x600000]
        wrong = (not seen["diameter.cmd.code"] or seen.get("_ws.malformed") or severe or seen.get("diameter.avp.unknown")
                 or seen.get("diameter.avp.invalid-data"))
        failed = failed or bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        if wrong:
            print(f"# {seen}")
finally:
    shutil.rmtree(directory, ignore_errors=True)
sys.exit(1 if failed else 0)
