import Foundation

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A worker's place at its supervisor, as the worker sees it.
public struct WorkerSeat: Sendable {
    /// Set for workers only, to the supervisor's process id.
    static let variable = "MARTLET_WORKER"
    static let listener: Int32 = 3
    static let line: Int32 = 4
    static let memory: Int32 = 5
    /// What a worker says: that it serves, and that it is about to end by a trap.
    static let readyNotice = "ready\n"
    static let crashNotice: StaticString = "crash\n"

    /// The socket to accept from.
    public var listener: Int32 { Self.listener }

    /// The seat of this process; `nil` when it is no worker. To be called before anything else opens descriptors or starts programs, once.
    public static func take() -> WorkerSeat? {
        // Somebody's own variable of that name, or one handed on by accident, is no seat.
        guard let text = getenv(variable), Int32(String(cString: text)) == getppid() else { return nil }
        unsetenv(variable)
        for descriptor in [listener, line, memory] { Descriptor.keepToThisProgram(descriptor) }
        return WorkerSeat()
    }

    /// Where this worker notes its requests.
    public func inFlight() throws -> InFlight {
        defer { close(Self.memory) }
        return try InFlight(shared: Self.memory)
    }

    /// Tells the supervisor that connections are accepted.
    public func tellReady() { Descriptor.write(Self.line, Self.readyNotice) }

    /// Calls `action` once, on a thread of its own, when the supervisor wants this worker to retire, or died.
    public func onRetire(_ action: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            _ = Descriptor.read(Self.line)
            action()
        }
    }
}
