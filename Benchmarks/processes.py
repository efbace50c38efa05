"""What processes cost, read from /proc: the CPU time and the memory of a process with everything it started."""

import os
import pathlib

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ProcessTree:
    """A process and its descendants, those included that have ended since and were waited for, such as a closed connection's backend."""

    def __init__(self, root):
        self.root = root

    def cpu_seconds(self):
        """User and system time so far."""
        running = all_processes()
        return sum(running[process].ticks for process in descendants(self.root, running)) / TICKS_PER_SECOND

    def memory_bytes(self):
        """Memory with each shared page divided among its users; None where the system does not tell (another user's processes)."""
        try:
            return sum(proportional_bytes(process) for process in descendants(self.root, all_processes()))
        except PermissionError:
            return None


class Process:
    def __init__(self, stat):
        fields = stat.rpartition(")")[2].split()
        self.parent = int(fields[1])
        self.ticks = sum(int(field) for field in fields[11:15])  # user, system, and both of the children it waited for


def all_processes():
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = Process((folder / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended meanwhile
    return found


def descendants(root, running):
    if root not in running:
        raise RuntimeError(f"process {root} is not there any more")
    found, size = {root}, 0
    while size < len(found):
        size = len(found)
        found |= {process for process, entry in running.items() if entry.parent in found}
    return found


def proportional_bytes(process):
    try:
        lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
