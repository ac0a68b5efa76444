/*
 * base.h -- the door of floor 0: everything a room needs that is no telecom.
 */
#ifndef STROWGER_BASE_BASE_H
#define STROWGER_BASE_BASE_H

#include "base/arena.h"
#include "base/config.h"
#include "base/control.h"
#include "base/cursor.h"
#include "base/fiber.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/pool.h"
#include "base/process.h"
#include "base/text.h"
#include "base/timer.h"
#include "base/trace.h"

#endif
