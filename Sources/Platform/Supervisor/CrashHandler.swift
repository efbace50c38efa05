#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Says, when the process traps, which request it was serving; then everything goes its way: a backtrace, a core, the end.
///
/// Signals end a process as a whole, so there is one handler in it. What it runs allocates nothing and takes no lock (POSIX, signal-safety(7)).
public enum CrashHandler {
    static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE]

    /// Installs the handler; to be called once in a process. The table is kept for ever.
    ///
    /// A thread whose stack overflowed has no room for it, unless it is the calling one: such a crash is recorded without its request.
    ///
    /// - Parameter seat: Whose supervisor is to hear of it at once, before a backtrace takes its time.
    public static func install(on table: InFlight, seat: WorkerSeat? = nil) {
        state.hasSupervisor = seat != nil
        _ = Unmanaged.passRetained(table)
        state.table = table.base
        useOwnStack()
        // Once without a signal, so that nothing in it is set up only when everything is broken already.
        mark(0)
        for signal in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_sigaction = onFatalSignal
            action.sa_flags = SA_SIGINFO | SA_ONSTACK
            sigaction(signal, &action, state.previous + Int(signal))
        }
    }

    private static func useOwnStack() {
        let size = 64 << 10
        var stack = stack_t(ss_sp: UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16), ss_flags: 0, ss_size: size)
        sigaltstack(&stack, nil)
    }

    /// Blames the request that the current task serves; with signal 0 only looks.
    fileprivate static func mark(_ signal: Int32) {
        guard let table = state.table else { return }
        let task = UInt64(UInt(bitPattern: currentTask()))
        var line = CrashLine(state.line)
        line.add("martlet: fatal signal ")
        line.add(number: signal)
        var index = 0
        while index < InFlight.slots {
            let slot = Slot(table, index)
            index += 1
            guard task != 0, slot.isServed(by: task) else { continue }
            if signal != 0 { slot.blame(signal) }
            line.add(" while serving ")
            line.add(slot.route)
            line.add(", request ")
            line.add(slot.id)
            break
        }
        line.add("\n")
        guard signal != 0 else { return }
        line.write()
        if state.hasSupervisor { _ = systemWrite(WorkerSeat.line, state.notice, WorkerSeat.crashNotice.utf8CodeUnitCount) }
    }

    fileprivate struct State {
        var table: UnsafeMutableRawPointer?
        var hasSupervisor = false
        let notice = WorkerSeat.crashNotice.utf8Start
        let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
        let line = UnsafeMutablePointer<UInt8>.allocate(capacity: CrashLine.capacity)
    }

    /// Written once, by `install`; a signal handler takes no arguments of one's own.
    nonisolated(unsafe) fileprivate static var state = State()
}

private func onFatalSignal(_ signal: Int32, _ info: UnsafeMutablePointer<siginfo_t>?, _ context: UnsafeMutableRawPointer?) {
    // Should the handler itself hang, the process ends all the same.
    alarm(2)
    CrashHandler.mark(signal)
    alarm(0)
    sigaction(signal, CrashHandler.state.previous + Int(signal), nil)
    // The instruction that trapped is run again, and traps into the handler that was there before. Where there is none that would, because
    // the signal was sent or the instruction is behind, it is sent again.
    let wasSent = (info?.pointee.si_code ?? 0) <= 0
    if wasSent || signal == SIGTRAP { raise(signal) }
}

/// A line put together in memory that is there already.
private struct CrashLine {
    static let capacity = 512
    private let start: UnsafeMutablePointer<UInt8>
    private var count = 0

    init(_ start: UnsafeMutablePointer<UInt8>) { self.start = start }

    mutating func add(_ text: StaticString) {
        add(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count <= Self.capacity - count else { return }
        memcpy(start + count, source, bytes.count)
        count += bytes.count
    }

    mutating func add(number: Int32) {
        if number >= 10 { add(digit: number / 10) }
        add(digit: number % 10)
    }

    private mutating func add(digit: Int32) {
        guard count < Self.capacity else { return }
        start[count] = UInt8(truncatingIfNeeded: 48 + digit % 10)
        count += 1
    }

    func write() { _ = systemWrite(STDERR_FILENO, start, count) }
}

/// `write`, by a name that the method above does not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
