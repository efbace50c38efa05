import AsyncHTTPClient
import MartletContract
import NIOCore

/// A stream of events that outlives its connections: when one breaks, or ends before the server said that nothing more comes, the next
/// goes on after the last event received.
struct Listening: AsyncSequence, Sendable {
    /// Asks for the events after the one named; `nil` when there is nothing more to come.
    let connect: @Sendable (_ lastEventID: String) async throws -> HTTPClientResponse?
    let pause: @Sendable (Duration) async throws -> Void
    let lastEventID: String

    func makeAsyncIterator() -> Iterator {
        Iterator(listening: self, parser: EventParser(after: lastEventID))
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let listening: Listening
        fileprivate var parser: EventParser
        private var body: HTTPClientResponse.Body.AsyncIterator?
        private var received: ArraySlice<ServerEvent<String>> = []
        private var reconnection = Reconnection()
        private var hasListened = false
        private var isOver = false

        fileprivate init(listening: Listening, parser: EventParser) {
            (self.listening, self.parser) = (listening, parser)
        }

        mutating func next() async throws -> ServerEvent<String>? {
            while received.isEmpty, !isOver {
                do {
                    try await receive()
                } catch {
                    try await resume(after: error)
                }
            }
            return received.popFirst()
        }

        private mutating func receive() async throws {
            guard body != nil else { return try await listen() }
            guard let piece = try await body?.next() else { throw Interrupted() }
            received += try parser.read(piece.readableBytesView)
            reconnection.succeeded()
        }

        private mutating func listen() async throws {
            guard let response = try await listening.connect(parser.lastEventID) else {
                isOver = true
                return
            }
            parser = EventParser(after: parser.lastEventID)
            body = response.body.makeAsyncIterator()
            hasListened = true
        }

        /// Throws what trying again does not help against; and any failure of the first attempt, when there is nothing yet to resume.
        private mutating func resume(after error: any Error) async throws {
            body = nil
            guard !Task.isCancelled, hasListened, error.mayPass else {
                isOver = true
                try Task.checkCancellation()
                throw (error as? Refused)?.reason ?? error
            }
            reconnection.retry = parser.retry ?? reconnection.retry
            let asked = (error as? Refused)?.retryAfter ?? .zero
            try await listening.pause(reconnection.wait(atLeast: asked, jitter: .random(in: 0...1)))
        }
    }
}

/// The connection ended before the stream was over.
private struct Interrupted: Error {}

/// An answer that is no stream.
struct Refused: Error {
    let status: UInt
    let retryAfter: Duration
    /// What the caller hears of it.
    let reason: any Error
}

extension Error {
    /// Whether it may be another time: a connection that breaks, a server that is busy, restarting or mistaken.
    fileprivate var mayPass: Bool {
        switch self {
        case is CancellationError, is EventTooLong, is UnexpectedAnswer, is UnexpectedEvent, is Problem: false
        case let refused as Refused: refused.status >= 500 || refused.status == 408 || refused.status == 429
        default: true
        }
    }
}
