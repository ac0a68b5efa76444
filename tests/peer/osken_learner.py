"""An os-ken application for switch_osken_test.py: a learning switch that can also be asked to do things.

It learns as a textbook does: what no flow knows comes to the controller, which notes the sender's port, installs a flow towards
addresses that it knows and floods the rest. On 127.0.0.1:16700 it takes one word per connection and answers in JSON:

  ready   is the switch connected?         flows   the flows' statistics
  group   UDP from port 1 goes to a select group of ports 2 and 3; buckets' counters when there already
  meter   UDP from port 1 goes through a meter to port 2 instead; the meter's counters when there already
"""
import json

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3

DOOR = ("127.0.0.1", 16700)
LEARNED, SPECIAL = 10, 100  # priorities
ANSWER_S = 10


class Learner(app_manager.OSKenApp):
    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.switch = None
        self.ports = {}    # Ethernet address -> port
        self.waiting = {}  # xid -> [event, parts of the answer]
        self.errors = []
        self.done = set()
        hub.spawn(hub.StreamServer(DOOR, self.serve).serve_forever)

    # -- learning --

    def add_flow(self, priority, match, actions, meter=None):
        parser, ofp = self.switch.ofproto_parser, self.switch.ofproto
        instructions = [parser.OFPInstructionMeter(meter)] if meter else []
        instructions.append(parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, actions))
        self.switch.send_msg(parser.OFPFlowMod(self.switch, priority=priority, match=match, instructions=instructions))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def connected(self, event):
        self.switch = event.msg.datapath
        parser, ofp = self.switch.ofproto_parser, self.switch.ofproto
        to_us = [parser.OFPActionOutput(ofp.OFPP_CONTROLLER, ofp.OFPCML_NO_BUFFER)]
        self.add_flow(0, parser.OFPMatch(), to_us)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event):
        message = event.msg
        parser, ofp = self.switch.ofproto_parser, self.switch.ofproto
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        self.ports[frame.src] = message.match["in_port"]
        port = self.ports.get(frame.dst, ofp.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(port)]
        if port != ofp.OFPP_FLOOD:
            self.add_flow(LEARNED, parser.OFPMatch(eth_dst=frame.dst), actions)
        self.switch.send_msg(parser.OFPPacketOut(datapath=self.switch, buffer_id=ofp.OFP_NO_BUFFER, actions=actions,
                                                 in_port=message.match["in_port"], data=message.data))

    # -- asking the switch --

    def ask(self, request):
        """The bodies of all parts of the switch's answer."""
        event, body = hub.Event(), []
        self.switch.set_xid(request)
        self.waiting[request.xid] = (event, body)
        self.switch.send_msg(request)
        answered = event.wait(ANSWER_S)
        del self.waiting[request.xid]
        if not answered:
            raise TimeoutError("the switch does not answer")
        return body

    @set_ev_cls([ofp_event.EventOFPFlowStatsReply, ofp_event.EventOFPGroupStatsReply, ofp_event.EventOFPMeterStatsReply,
                 ofp_event.EventOFPBarrierReply], MAIN_DISPATCHER)
    def answered(self, event):
        message = event.msg
        waiting = self.waiting.get(message.xid)
        if waiting:
            waiting[1].extend(getattr(message, "body", None) or [])
            if not getattr(message, "flags", 0):  # no more parts follow
                waiting[0].set()

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def failed(self, event):
        self.errors.append([event.msg.type, event.msg.code])

    def barrier(self):
        self.ask(self.switch.ofproto_parser.OFPBarrierRequest(self.switch))

    def from_port_1(self):
        return self.switch.ofproto_parser.OFPMatch(in_port=1, eth_type=0x0800, ip_proto=17)

    # -- what can be asked of us --

    def flows(self):
        rows = self.ask(self.switch.ofproto_parser.OFPFlowStatsRequest(self.switch))
        return [{"priority": row.priority, "packets": row.packet_count, "eth_dst": row.match.get("eth_dst")} for row in rows]

    def group(self):
        parser, ofp = self.switch.ofproto_parser, self.switch.ofproto
        if "group" not in self.done:
            self.done.add("group")
            buckets = [parser.OFPBucket(weight=1, watch_port=ofp.OFPP_ANY, watch_group=ofp.OFPG_ANY,
                                        actions=[parser.OFPActionOutput(port)]) for port in (2, 3)]
            self.switch.send_msg(parser.OFPGroupMod(self.switch, ofp.OFPGC_ADD, ofp.OFPGT_SELECT, 1, buckets))
            self.add_flow(SPECIAL, self.from_port_1(), [parser.OFPActionGroup(1)])
            self.barrier()
        rows = self.ask(parser.OFPGroupStatsRequest(self.switch, 0, 1))
        return [bucket.packet_count for bucket in rows[0].bucket_stats]

    def meter(self):
        parser, ofp = self.switch.ofproto_parser, self.switch.ofproto
        if "meter" not in self.done:
            self.done.add("meter")
            bands = [parser.OFPMeterBandDrop(rate=1, burst_size=5)]
            self.switch.send_msg(parser.OFPMeterMod(self.switch, ofp.OFPMC_ADD, ofp.OFPMF_PKTPS | ofp.OFPMF_BURST, 1, bands))
            self.add_flow(SPECIAL, self.from_port_1(), [parser.OFPActionOutput(2)], meter=1)
            self.barrier()
        row = self.ask(parser.OFPMeterStatsRequest(self.switch, 0, 1))[0]
        return {"packets": row.packet_in_count, "dropped": row.band_stats[0].packet_band_count, "flows": row.flow_count}

    def serve(self, connection, _):
        word = connection.recv(64).decode().strip()
        what = {"ready": lambda: self.switch is not None, "flows": self.flows, "group": self.group, "meter": self.meter}
        try:
            answer = {"answer": what[word](), "errors": self.errors}
        except Exception as error:  # told to the test, which fails with it
            answer = {"failed": repr(error), "errors": self.errors}
        connection.sendall(json.dumps(answer).encode())
        connection.close()
