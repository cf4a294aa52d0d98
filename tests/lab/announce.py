"""announce.py INTERFACE: tell the neighbours where this interface's IPv4 address lives now (gratuitous ARP).

A new VM may get the address of one that has just gone. Until told, the neighbours keep sending to the old one's MAC
address, for up to forty seconds.
"""

import fcntl
import socket
import struct
import sys

SIOCGIFADDR = 0x8915
ETHERTYPE_ARP = 0x0806
REQUEST, REPLY = 1, 2

interface = sys.argv[1]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    answer = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", interface.encode()))
address = answer[20:24]

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
    raw.bind((interface, 0))
    mac = raw.getsockname()[4]
    for operation, target in ((REQUEST, bytes(6)), (REPLY, mac)):
        ethernet = b"\xff" * 6 + mac + struct.pack("!H", ETHERTYPE_ARP)
        arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + address + target + address
        raw.send(ethernet + arp)
