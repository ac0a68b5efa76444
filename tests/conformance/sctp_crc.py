"""An os-ken application that corrects os-ken: SCTP's CRC32c (RFC 9260 appendix A) over the packet's bytes.

os-ken 2.5.0 computes it over the bytes' printed form, "bytearray(b'...')", so that every SCTP packet it makes has a wrong CRC, and the
packets it expects have CRCs that no switch can arrive at. Loaded before the tester, this application puts the right one in its place.
"""
from os_ken.lib.packet import sctp

POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed


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
