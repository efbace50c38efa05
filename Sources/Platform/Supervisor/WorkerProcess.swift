import Foundation

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A worker, as its supervisor sees it: a process, a line to it, and the memory in which it notes its requests.
final class WorkerProcess {
    let pid: Int32
    /// The supervisor's end of a socket pair. The worker writes `ready`; the supervisor writes `retire`, and closes it by dying.
    let line: Int32
    let inFlight: InFlight
    let started: Duration
    /// Whether the worker closed its end of the line.
    var isSilent = false
    /// What it was serving when it said that it crashed.
    var crashed: [InFlight.Entry]?

    private init(pid: Int32, line: Int32, inFlight: InFlight, started: Duration) {
        (self.pid, self.line, self.inFlight, self.started) = (pid, line, inFlight, started)
    }

    deinit { close(line) }

    /// Starts this program anew, as it lies on the disk by now, with the same arguments.
    static func start(_ program: String, _ arguments: [String], listener: Int32, at moment: Duration) throws -> WorkerProcess {
        let memory = try Descriptor.high(InFlight.makeMemory(), "make the memory of requests in flight")
        defer { close(memory) }
        let inFlight = try InFlight(shared: memory)
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw SystemFailure("make a line to a worker") }
        let mine = try Descriptor.high(ends[0], "make a line to a worker")
        let theirs = try Descriptor.high(ends[1], "make a line to a worker")
        defer { close(theirs) }
        Descriptor.neverWait(mine)
        let pid = try spawn(program, arguments, [(listener, WorkerSeat.listener), (theirs, WorkerSeat.line), (memory, WorkerSeat.memory)])
        return WorkerProcess(pid: pid, line: mine, inFlight: inFlight, started: moment)
    }

    /// In a process group of its own, so that Ctrl-C in a terminal reaches the supervisor only, and with no signal ignored or blocked.
    private static func spawn(_ program: String, _ arguments: [String], _ descriptors: [(from: Int32, to: Int32)]) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (from, to) in descriptors { posix_spawn_file_actions_adddup2(&actions, from, to) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let result = withCStrings([program] + arguments) { arguments in
            withCStrings(inherited + ["\(WorkerSeat.variable)=\(getpid())"]) { environment in
                posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
            }
        }
        guard result == 0 else { throw SystemFailure("start \(program)", code: result) }
        return pid
    }

    private static var inherited: [String] {
        ProcessInfo.processInfo.environment.filter { $0.key != WorkerSeat.variable }.map { "\($0.key)=\($0.value)" }
    }

    private static func withCStrings<R>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { list[index] = strdup(text) }
        list[texts.count] = nil
        defer {
            for index in texts.indices { free(list[index]) }
            list.deallocate()
        }
        return body(list)
    }
}
