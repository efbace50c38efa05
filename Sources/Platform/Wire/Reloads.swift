import Synchronization

/// What a running server reads anew when it is asked to (SIGHUP): certificates, levels of the log and so on.
public final class Reloads: Sendable {
    /// What could not be read; what was in effect before still is.
    public struct Problem: Error, Sendable {
        public let what: String
        public let cause: any Error
    }

    private struct Hook: Sendable {
        let what: String
        let run: @Sendable () throws -> Void
    }

    private let hooks = Mutex<[Hook]>([])

    public init() {}

    /// Has `run` called at each reload, on any thread. When it throws, what it reads must be as it was.
    ///
    /// - Parameter what: What is read, for the log: "certificate".
    public func add(_ what: String, _ run: @escaping @Sendable () throws -> Void) {
        hooks.withLock { $0.append(Hook(what: what, run: run)) }
    }

    /// Reads everything anew, in the order of adding; one that fails keeps none of the others from it. Blocks while files are read.
    public func run() -> [Problem] {
        hooks.withLock { $0 }.compactMap { hook in
            do {
                try hook.run()
                return nil
            } catch {
                return Problem(what: hook.what, cause: error)
            }
        }
    }
}
