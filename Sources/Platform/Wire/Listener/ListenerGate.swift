import NIOCore
import Synchronization

/// Whether a listener accepts connections. Once closed it stays so.
final class ListenerGate: Sendable {
    private let closed = Atomic(false)

    /// How long a connection that was just accepted may take until it is one of ours. NIO drops those that are not when the listener closes.
    private static let settling = TimeAmount.milliseconds(100)

    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// Accepts nothing any more at once, and closes the listener's channel a moment later. Safe to repeat.
    func close(_ listener: any Channel) {
        guard !closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Fails only when the channel is closed already.
        listener.setOption(.autoRead, value: false).whenComplete { _ in
            listener.eventLoop.scheduleTask(in: Self.settling) { listener.close(promise: nil) }
        }
    }
}

/// Lets nobody ask for more connections once the gate is closed: others on the channel do so when they have room again.
final class ListenerGateHandler: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private let gate: ListenerGate

    init(_ gate: ListenerGate) { self.gate = gate }

    func read(context: ChannelHandlerContext) {
        if !gate.isClosed { context.read() }
    }
}
