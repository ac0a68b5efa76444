"""os-ken's tester with two corrections. osken-manager loads this in its place, unless run.py is called with --stock.

SCTP. os-ken 2.5.0 computes the CRC32c (RFC 9260 appendix A) over the bytes' printed form, "bytearray(b'...')": every SCTP
packet it makes has a wrong CRC, and no switch can arrive at those of the packets it expects. Here it is over the bytes.

Rates. A case says how many packets per second are to be sent. os-ken sends some after every pause of 10 ms; what pauses are too
long by is lost, and thousands of messages per second are more than it can write one by one. Here the clock says how many
packets are due, and those of one pause are written at once. What is sent, measured and expected stays as it is.
"""
import random
import time

import netaddr
from os_ken.lib import hub
from os_ken.lib.packet import arp, ethernet, ipv4, ipv6, sctp, tcp
from os_ken.tests.switch import tester

POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.25  # what a longer one left undone stays so: a flood afterwards would delay the tester's own requests
NAMES = {"ethernet": ethernet.ethernet, "arp": arp.arp, "ipv4": ipv4.ipv4, "ipv6": ipv6.ipv6, "tcp": tcp.tcp,
         "netaddr": netaddr, "randint": random.randint, "bytes": bytes}


def table_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = [table_entry(value) for value in range(256)]


def checksum(_, data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"), "big")


sctp.sctp._checksum = checksum


def random_packet(text):
    """What a case describes by Python expressions, with numbers that are new each time."""
    packet = eval("/".join(text), dict(NAMES))
    packet.serialize()
    return packet.data


class CorrectedTester(tester.OfTester):
    def _send_packet_thread(self, arg):
        per_second = arg["packet_counter_inc"] / tester.CONTINUOUS_THREAD_INTVL
        same = None if arg["randomize"] else self.packet_out(arg["packet_binary"])
        last, due = time.monotonic(), 0.0
        while self.ingress_event is not None:
            now = time.monotonic()
            due += min(now - last, LONGEST_PAUSE_S) * per_second
            last = now
            messages = [same or self.packet_out(random_packet(arg["packet_text"])) for _ in range(int(due))]
            if messages:
                self.tester_sw.dp.send(b"".join(messages))
            due -= len(messages)
            hub.sleep(PAUSE_S)

    def packet_out(self, data):
        switch = self.tester_sw.dp
        parser, ofp = switch.ofproto_parser, switch.ofproto
        message = parser.OFPPacketOut(datapath=switch, buffer_id=ofp.OFP_NO_BUFFER, in_port=ofp.OFPP_CONTROLLER, data=data,
                                      actions=[parser.OFPActionOutput(self.tester_send_port)])
        switch.set_xid(message)
        message.serialize()
        return bytes(message.buf)
