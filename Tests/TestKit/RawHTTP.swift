import AsyncHTTPClient
import MartletApp
import MartletClient
public import MartletContract
import MartletIdentity
import MartletIdentityAPI
import NIOCore
public import NIOHTTP1

/// An answer as it came, for tests of what is on the wire.
public struct RawAnswer: Sendable {
    public let status: Int
    public let headers: HTTPHeaders
    public let bytes: [UInt8]

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public func json() throws -> JSON { try WireJSON.parse(bytes) }
    public func problem() throws -> Problem { try WireJSON.decode(Problem.self, from: bytes) }
}

extension TestApp {
    /// Sends a request that the typed client would not. Of a stream of events, which may never end, only the head is read.
    public func raw(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> RawAnswer {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await Engine.http.execute(request, timeout: .seconds(120))
        let isStream = response.headers.first(name: "Content-Type") == EventStreamFormat.mediaType
        var bytes = isStream ? ByteBuffer() : try await response.body.collect(upTo: 64 << 20)
        return RawAnswer(
            status: Int(response.status.code), headers: response.headers, bytes: bytes.readBytes(length: bytes.readableBytes) ?? [])
    }

    /// Sends JSON text.
    public func raw(_ method: HTTPMethod, _ path: String, token: String? = nil, json: String) async throws -> RawAnswer {
        try await raw(method, path, token: token, headers: [("Content-Type", "application/json")], body: Array(json.utf8))
    }

    /// The access token of a new account.
    public func token(_ name: String = "ada") async throws -> String {
        try await client.register(.of(name)).accessToken
    }

    /// The access token of a new account that may do everything.
    public func operatorToken(_ name: String = "grace") async throws -> String {
        let client = self.client
        try await client.register(.of(name))
        try await app.operators.appoint(name)
        return try await client.logIn(Login(login: LoginName(name), password: GivenPassword(Registration.password))).accessToken
    }
}
