/*
 * terminal.h -- the guest's serial port at our standard input and output.
 *
 * A terminal is put into raw mode, so that keys are the guest's; Ctrl-] is ours and ends the VM.
 * Output that the other side is slow to take stays in the serial port's buffer, and the guest's
 * transmitter is busy.
 */
#ifndef STROWGER_VMM_TERMINAL_H
#define STROWGER_VMM_TERMINAL_H

#include "vmm/serial.h"

/* `escape` is called when Ctrl-] was pressed. 0 or negative errno. */
int terminal_open(struct serial *serial, void (*escape)(void));

/* Writes what is left, and gives the terminal back as it was. */
void terminal_close(void);

#endif
