// MartletClient: calls endpoints by their declarations.

public import AsyncHTTPClient
import Foundation
import HTTPTypes
public import MartletContract
public import MartletCore
public import MartletIdentityAPI
import NIOCore
import NIOHTTP1

/// Calls a Martlet server by the same declarations that it serves.
///
/// ```swift
/// let client = MartletClient(baseURL: "https://api.example.org")
/// try await client.logIn(Login(login: try LoginName("ada"), password: try GivenPassword("…")))
/// let bookmark = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org")))
/// ```
/// A call throws the server's ``MartletContract/Problem``, or ``UnexpectedAnswer`` for one that is not ours. When the access token has
/// expired it is refreshed once, however many calls find it so at the same time, and the call is sent again.
///
/// Where an endpoint takes an `Idempotency-Key`, each call has one of its own, with which it is sent again when nobody knows whether it
/// happened, or when the server is away for a moment; see ``Repetitions``.
public final class MartletClient: Sendable {
    /// The longest answer read into memory, in bytes.
    public static let maximumAnswer = 64 << 20

    private let baseURL: String
    private let http: HTTPClient
    private let timeout: TimeAmount
    private let tokens = TokenKeeper()
    /// Waits before a stream of events is resumed, and before a call is repeated.
    let pause: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - baseURL: Scheme, host and port, without a slash at the end.
    ///   - http: The connections to use; the caller shuts it down, unless it is the shared one.
    ///   - timeout: For one call, until its answer begins.
    public convenience init(baseURL: String, http: HTTPClient = .shared, timeout: Duration = .seconds(60)) {
        self.init(baseURL: baseURL, http: http, timeout: timeout) { try await Task.sleep(for: $0) }
    }

    init(baseURL: String, http: HTTPClient, timeout: Duration, pause: @escaping @Sendable (Duration) async throws -> Void) {
        self.baseURL = baseURL
        self.http = http
        self.timeout = TimeAmount(timeout)
        self.pause = pause
    }

    /// Calls an endpoint. Safe to repeat where the endpoint is; nothing is repeated by itself but a call refused for its expired token, and
    /// one that has a key.
    ///
    /// - Parameter key: For endpoints that take an `Idempotency-Key`: the one of an earlier call that is to be repeated, for example after
    ///   the program was started again. By default a fresh one.
    public func send<Input, Output>(_ endpoint: Endpoint<Input, Output>, _ input: Input, key: String? = nil) async throws -> Output {
        if case .events(let decode) = endpoint.output { return decode(try listening(to: endpoint, input)) }
        let key = endpoint.operation.takesIdempotencyKey ? key ?? UUID().uuidString : nil
        return try await authorized(endpoint.operation) { token in
            try await self.repeating(key) { try await self.call(endpoint, input, token: token, key: key) }
        }
    }

    /// Calls an endpoint whose input has no required field.
    public func send<Output>(_ endpoint: Endpoint<NoContent, Output>) async throws -> Output {
        try await send(endpoint, NoContent())
    }

    private func call<Input, Output>(_ endpoint: Endpoint<Input, Output>, _ input: Input, token: String?, key: String? = nil) async throws
        -> Output
    {
        var request = try request(endpoint.operation, endpoint.input.write(input), token)
        if let key { request.headers.add(name: HTTPField.Name.idempotencyKey.rawName, value: key) }
        let response = try await answer(to: request)
        guard let success = endpoint.operation.success(of: Int(response.status.code)) else {
            throw Refusal(response, try await failure(response))
        }
        switch endpoint.output {
        case .whole(_, let decode):
            let bytes = try await bytes(of: response)
            return try expected(response) { try decode(bytes) }
        case .promised(_, let decode):
            let bytes = try await bytes(of: response)
            return try expected(response) { try decode(success, bytes) }
        case .stream(_, let decode): return decode(document(response))
        case .events: throw UnexpectedAnswer(description: "A stream of events is not called, but listened to.")
        }
    }
}

// MARK: Signing in

extension MartletClient {
    /// Creates an account and stays logged in to it.
    @discardableResult
    public func register(_ registration: Registration) async throws -> Session {
        await tokens.keep(try await send(AccountsAPI.register, registration))
    }

    /// Logs in; later calls carry the access token. Throws ``SecondFactorNeeded`` where the account has one: go on with its token.
    @discardableResult
    public func logIn(_ login: Login) async throws -> Session {
        switch try await send(AccountsAPI.login, login) {
        case .session(let session): return await tokens.keep(session)
        case .secondFactorNeeded(let challenge): throw SecondFactorNeeded(challenge: challenge)
        }
    }

    /// Logs in with the second factor that an earlier attempt asked for.
    @discardableResult
    public func logIn(_ login: MFALogin) async throws -> Session {
        await tokens.keep(try await send(MFAAPI.login, login))
    }

