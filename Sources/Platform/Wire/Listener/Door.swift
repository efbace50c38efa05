import NIOCore
import Synchronization

/// Who may come in: counts the open connections of each address, and keeps the listener calm when descriptors run out.
final class Door: Sendable {
    /// The address has as many connections open as it may have.
    struct Crowded: Error {}

    private struct State {
        var connections: [String: Int] = [:]
        var hasCalmedListener = false
    }

    private let maxPerAddress: Int
    private let state = Mutex(State())

    init(limits: WireLimits) {
        maxPerAddress = limits.maxConnectionsPerAddress
    }

    /// Lets a new connection in, or closes it at once and throws.
    func admit(_ channel: any Channel) throws {
        calmListener(of: channel)
        guard maxPerAddress > 0, let address = channel.remoteAddress?.ipAddress else { return }
        guard enter(address) else {
            channel.close(promise: nil)
            throw Crowded()
        }
        channel.closeFuture.whenComplete { _ in self.leave(address) }
    }

    private func enter(_ address: String) -> Bool {
        state.withLock { state in
            let open = state.connections[address, default: 0]
            guard open < maxPerAddress else { return false }
            state.connections[address] = open + 1
            return true
        }
    }

    private func leave(_ address: String) {
        state.withLock { state in
            let open = state.connections[address, default: 1] - 1
            state.connections[address] = open > 0 ? open : nil
        }
    }

    /// The server's own channel is reached through its first connection: the bootstrap offers no other way in.
    private func calmListener(of channel: any Channel) {
        guard let listener = channel.parent else { return }
        let isFirst = state.withLock { state in
            defer { state.hasCalmedListener = true }
            return !state.hasCalmedListener
        }
        guard isFirst else { return }
        listener.eventLoop.execute {
            // Fails only when the listener is closed, and then accepts nothing.
            try? listener.pipeline.syncOperations.addHandler(AcceptPause(), position: .first)
        }
    }
}

/// Stops listening for a moment when accepting fails for want of descriptors or memory.
///
/// The stock back-off delays the next read, but leaves the socket registered as readable: the event loop then spins, since
/// the connection that cannot be accepted stays in the backlog.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(100)
    private var isPaused = false

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is IOError { pause(context: context) }
        context.fireErrorCaught(error)
    }

    private func pause(context: ChannelHandlerContext) {
        guard !isPaused else { return }
        isPaused = true
        let channel = context.channel
        channel.setOption(.autoRead, value: false).assumeIsolated().whenComplete { _ in
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
                self.isPaused = false
                _ = channel.setOption(.autoRead, value: true)
            }
        }
    }
}
