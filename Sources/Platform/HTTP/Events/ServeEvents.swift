import HTTPTypes
public import MartletContract
import MartletCore

/// Serves an endpoint that answers with events, to callers who are signed in.
///
/// The handler hears who calls, and the last event that they have received, as they say: text of any kind, `nil` at their first coming. It
/// returns what they are sent from there on, or `nil` when there is nothing more to come, which tells clients to stop (204). Only the
/// handler is under the request's deadline, not the stream.
public func serve<Input, Data>(
    events endpoint: Endpoint<Input, EventStream<Data>>,
    _ handler: @escaping @Sendable (_ input: Input, _ caller: Caller, _ lastEventID: String?) async throws -> EventFeed?
) -> Route {
    precondition(endpoint.operation.access != .anyone, "\(endpoint.operation.path) is open to anyone, but streams are for callers.")
    return Route(operation: endpoint.operation) { parts, caller, call in
        guard let caller else { throw Failure.authenticationMissing }
        let last = call.request.headerFields[.lastEventID].flatMap { $0.isEmpty ? nil : $0 }
        return Answer(try await handler(endpoint.input.read(parts), caller, last))
    }
}

extension Answer {
    /// A feed's events, or the news that there is nothing more to come.
    init(_ feed: EventFeed?) {
        self.init(.noContent, fields: [.cacheControl: "no-store"])
        guard let feed else { return }
        (status, body) = (.ok, .events(feed))
        fields[.contentType] = EventStreamFormat.mediaType
        fields[.accelBuffering] = "no"
        // Who comes back finds an instance anew, rather than over this connection one that is about to stop.
        fields[.connection] = "close"
    }
}
