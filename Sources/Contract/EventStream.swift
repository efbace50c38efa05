public import HTTPTypes
public import MartletCore

/// One event of a stream.
public struct ServerEvent<Data: Codable & Sendable>: Sendable {
    /// Where the stream was after this event: who comes back with it misses nothing. `nil` while no event had an identifier.
    public var id: String?
    public var data: Data

    public init(id: String?, data: Data) {
        (self.id, self.data) = (id, data)
    }
}

extension ServerEvent: Equatable where Data: Equatable {}

/// An answer that is a stream of events, sent as they happen (WHATWG HTML §9.2, Server-sent events).
///
/// Clients have values of it; a server answers with frames that it has encoded. Each iteration listens for itself, from the place where
/// the stream was asked to begin, and throws ``UnexpectedEvent`` for an event that cannot be decoded.
public struct EventStream<Data: Codable & Sendable>: AsyncSequence, Sendable {
    private let texts: TextStream

    /// - Parameter texts: The events with the text of their data.
    public init(_ texts: TextStream) {
        self.texts = texts
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(texts: texts.makeAsyncIterator())
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var texts: any AsyncIteratorProtocol<ServerEvent<String>, any Error>

        public mutating func next() async throws -> ServerEvent<Data>? {
            guard let event = try await texts.next() else { return nil }
            do {
                return ServerEvent(id: event.id, data: try WireJSON.decode(Data.self, from: event.data.utf8))
            } catch {
                // The decoder's own words may hold parts of the event.
                throw UnexpectedEvent()
            }
        }
    }
}

/// The events of a stream before they are decoded.
public typealias TextStream = any AsyncSequence<ServerEvent<String>, any Error> & Sendable

/// An event that is not what its endpoint declares.
public struct UnexpectedEvent: Error {
    public init() {}
}

extension HTTPField.Name {
    /// Where a listener left off: the identifier of the last event that it received.
    public static var lastEventID: HTTPField.Name { known }

    private static let known: HTTPField.Name = {
        guard let name = HTTPField.Name("Last-Event-ID") else { preconditionFailure("Last-Event-ID is a field name.") }
        return name
    }()
}

/// The media type of a stream of events.
public enum EventStreamFormat {
    public static let mediaType = "text/event-stream"
}

extension Endpoint where Input: Codable {
    /// Answers with events as they happen; safe to repeat. A client that comes back says where it left off, and hears 204 when there is
    /// nothing more to come.
    public static func events<Data>(
        _ path: String, _ summary: String, details: String = "", allow: Access, limit: LimitClass = .reads, failures: [Failure.Kind] = []
    ) -> Endpoint where Output == EventStream<Data> {
        let template = PathTemplate(path)
        let fields = InputField.all(of: Schema.recorded(of: Input.self).schema, method: .get, path: template)
        let operation = APIOperation(
            method: .get, path: template, summary: summary, details: details, access: allow, success: .ok, limit: limit,
            isIdempotent: true, body: .none, fields: fields, answer: .events(ofType: Data.self), failures: failures)
        return Endpoint(operation: operation, input: .json(fields), output: .events { EventStream($0) })
    }
}

extension AnswerShape {
    fileprivate static func events<Data: Codable>(ofType type: Data.Type) -> AnswerShape {
        guard case .json(let schema, let example) = describing(type) else {
            preconditionFailure("An event has data: \(type) is none.")
        }
        return .events(schema, example: example)
    }
}
