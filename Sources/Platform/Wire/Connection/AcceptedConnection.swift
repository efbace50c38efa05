import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes
import Synchronization

/// A connection on its way from the event loop that accepted it to the task that serves it.
///
/// A server that stops may drop it on that way (https://github.com/apple/swift-nio/issues/2813), and NIO ends the process when the channel of
/// a connection goes that nobody has served. So one that is dropped is closed here.
final class AcceptedConnection: ServerChildChannelValue {
    typealias Channel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    private let asyncChannel: Channel
    private let isServed = Atomic(false)

    init(_ asyncChannel: Channel) { self.asyncChannel = asyncChannel }

    deinit {
        guard !isServed.load(ordering: .relaxed) else { return }
        Task { [asyncChannel] in
            // However that ends, the connection is closed.
            try? await asyncChannel.executeThenClose { _, _ in }
        }
    }

    var channel: any NIOCore.Channel { asyncChannel.channel }

    /// To be called once, by whoever serves it from here on.
    func take() -> Channel {
        isServed.store(true, ordering: .relaxed)
        return asyncChannel
    }
}
