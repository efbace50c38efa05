import NIOCore
import NIOExtras
import Synchronization

/// The connections of a listener, to be told when it stops.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
    }
    private let state = Mutex(State())

    /// To be called on the channel's event loop, once its handlers are in place.
    func add(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        let isLate = state.withLock { state in
            state.channels[key] = channel
            return state.isQuiescing
        }
        channel.closeFuture.whenComplete { _ in self.remove(key) }
        if isLate { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    private func remove(_ key: ObjectIdentifier) {
        state.withLock { $0.channels[key] = nil }
    }

    /// Tells all of them, and those still to come, to close as soon as nobody waits for an answer.
    func quiesce() {
        let channels = state.withLock { state in
            state.isQuiescing = true
            return Array(state.channels.values)
        }
        for channel in channels {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        }
    }
}
