"""A mount namespace of the test's own.

A daemon ends with the last mount of its superblock, wherever that is.  Whoever makes a mount namespace meanwhile
(unshare -m, a container, another test) gets a copy of every mount it sees, and for as long as it lives a daemon whose
mounts are gone here goes on, as it should: to a test that waits for its end it hangs.  In a namespace of its own a
test's mounts are seen by nobody else, and it keeps none of anybody's."""
import ctypes
import errno
import os
import re
import sys

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18  # linux/sched.h, linux/mount.h
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8


def own_mounts():
    """Before any thread is begun.  Without the right to (not root) the mounts stay everybody's."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return
    if libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) != 0:
        # In a chroot whose root is no mount point nobody can: what is mounted here would be mounted outside as well.
        if ctypes.get_errno() == errno.EINVAL:
            print("skipped: the root directory is no mount point, so the mounts can't be made private")
            sys.exit(77)
        raise OSError(ctypes.get_errno(), "cannot make the mounts private")
    with open("/proc/self/mountinfo", "rb") as file:
        lines = file.read().splitlines()
    for line in lines:
        left, _, right = line.partition(b" - ")
        if right.split(b" ")[0] == b"fuse.ferryfs":
            point = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal.group(1), 8)]), left.split(b" ")[4])
            libc.umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW)


def pinned(device):
    """The processes in another mount namespace that has mounts of this device (MAJOR:MINOR) as well."""
    found, here = {}, os.readlink("/proc/self/ns/mnt")
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            there = os.readlink("/proc/%s/ns/mnt" % name)
            if there != here and there not in found:
                mounts = open("/proc/%s/mountinfo" % name).read()
                if " %s " % device in mounts:
                    found[there] = "%s (%s)" % (name, open("/proc/%s/comm" % name).read().strip())
        except OSError:
            pass
    return sorted(found.values())
