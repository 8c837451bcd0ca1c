/*
 * crash: ends the process at a chosen step of a move, as kill -9 would.
 *
 * Only in the test build (make $(BUILD)/crash/ferryfs, -DFERRYFS_CRASH): there, steps are counted while a
 * journal of this process exists, and step number $FERRYFS_CRASH_AT is its last.  Elsewhere
 * nothing of this is compiled.  Any thread.
 */
#ifndef FERRYFS_ENGINE_BASE_CRASH_H
#define FERRYFS_ENGINE_BASE_CRASH_H

#ifdef FERRYFS_CRASH
void crash_arm(void);
void crash_disarm(void);
void crash_step(void);
#else
#define crash_arm() ((void)0)
#define crash_disarm() ((void)0)
#define crash_step() ((void)0)
#endif

#endif
