/*
 * link.h -- the door of floor 2: transports and transactions. Each header tells its own story.
 */
#ifndef STROWGER_LINK_LINK_H
#define STROWGER_LINK_LINK_H

#include "link/diameter_peer.h"
#include "link/gtpc_mailbox.h"
#include "link/gtpc_path.h"
#include "link/netns.h"
#include "link/offload.h"
#include "link/openflow_channel.h"
#include "link/openflow_tls.h"
#include "link/packet_port.h"
#include "link/packet_ring.h"
#include "link/path_config.h"
#include "link/pfcp_association.h"
#include "link/pfcp_path.h"
#include "link/restart_counter.h"
#include "link/sctp.h"
#include "link/tap_queue.h"
#include "link/udp_request.h"
#include "link/user_planes.h"
#include "link/xdp_queue.h"

#endif
