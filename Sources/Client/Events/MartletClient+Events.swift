import AsyncHTTPClient
public import MartletContract
import NIOHTTP1

extension MartletClient {
    /// Listens to the events of an endpoint.
    ///
    /// ```swift
    /// for try await event in try client.events(JobsAPI.events, filter) { … }
    /// ```
    /// The first request is made when the iteration begins; it throws what ``send(_:_:)`` throws. From then on the stream resumes by
    /// itself after the last event received, waiting 0.5 to 15 seconds (or as long as the server asks), until the server says that
    /// nothing more comes. It throws the `Problem` of a server that refuses to resume it, `EventTooLong`, and `UnexpectedEvent`. Ending the
    /// iteration, or cancelling its task, closes the connection. The client's timeout bounds the wait for an answer, not the stream.
    ///
    /// Each stream has a connection of its own over HTTP/1.1, of which `HTTPClient.shared` opens eight to a server. A connection that died
    /// without a word is noticed by the read timeout of the `HTTPClient`: 90 seconds for the shared one; the server sends something every 15.
    /// - Parameter lastEventID: Where an earlier stream left off.
    public func events<Input, Data>(
        _ endpoint: Endpoint<Input, EventStream<Data>>, _ input: Input, after lastEventID: String? = nil
    ) throws -> EventStream<Data> {
        EventStream(try listening(to: endpoint, input, after: lastEventID))
    }

    /// Listens to the events of an endpoint whose input has no required field.
    public func events<Data>(
        _ endpoint: Endpoint<NoContent, EventStream<Data>>, after lastEventID: String? = nil
    ) throws -> EventStream<Data> {
        try events(endpoint, NoContent(), after: lastEventID)
    }

    func listening<Input, Output>(
        to endpoint: Endpoint<Input, Output>, _ input: Input, after lastEventID: String? = nil
    ) throws -> Listening {
        let (operation, parts) = (endpoint.operation, try endpoint.input.write(input))
        return Listening(
            connect: { last in try await self.stream(of: operation, parts, after: last) }, pause: pause,
            lastEventID: lastEventID ?? "")
    }

    private func stream(of operation: APIOperation, _ parts: InputParts, after last: String) async throws -> HTTPClientResponse? {
        do {
            return try await authorized(operation) { token in
                var request = try self.request(operation, parts, token)
                request.headers.add(name: "Accept", value: EventStreamFormat.mediaType)
                if !last.isEmpty { request.headers.add(name: "Last-Event-ID", value: last) }
                return try await self.opened(request)
            }
        } catch let problem as Problem {
            throw Refused(status: UInt(clamping: problem.status), retryAfter: .zero, reason: problem)
        }
    }

    private func opened(_ request: HTTPClientRequest) async throws -> HTTPClientResponse? {
        let response = try await answer(to: request)
        switch response.status {
        case .noContent: return nil
        case .ok where response.isEventStream: return response
        case .ok: throw UnexpectedAnswer(description: "The server answered with something else than a stream of events.")
        default: throw try await refusal(response)
        }
    }

    /// A 401 stays a plain Problem, for which the token may be refreshed.
    private func refusal(_ response: HTTPClientResponse) async throws -> any Error {
        let reason = try await failure(response)
        guard response.status != .unauthorized else { return reason }
        let seconds = response.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0
        return Refused(status: response.status.code, retryAfter: .seconds(max(0, seconds)), reason: reason)
    }
}

extension HTTPClientResponse {
    fileprivate var isEventStream: Bool {
        let type = headers.first(name: "Content-Type") ?? ""
        return type.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased() == EventStreamFormat.mediaType
    }
}