    /// Proves again who one is; later calls carry an access token that says so.
    public func stepUp(_ proof: StepUp) async throws {
        let fresh = try await send(MFAAPI.stepUp, proof)
        await tokens.keep(access: fresh.accessToken, refresh: tokens.refresh)
    }

    /// Ends the session here and on the server.
    public func logOut() async throws {
        guard let token = await tokens.refresh else { return }
        await tokens.forget()
        _ = try await send(AccountsAPI.logout, Refresh(refreshToken: token))
    }

    /// Goes on with a session from before.
    public func resume(accessToken: String, refreshToken: RefreshToken?) async {
        await tokens.keep(access: accessToken, refresh: refreshToken)
    }

    /// Acts for an organisation from now on, or (`nil`) for oneself alone: later calls carry an access token that says so.
    @discardableResult
    public func act(for organisation: Identifier<Organisation>?) async throws -> AccessGrant {
        let choice = OrganisationChoice(organisationId: organisation.map { .set($0) } ?? .cleared)
        let grant = try await send(OrganisationsAPI.switch, choice)
        await tokens.keep(access: grant.accessToken)
        return grant
    }

    /// Makes a call with the access token, and once more when that has expired and could be refreshed.
    func authorized<Result: Sendable>(_ operation: APIOperation, _ call: (_ token: String?) async throws -> Result) async throws -> Result {
        let used = await tokens.access
        do {
            return try await call(used)
        } catch let problem as Problem where problem.status == 401 && operation.access != .anyone {
            guard let fresh = try await freshToken(instead: used) else { throw problem }
            return try await call(fresh)
        }
    }

    private func freshToken(instead used: String?) async throws -> String? {
        try await tokens.refreshed(instead: used) { token in
            try await self.repeating(nil) { try await self.call(AccountsAPI.refresh, Refresh(refreshToken: token), token: nil) }
        }
    }
}

// MARK: Requests and answers

extension MartletClient {
    func request(_ operation: APIOperation, _ parts: InputParts, _ token: String?) throws -> HTTPClientRequest {
        guard let path = operation.path.expanded(with: Dictionary(parts.path, uniquingKeysWith: { $1 })) else {
            throw UnexpectedAnswer(description: "The input lacks a part of the path \(operation.path).")
        }
        let query = parts.query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        var request = HTTPClientRequest(url: baseURL + path + (query.isEmpty ? "" : "?" + query))
        request.method = .init(rawValue: operation.method.rawValue)
        // The shared connections refuse what compresses too well, whoever sent it.
        if http === HTTPClient.shared { request.headers.add(name: "Accept-Encoding", value: "identity") }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let upload = parts.upload {
            request.headers.add(name: "Content-Type", value: upload.contentType)
            request.body = .bytes(upload.bytes)
        } else if let body = parts.body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(try WireJSON.encode(body))
        }
        return request
    }

    func answer(to request: HTTPClientRequest) async throws -> HTTPClientResponse {
        do {
            return try await http.execute(request, timeout: timeout)
        } catch is HTTPParserError {
            throw UnexpectedAnswer(description: "The server answered with something that is not HTTP.")
        }
    }

    private func bytes(of response: HTTPClientResponse) async throws -> [UInt8] {
        var body = try await response.body.collect(upTo: Self.maximumAnswer)
        return body.readBytes(length: body.readableBytes) ?? []
    }

    func failure(_ response: HTTPClientResponse) async throws -> any Error {
        let bytes = try await bytes(of: response)
        guard response.headers.first(name: "Content-Type") == Problem.mediaType else {
            return UnexpectedAnswer(description: "The server answered \(response.status.code) without a Problem.")
        }
        return try expected(response) { try WireJSON.decode(Problem.self, from: bytes) }
    }

    /// What cannot be decoded is no answer of ours. The decoder's own words may hold parts of the answer: they are left out.
    private func expected<Value>(_ response: HTTPClientResponse, _ decode: () throws -> Value) throws(UnexpectedAnswer) -> Value {
        do {
            return try decode()
        } catch {
            throw UnexpectedAnswer(description: "The server answered \(response.status.code) with something else than its API declares.")
        }
    }

    private func document(_ response: HTTPClientResponse) -> Document {
        Document(
            contentType: response.headers.first(name: "Content-Type") ?? "application/octet-stream",
            pieces: response.body.map { Array($0.readableBytesView) })
    }
}

extension APIOperation {
    /// The success that a status stands for here; `nil` for failures.
    fileprivate func success(of status: Int) -> Success? {
        if status == success.rawValue { return success }
        return promise != nil && status == Success.accepted.rawValue ? .accepted : nil
    }
}

/// The password was right, and the login needs a code with this token.
public struct SecondFactorNeeded: Error {
    public let challenge: MFAChallenge
}

/// An answer that no Martlet gives.
public struct UnexpectedAnswer: Error, CustomStringConvertible {
    public let description: String
}
