import Synchronization

/// Whether the server is about to stop.
///
/// Once begun, every HTTP/1.1 response says `Connection: close` and its connection closes after it, while new connections
/// are still accepted and answered until the listener closes: nobody is reset, everybody is moved along.
public final class Draining: Sendable {
    private let begun = Atomic<Bool>(false)
    private let retired = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)
    private let actions = Mutex<[@Sendable () -> Void]>([])
    private let retirements = Mutex<[@Sendable () -> Void]>([])

    public init() {}

    /// Starts draining; for ever, and safe to repeat.
    public func begin() {
        guard !begun.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Self.run(actions)
    }

    /// Starts draining in favour of another process that accepts from the same socket: here no connection is accepted any more.
    public func retire() {
        guard !retired.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Self.run(retirements)
        begin()
    }

    /// The end of it: connections close as soon as nobody waits for an answer.
    func end() { ended.store(true, ordering: .releasing) }

    /// Calls `action` once when draining begins, or at once when it has. It may run on any thread and must not block.
    public func onBegin(_ action: @escaping @Sendable () -> Void) {
        actions.withLock { $0.append(action) }
        if isDraining { Self.run(actions) }
    }

    /// The same for ``retire()``.
    func onRetire(_ action: @escaping @Sendable () -> Void) {
        retirements.withLock { $0.append(action) }
        if isRetiring { Self.run(retirements) }
    }

    private static func run(_ actions: borrowing Mutex<[@Sendable () -> Void]>) {
        let due = actions.withLock { actions in
            defer { actions = [] }
            return actions
        }
        for action in due { action() }
    }

    public var isDraining: Bool { begun.load(ordering: .acquiring) }
    /// Whether others go on in this one's place: the service as a whole is as ready as ever.
    public var isRetiring: Bool { retired.load(ordering: .acquiring) }
    var isEnding: Bool { ended.load(ordering: .acquiring) }
}

/// What the request pipeline tells the wire: trigger it as an outbound user event on the request's channel.
public enum WireEvent: Sendable {
    /// The endpoint is about to read a body: answer `100 Continue` if the client waits for it (RFC 9110 §10.1.1).
    ///
    /// Nothing is sent when the client did not ask, already sends, or was already answered; safe to repeat.
    case sendContinue
    /// The response goes on for as long as someone reads it: a peer that closes its side is taken to be gone, and the connection is closed.
    ///
    /// Over HTTP/2 every request closes its side; there the peer resets the stream.
    case endWithInput
}
