#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// How a worker process ended.
enum WorkerEnd: Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// As `waitpid` tells it (POSIX, <sys/wait.h>).
    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }

    /// A worker that is told to stop before it heeds signals ends by that signal.
    var isClean: Bool { self == .exited(0) || self == .signalled(SIGTERM) }

    /// What the supervisor exits with in its place.
    var exitStatus: Int32 {
        switch self {
        case .exited(let status): status == 0 ? 1 : status
        case .signalled: 1
        }
    }

    var signal: Int32? { if case .signalled(let signal) = self { signal } else { nil } }
    var status: Int32? { if case .exited(let status) = self { status } else { nil } }

    var description: String {
        switch self {
        case .exited(let status): "with status \(status)"
        case .signalled(let signal): "by \(SignalName.of(signal))"
        }
    }
}

/// Signals as people write them.
enum SignalName {
    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS",
        SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM",
    ]

    static func of(_ signal: Int32) -> String { names[signal] ?? "signal \(signal)" }
}
