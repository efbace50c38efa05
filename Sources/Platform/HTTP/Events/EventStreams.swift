import HTTPTypes
import HummingbirdCore
import MartletWire
import NIOCore
public import ServiceLifecycle
import Synchronization

/// Every stream of events that this process is sending.
///
/// One ticker serves all of them: a stream costs no timer and no task of its own, only its connection's.
public final class EventStreams: Service {
    private struct State {
        var senders: [ObjectIdentifier: EventSender] = [:]
        var isOver = false
    }

    private let state = Mutex(State())
    private let tick: Duration

    /// - Parameter heartbeat: A stream on which nothing was sent for this long is sent a comment.
    public init(heartbeat: Duration = .seconds(15)) {
        tick = heartbeat / FeedQueue<Never>.ticksToHeartbeat
    }

    /// Sends heartbeats until cancelled or shut down.
    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Sleeping ends early only by the cancellation that the loop asks for.
                try? await Task.sleep(for: self.tick)
                self.beat()
            }
        }
    }

    /// Ends all streams, and at once those that are still to come, so that their listeners come back to another instance. Safe to repeat.
    public func end() {
        let senders = state.withLock { state in
            state.isOver = true
            return Array(state.senders.values)
        }
        for sender in senders { sender.finish() }
    }

    /// How many there are.
    var count: Int { state.withLock { $0.senders.count } }

    /// Whether all have sent what there was.
    var areIdle: Bool { state.withLock { $0.senders.values.allSatisfy(\.isIdle) } }

    func beat() {
        for sender in state.withLock({ Array($0.senders.values) }) { sender.tick() }
    }

    /// Sends the head at once, then each frame of the feed, until it ends or the listener goes away.
    func send(_ feed: EventFeed, after head: HTTPResponse, to writer: consuming ResponseWriter, on channel: any Channel) async throws {
        let sender = feed.sender
        begin(sender)
        defer { finish(sender) }
        channel.closeFuture.whenComplete { _ in sender.cancel() }
        var body = try await writer.writeHead(head)
        channel.triggerUserOutboundEvent(WireEvent.endWithInput, promise: nil)
        for await frame in feed { try await body.write(frame.bytes) }
        try await body.finish(nil)
    }

    private func begin(_ sender: EventSender) {
        let isOver = state.withLock { state in
            state.senders[ObjectIdentifier(sender)] = sender
            return state.isOver
        }
        if isOver { sender.finish() }
    }

    private func finish(_ sender: EventSender) {
        state.withLock { $0.senders[ObjectIdentifier(sender)] = nil }
        sender.cancel()
    }
}
