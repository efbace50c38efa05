#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Signals as bytes that can be polled for. Signals are a process's own, so there is one pipe in it.
enum SignalPipe {
    nonisolated(unsafe) private static var writeEnd: Int32 = -1

    /// Catches these signals from here on, and returns where their numbers are read; to be called once.
    static func open(_ signals: [Int32]) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemFailure("make a pipe") }
        let readEnd = try Descriptor.high(ends[0], "make a pipe")
        writeEnd = try Descriptor.high(ends[1], "make a pipe")
        Descriptor.neverWait(readEnd)
        Descriptor.neverWait(writeEnd)
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { SignalPipe.note($0) }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        return readEnd
    }

    private static func note(_ signal: Int32) {
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: signal)
        write(writeEnd, &byte, 1)
        errno = saved
    }
}
